import { parentPort, workerData } from 'node:worker_threads';
import { type ErrorParts, FactlineError, messageOf } from 'factline/kernel';
import { FactDecoder } from 'factline/contracts';
import { Tables } from '../tables.js';
import { importProjection } from './module.js';
import { type RebuildConnections, connect } from './connections.js';
import { type PartitionFolder, type PartitionProgress, type PartitionTask, foldPartitions } from './partition.js';

/** What a thread needs to work by itself: functions cannot be sent to it, so it imports the projection's module. */
export interface WorkerSetup {
  /** URL of the module that exports the projection. */
  module: string;
  projection: string;
  version: number;
  schema: string;
  connections: RebuildConnections;
}

export type WorkerMessage =
  | { type: 'ready' }
  | { type: 'progress'; progress: PartitionProgress }
  | { type: 'finished'; rows: number }
  | { type: 'failed'; error: ErrorParts };

async function work(setup: WorkerSetup, post: (message: WorkerMessage) => void): Promise<void> {
  const projection = await importProjection(setup.module, setup.projection, setup.version);
  const { log, store, schemas, close } = await connect(setup.connections, 'factline replay (thread)');
  const session = await store.session();
  let rows: number;
  try {
    const folder: PartitionFolder = {
      projection,
      tables: new Tables(projection, setup.schema),
      decoder: new FactDecoder(projection.facts, schemas),
      log,
      session,
      progress: (progress) => post({ type: 'progress', progress }),
    };
    rows = await foldPartitions(folder, () => nextTask(post));
  } finally {
    await session.close();
    await close();
  }
  post({ type: 'finished', rows });
}

function nextTask(post: (message: WorkerMessage) => void): Promise<PartitionTask | undefined> {
  return new Promise((resolve) => {
    parentPort!.once('message', (message: PartitionTask | 'finish') => resolve(message === 'finish' ? undefined : message));
    post({ type: 'ready' });
  });
}

function partsOf(error: unknown): ErrorParts {
  if (error instanceof FactlineError) {
    const { code, kind, message, advice, retry, details } = error;
    return { code, kind, message, retry, details: JSON.parse(JSON.stringify(details)) as Record<string, unknown>, ...(advice !== undefined && { advice }) };
  }
  return { code: 'rebuild.defect', kind: 'internal', message: `A rebuild thread failed: ${messageOf(error)}` };
}

if (parentPort && workerData) {
  const port = parentPort;
  work(workerData as WorkerSetup, (message) => port.postMessage(message)).catch((error: unknown) => {
    port.postMessage({ type: 'failed', error: partsOf(error) } satisfies WorkerMessage);
  });
}
