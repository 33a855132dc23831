import { createRequire } from 'node:module';
import { encodeBatch } from '../batch-encoding.js';
import { Fetching, reading } from '../fetching.js';
import type { FetchAnswer } from '../fetch.js';
import type { Session } from '../session.js';

const inner = createRequire(import.meta.url);
interface WorkerQueue {
  push(...batches: number[]): Promise<void>;
}
const createWorker = inner('kafkajs/src/consumer/worker') as (options: { handler: (batch: number) => Promise<void>; workerId: number }) => object;
const createWorkerQueue = inner('kafkajs/src/consumer/workerQueue') as (options: { workers: object[] }) => WorkerQueue;

/** A session whose only broker answers the first fetch with one record in each of three partitions, and no other. */
function answering(): Session {
  const answers = [0, 1, 2].map((partition): FetchAnswer => {
    const data = encodeBatch([{ key: Buffer.from('k'), value: Buffer.from(String(partition)) }], 0);
    return { topicId: 'i', partition, errorCode: 0, end: 1, start: 0, aborted: [], data };
  });
  let asked = 0;
  return {
    look: async () => ({ brokers: [], controller: 1, topics: [{ name: 't', id: 'i', errorCode: 0, partitions: [0, 1, 2].map((partition) => ({ partition, errorCode: 0, leader: 1 })) }] }),
    ask: async () => (asked++ === 0 ? answers : new Promise(() => undefined)),
    close: () => undefined,
  } as unknown as Session;
}

/** Delivers the three; the assignment ends while the first `ends` of them are being taken over. */
async function delivered(ends: number): Promise<number[]> {
  const over = new AbortController();
  const seen: number[] = [];
  await new Fetching(answering(), [0, 1, 2].map((partition) => reading({ topic: 't', partition, offset: 0 }, 1)), {
    waitMs: 1,
    bytesPerPartition: 1,
    ahead: false,
    deliver: ({ partition }) => {
      seen.push(partition);
      if (seen.length === ends) over.abort();
    },
    outOfRange: () => undefined,
    failed: (error) => {
      throw error;
    },
  }).run(over.signal);
  return seen;
}

describe('C5 batches that are queued when the assignment ends', () => {
  it('C5: are not delivered by ours: the fetch loop ends with the assignment that it was made for', async () => {
    expect(await delivered(1)).toEqual([0]);
  });

  it('C5: control: all three are delivered while the assignment lasts', async () => {
    expect(await delivered(99)).toEqual([0, 1, 2]);
  });

  it('C5: control: kafkajs alone runs them all, although the first one was told of the rebalance', async () => {
    const ran: number[] = [];
    const handler = async (batch: number) => {
      ran.push(batch);
      if (batch === 0) throw Object.assign(new Error('The group is rebalancing'), { type: 'REBALANCE_IN_PROGRESS' });
    };
    await expect(createWorkerQueue({ workers: [createWorker({ handler, workerId: 0 })] }).push(0, 1, 2)).rejects.toThrow(/rebalancing/);
    expect(ran).toEqual([0, 1, 2]);
  });
});
