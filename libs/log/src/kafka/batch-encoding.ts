import { Buffer } from 'node:buffer';
import { SEND_BYTES_MAX, SEND_RECORDS_MAX } from '../limits.js';
import type { OutgoingRecord } from '../log.js';
import { sendInvalid } from '../failures.js';
import { crc32c } from './crc32c.js';
import { writeInt64 } from './wire.js';

/** Positions in the header of a record batch, version 2 (KIP-98). */
export const BatchField = {
  baseOffset: 0,
  length: 8,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
  records: 61,
} as const;

/** Bytes in front of the part that `length` counts: base offset and length itself. */
export const BATCH_LENGTH_OVERHEAD = 12;

/**
 * One uncompressed record batch, version 2, written into one buffer of exactly the right size behind `reserve` free bytes.
 * Times are all `now`: topics of this product take the broker's time.
 * @throws FactlineError `log.send-invalid` (invalid) for no records, too many, or a record without a key.
 */
export function encodeBatch(records: readonly OutgoingRecord[], now: number, reserve = 0): Buffer {
  if (records.length === 0) throw sendInvalid('A send has no records.', 'Leave the call out.');
  if (records.length > SEND_RECORDS_MAX) throw sendInvalid(`A send has ${records.length} records, more than ${SEND_RECORDS_MAX}.`, 'Split it.');
  const bodies = new Int32Array(records.length);
  let size = BatchField.records;
  for (let i = 0; i < records.length; i++) {
    const body = bodySize(records[i]!, i);
    bodies[i] = body;
    size += varintSize(body) + body;
  }
  if (size > SEND_BYTES_MAX) throw sendInvalid(`A send has ${size} bytes, more than ${SEND_BYTES_MAX}.`, 'Split it.');
  const target = Buffer.allocUnsafe(reserve + size);
  let at = reserve + BatchField.records;
  for (let i = 0; i < records.length; i++) at = writeRecord(target, at, records[i]!, i, bodies[i]!);
  writeHeader(target, reserve, size, records.length, now);
  return target;
}

function writeHeader(target: Buffer, start: number, size: number, count: number, now: number): void {
  writeInt64(target, 0, start + BatchField.baseOffset);
  target.writeInt32BE(size - BATCH_LENGTH_OVERHEAD, start + BatchField.length);
  target.writeInt32BE(-1, start + 12); // leader epoch: the broker's
  target[start + BatchField.magic] = 2;
  target.writeInt16BE(0, start + BatchField.attributes);
  target.writeInt32BE(count - 1, start + BatchField.lastOffsetDelta);
  writeInt64(target, now, start + BatchField.baseTimestamp);
  writeInt64(target, now, start + BatchField.maxTimestamp);
  writeInt64(target, -1, start + BatchField.producerId);
  target.writeInt16BE(-1, start + BatchField.producerEpoch);
  target.writeInt32BE(-1, start + BatchField.baseSequence);
  target.writeInt32BE(count, start + BatchField.recordCount);
  target.writeUInt32BE(crc32c(target, start + BatchField.attributes, start + size), start + BatchField.crc);
}

/** Attributes (1), time difference 0 (1), offset difference, key, value, headers. */
function bodySize(record: OutgoingRecord, index: number): number {
  const { key, value, headers } = record;
  if (key.length === 0) throw sendInvalid(`Record ${index} of a send has an empty key.`, 'Give the id of the entity as the key: facts are in order per key only.');
  let size = 2 + varintSize(index) + varintSize(key.length) + key.length + varintSize(value.length) + value.length;
  if (headers === undefined) return size + 1;
  const names = Object.keys(headers);
  size += varintSize(names.length);
  for (const name of names) {
    const nameSize = Buffer.byteLength(name);
    const header = headers[name]!;
    size += varintSize(nameSize) + nameSize + varintSize(header.length) + header.length;
  }
  return size;
}

function writeRecord(target: Buffer, start: number, record: OutgoingRecord, index: number, body: number): number {
  const { key, value, headers } = record;
  let at = writeVarint(target, start, body);
  target[at++] = 0;
  target[at++] = 0;
  at = writeVarint(target, at, index);
  at = writeVarint(target, at, key.length);
  target.set(key, at);
  at = writeVarint(target, at + key.length, value.length);
  target.set(value, at);
  at += value.length;
  if (headers === undefined) {
    target[at] = 0;
    return at + 1;
  }
  const names = Object.keys(headers);
  at = writeVarint(target, at, names.length);
  for (const name of names) {
    const header = headers[name]!;
    at = writeVarint(target, at, Buffer.byteLength(name));
    at += target.write(name, at);
    at = writeVarint(target, at, header.length);
    target.set(header, at);
    at += header.length;
  }
  return at;
}

/** Zigzag, for lengths only: never negative, below 2^30. */
function varintSize(value: number): number {
  return value < 0x40 ? 1 : value < 0x2000 ? 2 : value < 0x10_0000 ? 3 : value < 0x800_0000 ? 4 : 5;
}

function writeVarint(target: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = (value << 1) >>> 0;
  while (rest > 0x7f) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}
