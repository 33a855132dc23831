import { UNPACKED_BATCH_BYTES_MAX } from '../limits.js';
import type { LogRecord } from '../log.js';
import { BATCH_LENGTH_OVERHEAD, BatchField } from './batch-encoding.js';
import { unpack } from './codecs.js';
import { crc32c } from './crc32c.js';
import { unreadable } from './errors.js';
import { parseRecords } from './record-parsing.js';
import { readInt64 } from './wire.js';

export interface AbortedTransaction {
  producerId: number;
  firstOffset: number;
}

export interface ParsedBatches {
  records: LogRecord[];
  /** Behind everything that was covered: control records, aborted ones and holes of compaction included. */
  nextOffset: number;
}

const CODEC = 0x07;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

/** The offset behind the last whole batch, by its headers only; `from` when there is none. */
export function offsetBehind(data: Buffer, from: number): number {
  let next = from;
  for (let at = 0, size = 0; (size = batchSize(data, at)) > 0; at += size) next = lastOffset(data, at) + 1;
  return Math.max(next, from);
}

/**
 * Reads record batches (version 2) of one partition as fetched with read-committed isolation: records from `from` to below `to`, without control
 * records and without records of aborted transactions (the algorithm of Java's CompletedFetch). Keys and values are views of `data`, so holding one
 * record keeps the whole answer in memory. A batch that is cut off at the end of `data` is left for the next fetch.
 * @throws FactlineError `log.batch-unreadable` (integrity) for a wrong checksum, an old message format, or lengths that do not fit.
 */
export function parseBatches(data: Buffer, from: number, to: number, aborted: readonly AbortedTransaction[]): ParsedBatches {
  const records: LogRecord[] = [];
  const abortedNow = new Set<number>();
  const abortedLater = aborted.length > 1 ? aborted.toSorted((a, b) => a.firstOffset - b.firstOffset) : aborted;
  let abortedSeen = 0;
  let nextOffset = from;
  for (let at = 0, size = 0; (size = batchSize(data, at)) > 0; at += size) {
    const last = lastOffset(data, at);
    const attributes = data.readInt16BE(at + BatchField.attributes);
    const producerId = attributes & TRANSACTIONAL ? readInt64(data, at + BatchField.producerId) : -1;
    while (abortedSeen < abortedLater.length && abortedLater[abortedSeen]!.firstOffset <= last) abortedNow.add(abortedLater[abortedSeen++]!.producerId);
    if (attributes & CONTROL) abortedNow.delete(producerId);
    if (last < from) continue;
    if (readInt64(data, at + BatchField.baseOffset) >= to) {
      nextOffset = to;
      break;
    }
    checkSum(data, at, size);
    nextOffset = Math.min(last + 1, to);
    if (attributes & CONTROL) continue;
    if (attributes & TRANSACTIONAL && abortedNow.has(producerId)) continue;
    readBatch(data, at, size, attributes, from, to, records);
  }
  return { records, nextOffset };
}

function readBatch(data: Buffer, at: number, size: number, attributes: number, from: number, to: number, into: LogRecord[]): void {
  const codec = attributes & CODEC;
  const plain = codec === 0 ? data : unpack(codec, data.subarray(at + BatchField.records, at + size), UNPACKED_BATCH_BYTES_MAX);
  parseRecords(plain, codec === 0 ? at + BatchField.records : 0, codec === 0 ? at + size : plain.length, {
    count: data.readInt32BE(at + BatchField.recordCount),
    baseOffset: readInt64(data, at + BatchField.baseOffset),
    baseTimestamp: readInt64(data, at + BatchField.baseTimestamp),
    appendTime: attributes & LOG_APPEND_TIME ? readInt64(data, at + BatchField.maxTimestamp) : -1,
    from,
    to,
    into,
  });
}

/** The size of the batch at `at`, 0 when it is cut off or nothing is left. */
function batchSize(data: Buffer, at: number): number {
  if (at + BatchField.records > data.length) {
    // the old formats have shorter headers: they must be refused, not taken for a batch that is cut off
    if (at + BatchField.magic < data.length) requireFormat(data, at);
    return 0;
  }
  requireFormat(data, at);
  const length = data.readInt32BE(at + BatchField.length);
  if (length < BatchField.records - BATCH_LENGTH_OVERHEAD) throw unreadable(`its length is ${length} bytes`);
  const size = length + BATCH_LENGTH_OVERHEAD;
  return at + size > data.length ? 0 : size;
}

function requireFormat(data: Buffer, at: number): void {
  const magic = data[at + BatchField.magic]!;
  if (magic !== 2) throw unreadable(`its format is version ${magic}, and only version 2 (Kafka 0.11 and later) is read`);
}

function lastOffset(data: Buffer, at: number): number {
  const delta = data.readInt32BE(at + BatchField.lastOffsetDelta);
  if (delta < 0) throw unreadable(`its last offset is ${delta} behind its first`);
  return readInt64(data, at + BatchField.baseOffset) + delta;
}

function checkSum(data: Buffer, at: number, size: number): void {
  const stated = data.readUInt32BE(at + BatchField.crc);
  if (crc32c(data, at + BatchField.attributes, at + size) !== stated) throw unreadable('its checksum is wrong');
}
