import type { Exchange } from './exchange.js';
import { Reader, Writer } from './wire.js';

const READ_COMMITTED = 1;
export const EARLIEST = -2;
/** With read-committed isolation: the last stable offset, behind which a transaction may still be open. */
export const LATEST = -1;

/** The answer where no record is as young as was asked. */
export const NO_OFFSET = -1;

export interface OffsetAnswer {
  topic: string;
  partition: number;
  errorCode: number;
  offset: number;
}

/** ListOffsets, version 2: one offset per partition, read-committed; `which` is EARLIEST, LATEST or a time in ms, which is answered with -1 where no record is as young. */
export function offsetsRequest(partitions: readonly { topic: string; partition: number }[], which: number): Exchange<OffsetAnswer[]> {
  const body = new Writer();
  body.int32(-1).int8(READ_COMMITTED);
  body.int32(partitions.length);
  for (const { topic, partition } of partitions) body.string(topic).int32(1).int32(partition).int64(which);
  return { api: 2, version: 2, name: 'ListOffsets', body: body.buffer, read: readOffsets };
}

function readOffsets(payload: Buffer): OffsetAnswer[] {
  const from = new Reader(payload);
  from.int32(); // throttle time
  const topics = from.array(() => {
    const topic = from.string() ?? '';
    return from.array(() => {
      const partition = from.int32();
      const errorCode = from.int16();
      from.int64(); // timestamp
      return { topic, partition, errorCode, offset: from.int64() };
    });
  });
  return topics.flat();
}
