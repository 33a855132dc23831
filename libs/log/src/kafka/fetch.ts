import type { AbortedTransaction } from './batch-parsing.js';
import type { Exchange } from './exchange.js';
import { Reader, Writer } from './wire.js';

export interface FetchRequest {
  partitions: readonly { topic: string; partition: number; offset: number }[];
  waitMs: number;
  bytesPerPartition: number;
  bytesInAll: number;
}

export interface FetchAnswer {
  topic: string;
  partition: number;
  errorCode: number;
  /** Last stable offset: what read-committed readers may see. */
  end: number;
  /** First offset still kept. */
  start: number;
  aborted: AbortedTransaction[];
  /** Whole and cut-off record batches, a view of the answer. */
  data: Buffer;
}

const READ_COMMITTED = 1;
const NO_BYTES = Buffer.alloc(0);

/** Fetch, version 11, without a fetch session; the broker answers when one byte is there or the wait is over. */
export function fetchRequest({ partitions, waitMs, bytesPerPartition, bytesInAll }: FetchRequest): Exchange<FetchAnswer[]> {
  const body = new Writer();
  body.int32(-1).int32(waitMs).int32(1).int32(bytesInAll).int8(READ_COMMITTED).int32(0).int32(-1);
  body.int32(partitions.length);
  for (const { topic, partition, offset } of partitions) {
    body.string(topic).int32(1).int32(partition).int32(-1).int64(offset).int64(-1).int32(bytesPerPartition);
  }
  body.int32(0).string('');
  return { api: 1, version: 11, name: 'Fetch', body: body.buffer, read: readFetched };
}

function readFetched(payload: Buffer): FetchAnswer[] {
  const from = new Reader(payload);
  from.int32(); // throttle time
  const errorCode = from.int16();
  from.int32(); // fetch session
  const topics = from.array(() => {
    const topic = from.string() ?? '';
    return from.array(() => readPartition(from, topic, errorCode));
  });
  return topics.flat();
}

function readPartition(from: Reader, topic: string, errorCodeOfAll: number): FetchAnswer {
  const partition = from.int32();
  const errorCode = from.int16() || errorCodeOfAll;
  from.int64(); // high watermark
  const end = from.int64();
  const start = from.int64();
  const aborted = from.array(() => ({ producerId: from.int64(), firstOffset: from.int64() }));
  from.int32(); // preferred replica: only offered to clients that name a rack
  const length = from.int32();
  return { topic, partition, errorCode, end, start, aborted, data: length > 0 ? from.bytes(length) : NO_BYTES };
}
