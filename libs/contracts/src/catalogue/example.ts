import { FactlineError } from 'factline/kernel';
import { type AvroJson, type AvroNode, definitionsIn, fullNameOf, isPrimitive } from '../avro-json.js';
import { checkedType } from '../checked-types.js';
import { decodeValue } from '../decode-value.js';

/** Values of one example, those that were tried and given up included: enough for 100 nested records of ten fields, and types that hold each other twice end. */
const VALUES = 1_000;

/** Longest fixed, in bytes: no person reads more. */
const LONGEST = 1_000;

/**
 * A value of a bundled schema in Avro's JSON encoding, always the same one: it was written and read back, so it is what the schema really holds. Fields that may be
 * null are filled in, arrays and maps have one element, a record that contains itself ends at the second time.
 * @returns undefined where no small value exists: a record that holds itself without end, more than 1,000 values, a fixed of more than 1,000 bytes, 64 levels.
 * @throws FactlineError (configuration) `schema.invalid` and others of `decodeValue`: a schema that avsc takes and Avro for Java refuses.
 */
export function exampleOf(schema: AvroNode): unknown {
  const value = exampleValue(schema);
  if (value === undefined) return undefined;
  try {
    return decodeValue(schema, checkedType(schema).toBuffer(value));
  } catch (error) {
    if (error instanceof FactlineError && error.code === 'value.undecodable') return undefined; // nested deeper than anything that is read here
    throw error;
  }
}

/** The same as the encoder takes it. */
export function exampleValue(schema: AvroNode): unknown {
  return new Example(definitionsIn(schema)).of(schema, 'value');
}

class Example {
  readonly #open = new Set<string>();
  #made = 0;

  constructor(private readonly definitions: ReadonlyMap<string, AvroNode>) {}

  /** Undefined: there is none that ends. */
  of(schema: AvroJson, name: string): unknown {
    if (++this.#made > VALUES) return undefined;
    if (typeof schema === 'string') return isPrimitive(schema) ? plainValue(schema, name) : this.of(this.definitions.get(schema)!, name);
    if (Array.isArray(schema)) return this.#union(schema, name);
    return this.#node(schema, name);
  }

  #node(schema: AvroNode, name: string): unknown {
    if (schema.type === 'record') return this.#record(schema);
    if (schema.type === 'enum') return schema.symbols![0];
    if (schema.type === 'fixed') return schema.size! > LONGEST ? undefined : (logicalValue(schema) ?? Buffer.alloc(schema.size!, '0123456789abcdef'));
    if (schema.items !== undefined) return [this.of(schema.items, name)].filter((item) => item !== undefined);
    if (schema.values !== undefined) {
      const value = this.of(schema.values, name);
      return value === undefined ? {} : { key: value };
    }
    return logicalValue(schema) ?? this.of(schema.type, name);
  }

  #record(record: AvroNode): unknown {
    const fullName = fullNameOf(record, undefined)!;
    if (this.#open.has(fullName)) return undefined;
    this.#open.add(fullName);
    const entries: [string, unknown][] = [];
    for (const field of record.fields!) {
      const value = this.of(field.type, field.name);
      if (value === undefined) break;
      entries.push([field.name, value]);
    }
    this.#open.delete(fullName);
    return entries.length === record.fields!.length ? Object.fromEntries(entries) : undefined;
  }

  /** The first branch with a value; null only when there is nothing else. */
  #union(branches: readonly AvroJson[], name: string): unknown {
    for (const branch of branches) {
      const value = branch === 'null' ? undefined : this.of(branch, name);
      if (value !== undefined) return value;
    }
    return branches.includes('null') ? null : undefined;
  }
}

function plainValue(type: string, name: string): unknown {
  switch (type) {
    case 'null':
      return null;
    case 'boolean':
      return true;
    case 'int':
    case 'long':
      return 1;
    case 'float':
    case 'double':
      return 1.5;
    case 'bytes':
      return Buffer.from('0123');
    default:
      return inWords(name);
  }
}

/** `jobTitle` is `job title`: nobody takes it for a real one. */
function inWords(name: string): string {
  return name.replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2').replaceAll('_', ' ').toLowerCase();
}

const DAY = 20_000; // 4 October 2024
const NOON = 43_200;
const INSTANT = DAY * 86_400 + NOON;

/** By type and logical type, which schemas may call anything, `constructor` as well. */
const MOMENTS: ReadonlyMap<string, number> = new Map([
  ['int date', DAY],
  ['int time-millis', NOON * 1e3],
  ['long time-micros', NOON * 1e6],
  ['long timestamp-millis', INSTANT * 1e3],
  ['long timestamp-micros', INSTANT * 1e6],
  ['long local-timestamp-millis', INSTANT * 1e3],
  ['long local-timestamp-micros', INSTANT * 1e6],
]);

/** Undefined for logical types that say nothing more, and for those on a type that they do not fit, which Avro ignores. */
function logicalValue({ type, logicalType, size }: AvroNode): unknown {
  if (type === 'string' && logicalType === 'uuid') return '01926c5e-7a00-7000-8000-000000000001';
  if (logicalType === 'decimal' && type === 'bytes') return Buffer.from([1]);
  if (logicalType === 'decimal' && type === 'fixed' && size! > 0) return Buffer.concat([Buffer.alloc(size! - 1), Buffer.from([1])]);
  return typeof type === 'string' ? MOMENTS.get(`${type} ${logicalType}`) : undefined;
}
