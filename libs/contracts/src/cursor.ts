import { isUtf8 } from 'node:buffer';
import type { FactlineError } from 'factline/kernel';
import { DECODE_MAX_DEPTH, DECODE_MAX_ITEMS } from './limits.js';
import type { UndecodableReason } from './wire.js';

/** Makes the error that is thrown for bytes that are refused; `what` goes on after "it". */
export type Refuse = (reason: UndecodableReason, what: string) => FactlineError;

/** 64 and 32 bits in groups of 7. */
export const LONGEST_LONG_BYTES = 10;
export const LONGEST_INT_BYTES = 5;
const PROTOTYPE = Buffer.from('__proto__');

/** Up to here the zig-zag form of a number, twice its size, is exact as a double too. */
const EXACT = 2 ** 52;

/** A place in Avro binary data that is trusted with nothing: each step is checked before it is taken, and what it announces is counted. */
export class Cursor {
  readonly bytes: Buffer;
  #depth = 0;
  #items = 0;

  constructor(
    bytes: Uint8Array,
    public at: number,
    readonly refuse: Refuse,
  ) {
    this.bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** A zig-zag number; exact up to 2^52, which is more than any count or length may be. Padded forms are numbers too, as in Avro's Java reader. */
  number(longest = LONGEST_LONG_BYTES): number {
    const first = this.bytes[this.at];
    if (first !== undefined && first < 0x80) {
      this.at++;
      return (first >> 1) ^ -(first & 1); // most numbers are short
    }
    return this.#severalBytes(longest);
  }

  #severalBytes(longest: number): number {
    let zigzag = 0;
    let scale = 1;
    for (let count = 0; count < longest; count++) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw this.refuse('truncated', 'it ends inside a number');
      zigzag += (byte & 0x7f) * scale;
      if (byte < 0x80) return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
      scale *= 128;
    }
    throw this.refuse('malformed', `a number in it has more than ${longest} bytes`);
  }

  int(): number {
    const value = this.number(LONGEST_INT_BYTES);
    if (value !== (value | 0)) throw this.refuse('int-range', 'an int in it has more than 32 bits');
    return value;
  }

  long(): number {
    const start = this.at;
    const value = this.number();
    if (value > -EXACT && value < EXACT) return value;
    const exact = exactLong(this.bytes, start);
    if (exact === undefined) throw this.refuse('long-range', 'a number in it is beyond 2^53');
    return exact;
  }

  boolean(): boolean {
    const start = this.at;
    this.skip(1);
    if (this.bytes[start]! > 1) throw this.refuse('boolean', `a boolean in it is ${this.bytes[start]!}, not 0 or 1`);
    return this.bytes[start] === 1;
  }

  /** What the number of a union's branch or an enum's symbol stands for. */
  choice<T>(from: readonly T[], reason: 'union-branch' | 'enum-symbol', what: string): T {
    const index = this.number(LONGEST_INT_BYTES);
    if (index < 0 || index >= from.length) throw this.refuse(reason, `${what} that does not exist: ${index} of ${from.length}`);
    return from[index]!;
  }

  skip(bytes: number): void {
    if (bytes < 0) throw this.refuse('negative-length', 'a length in it is negative');
    if (bytes > this.bytes.length - this.at) throw this.refuse('truncated', 'it ends inside a field');
    this.at += bytes;
  }

  /** The next bytes; they share the memory of the whole. */
  take(bytes: number): Buffer {
    const start = this.at;
    this.skip(bytes);
    return this.bytes.subarray(start, this.at);
  }

  text(): Buffer {
    const text = this.take(this.number());
    if (!isUtf8(text)) throw this.refuse('invalid-utf8', 'a text in it is not UTF-8');
    return text;
  }

  key(): Buffer {
    const key = this.take(this.number());
    if (!isUtf8(key)) throw this.refuse('invalid-utf8', 'a map key in it is not UTF-8');
    if (key.length === PROTOTYPE.length && key.equals(PROTOTYPE)) throw this.refuse('map-key', "a map in it has the key '__proto__'");
    return key;
  }

  /** Calls `element` for each element of an array or map, block by block. */
  blocks(element: (cursor: Cursor) => void): void {
    this.enter();
    for (;;) {
      const announced = this.number();
      if (announced === 0) break;
      const count = Math.abs(announced);
      const end = announced < 0 ? this.#blockEnd() : undefined;
      this.spend(count);
      for (let i = 0; i < count; i++) element(this);
      if (end !== undefined && this.at !== end) throw this.refuse('malformed', 'a block in it is not as long as it says');
    }
    this.leave();
  }

  #blockEnd(): number {
    const size = this.number();
    if (size < 0) throw this.refuse('negative-length', 'a block size in it is negative');
    return this.at + size;
  }

  /** Counts what may take no byte of its own, before it is read. */
  spend(items: number): void {
    this.#items += items;
    if (this.#items > DECODE_MAX_ITEMS) throw this.refuse('too-many-items', `it holds more than ${DECODE_MAX_ITEMS} array and map elements, nulls and inner records`);
  }

  enter(): void {
    if (++this.#depth > DECODE_MAX_DEPTH) throw this.refuse('too-deep', `it is nested more than ${DECODE_MAX_DEPTH} deep`);
  }

  leave(): void {
    this.#depth--;
  }

  /** Refuses what follows the end. */
  end(): void {
    if (this.at !== this.bytes.length) throw this.refuse('trailing', `${this.bytes.length - this.at} bytes follow its end`);
  }
}

/** The number that starts there, computed without rounding; undefined beyond 2^53, where a double cannot hold each integer. */
export function exactLong(bytes: Uint8Array, start: number): number | undefined {
  let zigzag = 0n;
  for (let at = start, shift = 0n; at - start < LONGEST_LONG_BYTES; at++, shift += 7n) {
    const byte = bytes[at] ?? 0;
    zigzag |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  const value = zigzag & 1n ? -(zigzag >> 1n) - 1n : zigzag >> 1n;
  return value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER ? undefined : Number(value);
}
