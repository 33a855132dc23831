import type { AbortedTransaction } from './batch-parsing.js';
import type { Exchange } from './exchange.js';
import { Reader, Writer } from './wire.js';

export interface FetchRequest {
  partitions: readonly { topicId: string; partition: number; offset: number }[];
  waitMs: number;
  bytesPerPartition: number;
  bytesInAll: number;
}

export interface FetchAnswer {
  topicId: string;
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

/**
 * Fetch, version 13, without a fetch session; the broker answers when one byte is there or the wait is over. The first version that names topics by their ids
 * (KIP-516): by name, a request that comes after a topic was deleted and created again is answered with what the new one has at that offset, and no error.
 * A flexible version (KIP-482), as Metadata is.
 */
export function fetchRequest({ partitions, waitMs, bytesPerPartition, bytesInAll }: FetchRequest): Exchange<FetchAnswer[]> {
  const body = new Writer();
  body.unsignedVarint(0); // tags of the header
  body.int32(-1).int32(waitMs).int32(1).int32(bytesInAll).int8(READ_COMMITTED).int32(0).int32(-1);
  body.unsignedVarint(partitions.length + 1);
  for (const { topicId, partition, offset } of partitions) {
    body.id(topicId).unsignedVarint(2).int32(partition);
    body.int32(-1).int64(offset).int32(-1).int64(-1).int32(bytesPerPartition); // no leader epoch, none of the last record, no start of a replica's log
    body.unsignedVarint(0).unsignedVarint(0);
  }
  body.unsignedVarint(1).compactString('').unsignedVarint(0); // nothing to forget of a session, no rack
  return { api: 1, version: 13, name: 'Fetch', body: body.buffer, read: readFetched };
}

function readFetched(payload: Buffer): FetchAnswer[] {
  const from = new Reader(payload);
  from.skipTags();
  from.int32(); // throttle time
  const errorCode = from.int16();
  from.int32(); // fetch session
  const topics = from.compactArray(() => {
    const topicId = from.id();
    const partitions = from.compactArray(() => readPartition(from, topicId, errorCode));
    from.skipTags();
    return partitions;
  });
  return topics.flat();
}

function readPartition(from: Reader, topicId: string, errorCodeOfAll: number): FetchAnswer {
  const partition = from.int32();
  const errorCode = from.int16() || errorCodeOfAll;
  from.int64(); // high watermark
  const end = from.int64();
  const start = from.int64();
  const aborted = from.compactArray(() => {
    const transaction = { producerId: from.int64(), firstOffset: from.int64() };
    from.skipTags();
    return transaction;
  });
  from.int32(); // preferred replica: only offered to clients that name a rack
  const length = from.unsignedVarint() - 1;
  const data = length > 0 ? from.bytes(length) : NO_BYTES;
  from.skipTags();
  return { topicId, partition, errorCode, end, start, aborted, data };
}
