import { isUtf8 } from 'node:buffer';
import avro from 'avsc';
import type { Type } from 'avsc';
import { LONGEST_INT_BYTES, LONGEST_LONG_BYTES, exactLong } from './cursor.js';
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
    if (tap.pos - start > LONGEST_LONG_BYTES) throw undecodable('malformed', `a number in it has more than ${LONGEST_LONG_BYTES} bytes`);
    if (read > -EXACT && read < EXACT) return read;
    const exact = exactLong(tap.buf, start);
    if (exact === undefined) throw undecodable('long-range', 'a number in it is beyond 2^53');
    return exact;
  }

  _write(tap: Tap, value: number): void {
    if (value > -EXACT) return tap.writeLong(value);
    let zigzag = BigInt(value) * -2n - 1n;
    for (; zigzag > 0x7fn; zigzag >>= 7n) tap.buf[tap.pos++] = Number(zigzag & 0x7fn) | 0x80;
    tap.buf[tap.pos++] = Number(zigzag);
  }
}

/** An int that is refused beyond 32 bits, where avsc gives any number up to 2^53. */
class CheckedInt extends avro.types.IntType {
  _read(tap: Tap): number {
    const start = tap.pos;
    const read = tap.readLong();
    if (tap.pos - start > LONGEST_INT_BYTES) throw undecodable('malformed', `a number in it has more than ${LONGEST_INT_BYTES} bytes`);
    if (read !== (read | 0)) throw undecodable('int-range', 'an int in it has more than 32 bits');
    return read;
  }
}

/** A boolean that is refused unless it is 0 or 1, where avsc takes any other byte for true. */
class CheckedBoolean extends avro.types.BooleanType {
  _read(tap: Tap): boolean {
    const byte = tap.buf[tap.pos++];
    if (byte !== undefined && byte > 1) throw undecodable('boolean', `a boolean in it is ${byte}, not 0 or 1`);
    return byte === 1;
  }
}

/** The avsc type of what this library reads and writes: booleans, numbers and strings are checked, records are plain, unions are not wrapped. */
export function checkedType(schema: object): Type {
  return typeFor(schema, { omitRecordMethods: true, wrapUnions: 'never' });
}

/** The avsc type of what somebody else wrote: checked as well, since avsc reads an int into a long with the writer's type; its unions may be any. */
export function writtenType(schema: object): Type {
  return typeFor(schema, {});
}

function typeFor(schema: object, options: { omitRecordMethods?: boolean; wrapUnions?: 'never' }): Type {
  const registry = { string: new CheckedString(), long: new CheckedLong(), int: new CheckedInt(), boolean: new CheckedBoolean() };
  return avro.Type.forSchema(byName(schema) as never, { registry, ...options });
}

const CHECKED = new Set<unknown>(['string', 'long', 'int', 'boolean']);

/** `{"type": "long", ...}` as `"long"`: avsc looks into its registry only for types that are written by name (mtth/avsc#485). */
function byName(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(byName);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { type, name } = schema as { type?: unknown; name?: unknown };
  if (name === undefined && CHECKED.has(type)) return type;
  return Object.fromEntries(Object.entries(schema).map(([key, part]) => [key, key === 'default' ? part : byName(part)]));
}
