import { HEADERS_PER_RECORD_MAX } from '../limits.js';
import type { LogRecord } from '../log.js';
import { unreadable } from './errors.js';

export interface BatchFrame {
  count: number;
  baseOffset: number;
  baseTimestamp: number;
  /** The time of all records when the broker sets it, else -1. */
  appendTime: number;
  from: number;
  to: number;
  into: LogRecord[];
}

const NO_BYTES = Buffer.alloc(0);

/**
 * The hot loop: about 0.5 us a record without headers, the fetch included. The cursor is a variable of the module because a varint must return both its value and its
 * length; one-byte varints, nearly all there are, are read in place. Reads past the end give `undefined`, which no comparison below lets through.
 */
let cursor = 0;

export function parseRecords(data: Buffer, start: number, end: number, frame: BatchFrame): void {
  const { baseOffset, baseTimestamp, appendTime, from, to, into } = frame;
  cursor = start;
  for (let left = frame.count; left > 0; left--) {
    const size = varint(data);
    const recordEnd = cursor + size;
    if (!(size > 0 && recordEnd <= end)) throw unreadable(`a record of ${size} bytes does not fit`);
    cursor += 1; // attributes, unused
    const timestamp = appendTime >= 0 ? (varint(data), appendTime) : baseTimestamp + varint(data);
    const offset = baseOffset + varint(data);
    if (offset < from || offset >= to) {
      cursor = recordEnd;
      continue;
    }
    const key = bytes(data, recordEnd) ?? NO_BYTES;
    const value = bytes(data, recordEnd);
    const headerCount = varint(data);
    const headers = headerCount === 0 ? undefined : readHeaders(data, recordEnd, headerCount);
    if (cursor !== recordEnd) throw unreadable(`the record at offset ${offset} is not as long as it says`);
    into.push({ offset, key, value, timestamp, headers } as LogRecord);
  }
  if (cursor !== end) throw unreadable(`${end - cursor} bytes are left behind its last record`);
}

function bytes(data: Buffer, recordEnd: number): Buffer | null {
  const length = varint(data);
  if (length < 0) return null;
  const at = cursor;
  if (!(at + length <= recordEnd)) throw unreadable(`a field of ${length} bytes does not fit into its record`);
  cursor = at + length;
  return data.subarray(at, cursor);
}

function readHeaders(data: Buffer, recordEnd: number, count: number): Record<string, Buffer> {
  if (!(count > 0 && count <= HEADERS_PER_RECORD_MAX)) throw unreadable(`a record has ${count} headers`);
  const headers: Record<string, Buffer> = Object.create(null) as Record<string, Buffer>;
  for (let i = 0; i < count; i++) {
    const name = bytes(data, recordEnd)?.toString('utf8') ?? '';
    headers[name] = bytes(data, recordEnd) ?? NO_BYTES;
  }
  return headers;
}

/** A zigzag varint of up to 64 bits, exact to 2^53. */
function varint(data: Buffer): number {
  const first = data[cursor++]!;
  if (first < 0x80) return (first >>> 1) ^ -(first & 1);
  const second = data[cursor++]!;
  if (second < 0x80) {
    const raw = (first & 0x7f) | (second << 7);
    return (raw >>> 1) ^ -(raw & 1);
  }
  return longVarint(data, (first & 0x7f) | ((second & 0x7f) << 7));
}

function longVarint(data: Buffer, lowBits: number): number {
  let raw = lowBits;
  for (let shift = 14; shift < 70; shift += 7) {
    const byte = data[cursor++];
    if (byte === undefined) throw unreadable('a number ends early');
    raw += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return raw % 2 === 1 ? -(raw + 1) / 2 : raw / 2;
  }
  throw unreadable('a number is longer than 10 bytes');
}
