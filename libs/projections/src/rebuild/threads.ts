import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { FactlineError } from 'factline/kernel';
import { REBUILD_THREADS, THREAD_YOUNG_MB } from '../limits.js';
import type { PartitionProgress, PartitionTask } from './partition.js';
import type { WorkerMessage, WorkerSetup } from './worker.js';

/** Folds partitions on several threads, the largest first; each thread has its own connections and takes the next partition when it is free. */
export async function foldOnThreads(
  setup: WorkerSetup,
  tasks: readonly PartitionTask[],
  progress: (progress: PartitionProgress) => void,
  abort?: AbortSignal,
): Promise<number> {
  abort?.throwIfAborted();
  const waiting = tasks.toSorted((a, b) => b.end - a.end);
  const count = threadCount(waiting.length);
  const workers: Worker[] = [];
  try {
    const rows = await Promise.all(Array.from({ length: count }, () => runWorker(setup, waiting, workers, progress, abort)));
    return rows.reduce((sum, each) => sum + each, 0);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** One thread per core, never more than partitions. */
export function threadCount(partitions: number): number {
  return Math.min(partitions, REBUILD_THREADS, availableParallelism());
}

function runWorker(
  setup: WorkerSetup,
  waiting: PartitionTask[],
  workers: Worker[],
  progress: (progress: PartitionProgress) => void,
  abort?: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: setup, resourceLimits: { maxYoungGenerationSizeMb: THREAD_YOUNG_MB } });
    workers.push(worker);
    const cancel = () => reject(abort?.reason as Error);
    abort?.addEventListener('abort', cancel, { once: true });
    worker.on('message', (message: WorkerMessage) => {
      if (message.type === 'progress') progress(message.progress);
      else if (message.type === 'failed') reject(new FactlineError(message.error));
      else if (message.type === 'finished') resolve(message.rows);
      else worker.postMessage(waiting.shift() ?? 'finish');
    });
    worker.on('error', reject);
    worker.on('exit', (code) => reject(died(code)));
  });
}

function died(code: number): FactlineError {
  return new FactlineError({
    code: 'rebuild.thread-died',
    kind: 'internal',
    message: `A rebuild thread ended unexpectedly (exit code ${code}).`,
    advice: 'Run the same command again: finished partitions are kept.',
  });
}
