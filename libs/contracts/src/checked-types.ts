import { isUtf8 } from 'node:buffer';
import avro from 'avsc';
import type { Type } from 'avsc';
import { undecodable } from './wire.js';

/** The part of avsc's reader these types use. It is not in avsc's documentation; the exact version is pinned in package.json and codec.unit.spec.ts covers each use. */
interface Tap {
  buf: Buffer;
  pos: number;
  readLong(): number;
  readString(): string | undefined;
  writeLong(value: number): void;
}

/**
 * A string that refuses invalid UTF-8, which avsc would silently replace by U+FFFD. Only text that came out with a U+FFFD is looked at again;
 * V8 answers that question for ASCII without reading the text, since a one-byte string cannot hold the character.
 */
class CheckedString extends avro.types.StringType {
  _read(tap: Tap): string | undefined {
    const start = tap.pos;
    const read = tap.readString();
    if (read?.includes('\ufffd')) {
      const again = { ...tap, pos: start, readLong: tap.readLong } as Tap;
      again.readLong();
      if (!isUtf8(tap.buf.subarray(again.pos, tap.pos))) throw undecodable('invalid-utf8', 'a text in it is not UTF-8');
    }
    return read;
  }
}

const LONGEST_NUMBER_BYTES = 10; // 64 bits in groups of 7

/** Up to here the zig-zag form of a number, twice its size, is exact as a double too. */
const EXACT = 2 ** 52;

/**
 * A long that is exact for every safe integer and refused, with a reason code, beyond. avsc's own arithmetic works on the zig-zag form as a double:
 * it writes -4503599627370497 so that it reads back as +4503599627370496, without an error.
 */
class CheckedLong extends avro.types.LongType {
  _read(tap: Tap): number {
    const start = tap.pos;
    const read = tap.readLong();
    return read > -EXACT && read < EXACT ? read : exactly(tap.buf, start);
  }

  _write(tap: Tap, value: number): void {
    if (value > -EXACT) return tap.writeLong(value);
    let zigzag = BigInt(value) * -2n - 1n;
    for (; zigzag > 0x7fn; zigzag >>= 7n) tap.buf[tap.pos++] = Number(zigzag & 0x7fn) | 0x80;
    tap.buf[tap.pos++] = Number(zigzag);
  }
}

function exactly(bytes: Buffer, start: number): number {
  let zigzag = 0n;
  for (let at = start, shift = 0n; at - start < LONGEST_NUMBER_BYTES; at++, shift += 7n) {
    const byte = bytes[at] ?? 0;
    zigzag |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  const value = zigzag & 1n ? -(zigzag >> 1n) - 1n : zigzag >> 1n;
  if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) throw undecodable('long-range', 'a number in it is beyond 2^53');
  return Number(value);
}

/** The avsc type of what this library reads and writes: strings and longs are checked, records are plain, unions are not wrapped. */
export function checkedType(schema: object): Type {
  const registry = { string: new CheckedString(), long: new CheckedLong() };
  return avro.Type.forSchema(byName(schema) as never, { registry, omitRecordMethods: true, wrapUnions: 'never' });
}

/** `{"type": "long", ...}` as `"long"`: avsc looks into its registry only for types that are written by name (mtth/avsc#485). */
function byName(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(byName);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { type, name } = schema as { type?: unknown; name?: unknown };
  if (name === undefined && (type === 'string' || type === 'long')) return type;
  return Object.fromEntries(Object.entries(schema).map(([key, part]) => [key, key === 'default' ? part : byName(part)]));
}
