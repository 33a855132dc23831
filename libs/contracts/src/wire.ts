import { FactlineError } from 'factline/kernel';

/*
 * Confluent wire format, with `meta` first in every record:
 *   0      0x00
 *   1..4   schema id, big-endian
 *   5..20  meta.id
 *   21..   meta.sequence, zig-zag variable-length integer (0 = one byte until published)
 */
export const RECORD_OFFSET = 5;
export const SEQUENCE_OFFSET = 21;
const SHORTEST_VALUE_BYTES = 22;

/** Why bytes are refused. Stable: scripts and dead letters hold these words. */
export type UndecodableReason =
  /** There is no value. */
  | 'null'
  /** Too few bytes for a fact. */
  | 'short'
  /** The first byte is not 0. */
  | 'magic'
  /** More bytes than DECODE_MAX_BYTES. */
  | 'too-large'
  | 'empty-key'
  /** A text, a map key or the record's key is not UTF-8. */
  | 'invalid-utf8'
  /** The bytes end inside the value. */
  | 'truncated'
  /** Bytes follow the value. */
  | 'trailing'
  /** A long beyond 2^53 - 1. */
  | 'long-range'
  /** An int beyond 32 bits. */
  | 'int-range'
  /** A boolean that is neither 0 nor 1. */
  | 'boolean'
  /** A union's branch that the schema does not have. */
  | 'union-branch'
  /** An enum's symbol that the schema does not have. */
  | 'enum-symbol'
  /** The length of a text, of bytes or of a block is below zero. */
  | 'negative-length'
  /** A map has the key `__proto__`. */
  | 'map-key'
  /** Nested more than DECODE_MAX_DEPTH. */
  | 'too-deep'
  /** More than DECODE_MAX_ITEMS, announced or held. */
  | 'too-many-items'
  /** Anything else: a number of more bytes than its type has, a block that is not as long as it says. */
  | 'malformed';

/** `fact.undecodable`: `details.reason` is an {@link UndecodableReason}. The bytes stay what they are, so a retry cannot help. */
export function undecodable(reason: UndecodableReason, what: string, details: Record<string, unknown> = {}, cause?: unknown): FactlineError {
  return new FactlineError({
    code: 'fact.undecodable',
    kind: 'invalid',
    message: `The record is not a fact: ${what}.`,
    advice: 'Find who wrote it; the record stays in the log, where it is.',
    details: { reason, ...details },
    cause,
  });
}

/** The writer's schema id. @throws FactlineError `fact.undecodable` when the value cannot be a fact (null, shorter than 22 bytes, other first byte). */
export function schemaIdOf(value: Uint8Array | null): number {
  const bytes = checked(value);
  return ((bytes[1]! << 24) | (bytes[2]! << 16) | (bytes[3]! << 8) | bytes[4]!) >>> 0;
}

/** The fact id, 16 bytes that share the value's memory. @throws FactlineError `fact.undecodable` as {@link schemaIdOf}. */
export function factIdOf(value: Uint8Array | null): Uint8Array {
  return checked(value).subarray(RECORD_OFFSET, SEQUENCE_OFFSET);
}

/** The sequence within (topic, key); 0 before publication. @throws FactlineError `fact.undecodable` as {@link schemaIdOf}, and for a damaged number. */
export function sequenceOf(value: Uint8Array | null): number {
  const bytes = checked(value);
  let zigzag = 0;
  let scale = 1;
  for (let at = SEQUENCE_OFFSET; ; at++) {
    const byte = bytes[at];
    if (byte === undefined) throw undecodable('truncated', 'it ends inside the sequence');
    zigzag += (byte & 0x7f) * scale;
    if (zigzag > 2 * Number.MAX_SAFE_INTEGER) throw undecodable('long-range', 'the sequence is beyond 2^53');
    if (byte < 0x80) break;
    scale *= 128;
    if (at - SEQUENCE_OFFSET >= 9) throw undecodable('malformed', 'the sequence has more than ten bytes');
  }
  if (zigzag % 2 === 1) throw undecodable('malformed', 'the sequence is negative');
  return zigzag / 2;
}

/**
 * The value with its real sequence: the one byte 0 at offset 21 becomes the number, everything else is copied.
 * @throws FactlineError `fact.sequence` (internal) when the number is not 1 or more, or the value is numbered already.
 */
export function withSequence(value: Buffer, sequence: number): Buffer {
  if (!(sequence >= 1 && Number.isSafeInteger(sequence)) || value[SEQUENCE_OFFSET] !== 0) throw notNumberable(sequence);
  let bytes = 1;
  for (let rest = sequence; rest >= 64; rest = Math.floor(rest / 128)) bytes++; // zig-zag: the first byte holds 6 bits of the number
  const out = Buffer.allocUnsafe(value.length + bytes - 1);
  value.copy(out, 0, 0, SEQUENCE_OFFSET);
  let rest = sequence;
  let at = SEQUENCE_OFFSET;
  let low = (rest % 64) * 2;
  rest = Math.floor(rest / 64);
  while (rest > 0) {
    out[at++] = low | 0x80;
    low = rest % 128;
    rest = Math.floor(rest / 128);
  }
  out[at++] = low;
  value.copy(out, at, SEQUENCE_OFFSET + 1);
  return out;
}

function checked(value: Uint8Array | null): Uint8Array {
  if (value === null) throw undecodable('null', 'it has no value');
  if (value.length < SHORTEST_VALUE_BYTES) throw undecodable('short', `its value has ${value.length} bytes, the shortest fact ${SHORTEST_VALUE_BYTES}`);
  if (value[0] !== 0) throw undecodable('magic', `its first byte is ${value[0]}, not 0`);
  return value;
}

function notNumberable(sequence: number): FactlineError {
  return new FactlineError({
    code: 'fact.sequence',
    kind: 'internal',
    message: `Sequence ${sequence} cannot be put into the value: it must be 1 or more, and the value must still hold 0.`,
    advice: 'Number a value once, with the sequence of its outbox row.',
  });
}
