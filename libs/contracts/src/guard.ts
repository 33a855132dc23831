import { isUtf8 } from 'node:buffer';
import type { Type, types } from 'avsc';
import { DECODE_MAX_DEPTH, DECODE_MAX_ITEMS } from './limits.js';
import { undecodable } from './wire.js';

/** Walks the bytes of one value without building anything. */
type Walk = (cursor: Cursor) => void;

class Cursor {
  depth = 0;
  items = 0;
  constructor(
    readonly bytes: Uint8Array,
    public at: number,
  ) {}

  /** A zig-zag number; exact up to 2^53, which is more than any count or length may be. */
  number(): number {
    let zigzag = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw undecodable('truncated', 'it ends inside a number');
      zigzag += (byte & 0x7f) * scale;
      if (byte < 0x80) return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
      scale *= 128;
    }
    throw undecodable('malformed', 'a number in it has more than ten bytes');
  }

  skip(bytes: number): void {
    if (bytes < 0) throw undecodable('malformed', 'a length in it is negative');
    this.at += bytes;
    if (this.at > this.bytes.length) throw undecodable('truncated', 'it ends inside a field');
  }

  /** Elements of one block of an array or map, and where the block must end when it says so itself. */
  block(): { count: number; end: number } {
    const count = this.number();
    const size = count < 0 ? this.number() : 0;
    if (size < 0) throw undecodable('malformed', 'a block size in it is negative');
    this.items += Math.abs(count);
    if (this.items > DECODE_MAX_ITEMS) throw undecodable('too-many-items', `it announces more than ${DECODE_MAX_ITEMS} array and map elements`);
    return { count: Math.abs(count), end: count < 0 ? this.at + size : -1 };
  }

  enter(): void {
    if (++this.depth > DECODE_MAX_DEPTH) throw undecodable('too-deep', `it is nested more than ${DECODE_MAX_DEPTH} deep`);
  }
}

/**
 * Compiles a writer schema into a check that a value keeps the limits, before avsc builds anything from it: five bytes that announce
 * 20 million nulls cost avsc 164 MB, and a block that jumps backwards never ends.
 * Undefined for schemas without arrays, maps and recursion: those cannot take more memory than their bytes.
 */
export function compileGuard(writer: Type): ((value: Uint8Array, offset: number) => void) | undefined {
  const compiler = new Compiler();
  const walk = compiler.walk(writer);
  if (!compiler.unbounded) return undefined;
  return (value, offset) => {
    const cursor = new Cursor(value, offset);
    walk(cursor);
    if (cursor.at !== value.length) throw undecodable('trailing', `${value.length - cursor.at} bytes follow its end`);
  };
}

class Compiler {
  unbounded = false;
  readonly #records = new Map<Type, { walk: Walk; open: boolean }>();

  walk(type: Type): Walk {
    switch (type.typeName) {
      case 'null':
        return () => undefined;
      case 'boolean':
        return (cursor) => cursor.skip(1);
      case 'int':
      case 'long':
      case 'enum':
        return (cursor) => void cursor.number();
      case 'float':
        return (cursor) => cursor.skip(4);
      case 'double':
        return (cursor) => cursor.skip(8);
      case 'fixed':
        return (cursor) => cursor.skip((type as types.FixedType).size);
      case 'string':
      case 'bytes':
        return (cursor) => cursor.skip(cursor.number());
      case 'array':
        return this.#blocks(this.walk((type as types.ArrayType).itemsType));
      case 'map':
        return this.#blocks(this.#entry((type as types.MapType).valuesType as Type));
      case 'record':
        return this.#record(type as types.RecordType);
      default:
        return this.#union((type as unknown as { types: Type[] }).types);
    }
  }

  #blocks(element: Walk): Walk {
    this.unbounded = true;
    return (cursor) => {
      cursor.enter();
      for (;;) {
        const { count, end } = cursor.block();
        if (count === 0) break;
        for (let i = 0; i < count; i++) element(cursor);
        if (end >= 0 && cursor.at !== end) throw undecodable('malformed', 'a block in it is not as long as it says');
      }
      cursor.depth--;
    };
  }

  #entry(value: Type): Walk {
    const walk = this.walk(value);
    return (cursor) => {
      const length = cursor.number();
      const start = cursor.at;
      cursor.skip(length);
      const key = cursor.bytes.subarray(start, cursor.at);
      if (!isUtf8(key)) throw undecodable('invalid-utf8', 'a map key in it is not UTF-8');
      if (length === 9 && Buffer.from(key).toString('latin1') === '__proto__') throw undecodable('map-key', "a map in it has the key '__proto__'");
      walk(cursor);
    };
  }

  #record(type: types.RecordType): Walk {
    const known = this.#records.get(type);
    if (known) {
      if (known.open) this.unbounded = true; // it contains itself
      return (cursor) => known.walk(cursor);
    }
    const entry = { walk: nothing as Walk, open: true };
    this.#records.set(type, entry);
    const fields = type.fields.map((field) => this.walk(field.type));
    entry.open = false;
    entry.walk = (cursor) => {
      cursor.enter();
      for (const field of fields) field(cursor);
      cursor.depth--;
    };
    return entry.walk;
  }

  #union(branches: readonly Type[]): Walk {
    const walks = branches.map((branch) => this.walk(branch));
    return (cursor) => {
      const walk = walks[cursor.number()];
      if (!walk) throw undecodable('malformed', 'a union in it names a branch that does not exist');
      walk(cursor);
    };
  }
}

function nothing(): void {
  // replaced when the record is compiled
}
