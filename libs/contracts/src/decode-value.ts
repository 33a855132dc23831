import { FactlineError } from 'factline/kernel';
import type { AvroJson } from './avro-json.js';
import { parseSchema } from './compatibility/parse.js';
import { type FieldNode, type RecordNode, type SchemaNode, type UnionNode, actual, branchNameOf } from './compatibility/parsed-schema.js';
import { invalidSchema, schemaError } from './compatibility/schema-error.js';
import { Cursor, type Refuse } from './cursor.js';
import { DECODE_MAX_BYTES, DECODE_MAX_NAME_CHARACTERS } from './limits.js';

type Read = (cursor: Naming) => unknown;

/**
 * Decodes one value of bare Avro binary (no prefix, no schema id) into Avro's JSON encoding, for bytes and schemas that nobody vouches for.
 * `bytes` and `fixed` are texts of the code points 0 to 255, a union's value other than null is `{branch: value}` with the full name of a named type,
 * NaN and the infinities are texts, logical types are what they are stored as. Promised: a value or a FactlineError, never more work or memory than the limits allow:
 * 1 MiB of bytes (DECODE_MAX_BYTES), 100,000 elements (DECODE_MAX_ITEMS), 64 levels (DECODE_MAX_DEPTH), 16 Mi characters of names (DECODE_MAX_NAME_CHARACTERS),
 * and of the schema as many levels and values as a compatibility check reads. Not promised: speed, since the schema is read anew for each value.
 * @throws FactlineError `value.undecodable` (invalid) with `details.reason`, an UndecodableReason, and `details.offset` in bytes; `schema.invalid`, `schema.unknown-type`,
 * `schema.duplicate-type`, `schema.cycle` (also of a record that contains itself without end), `schema.too-deep`, `schema.too-large` (configuration) with `details.path`.
 */
export function decodeValue(schema: AvroJson, bytes: Uint8Array): unknown {
  const refuse: Refuse = (reason, what) =>
    new FactlineError({
      code: 'value.undecodable',
      kind: 'invalid',
      message: `The value cannot be decoded: ${what}, at byte ${Math.min(cursor.at, bytes.length)} of ${bytes.length}.`,
      advice: 'Compare the schema with the one it was written with; bare Avro has no prefix and no schema id.',
      details: { reason, offset: Math.min(cursor.at, bytes.length) },
    });
  const cursor = new Naming(bytes, 0, refuse);
  if (bytes.length > DECODE_MAX_BYTES) throw refuse('too-large', `it takes more than ${DECODE_MAX_BYTES} bytes`);
  const value = compile(parseSchema(schema, 'writer').root, new Map())(cursor);
  cursor.end();
  return value;
}

/** Counts the names that the value repeats, which the bytes do not hold. */
class Naming extends Cursor {
  #characters = 0;

  named(characters: number): void {
    this.#characters += characters;
    if (this.#characters > DECODE_MAX_NAME_CHARACTERS) throw this.refuse('too-large', `its names take more than ${DECODE_MAX_NAME_CHARACTERS} characters`);
  }
}

type Records = Map<RecordNode, Read>;

function compile(type: SchemaNode, records: Records): Read {
  switch (type.kind) {
    case 'null':
      return () => null;
    case 'boolean':
      return (cursor) => cursor.boolean();
    case 'int':
      return (cursor) => cursor.int();
    case 'long':
      return (cursor) => cursor.long();
    case 'float':
      return (cursor) => printable(cursor.take(4).readFloatLE());
    case 'double':
      return (cursor) => printable(cursor.take(8).readDoubleLE());
    case 'string':
      return (cursor) => cursor.text().toString();
    case 'bytes':
      return (cursor) => cursor.take(cursor.number()).toString('latin1');
    case 'fixed':
      return (cursor) => cursor.take(type.size).toString('latin1');
    case 'enum':
      return enumeration([...type.symbols]);
    case 'array':
      return array(compile(type.items, records));
    case 'map':
      return map(compile(type.items, records));
    case 'union':
      return union(type, records);
    case 'record':
      return records.get(type) ?? record(type, records);
    case 'reference':
      return reference(actual(type), records);
  }
}

/** JSON has no NaN and no infinities. */
function printable(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

function enumeration(symbols: readonly string[]): Read {
  return (cursor) => {
    const symbol = cursor.choice(symbols, 'enum-symbol', 'an enum in it has a symbol');
    cursor.named(symbol.length);
    return symbol;
  };
}

function array(item: Read): Read {
  return (cursor) => {
    const out: unknown[] = [];
    cursor.blocks(() => out.push(item(cursor)));
    return out;
  };
}

function map(value: Read): Read {
  return (cursor) => {
    const out: Record<string, unknown> = {};
    cursor.blocks(() => {
      const key = cursor.key().toString();
      out[key] = value(cursor);
    });
    return out;
  };
}

function union(type: UnionNode, records: Records): Read {
  const branches = type.branches.map((branch) => ({ name: branchNameOf(actual(branch)), read: compile(branch, records) }));
  return (cursor) => {
    const { name, read } = cursor.choice(branches, 'union-branch', 'a union in it names a branch');
    if (name === 'null') return null;
    cursor.named(name.length);
    return { [name]: read(cursor) };
  };
}

/** Looked up when it is read: a record is not compiled yet where it contains itself, and a chain of names may be longer than the stack. */
function reference(target: SchemaNode, records: Records): Read {
  if (target.kind !== 'record') return compile(target, records);
  return (cursor) => records.get(target)!(cursor);
}

function record(type: RecordNode, records: Records): Read {
  const fields = type.fields.map((field) => ({ name: nameOf(field), read: compile(field.type, records) }));
  const free = type.fields.filter((field) => mayTakeNoByte(actual(field.type))).length;
  const characters = fields.reduce((sum, { name }) => sum + name.length, 0);
  let openAt = -1;
  const read: Read = (cursor) => {
    if (cursor.at === openAt) throw endless(type);
    const around = openAt;
    openAt = cursor.at;
    cursor.enter();
    cursor.spend(free);
    cursor.named(characters);
    const out: Record<string, unknown> = {};
    for (const field of fields) out[field.name] = field.read(cursor);
    cursor.leave();
    openAt = around;
    return out;
  };
  records.set(type, read);
  return read;
}

function nameOf({ name, pointer }: FieldNode): string {
  if (name === '__proto__') throw invalidSchema('writer', pointer, `'${name}' cannot be a field of a JavaScript object.`);
  return name;
}

function mayTakeNoByte(type: SchemaNode): boolean {
  return type.kind === 'null' || type.kind === 'record' || (type.kind === 'fixed' && type.size === 0);
}

function endless({ pointer }: RecordNode): FactlineError {
  return schemaError('schema.cycle', 'writer', pointer, 'the record contains itself without a byte between, so that no value of it ends.', 'Make a field on the way a union with null, an array or a map.');
}
