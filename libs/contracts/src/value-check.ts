import { FactlineError } from 'factline/kernel';
import type { Type, types } from 'avsc';
import { isWellFormed } from './well-formed.js';

/** Checks a value and answers what avsc is to write: the same value, with byte arrays as Buffers and plain record copies where that was needed. */
export type ValueCheck = (value: unknown, path: string) => unknown;

/**
 * Compiles a schema into a check that names the exact path of the first fault: avsc's own writer says only "invalid string".
 * Beyond Avro it refuses text with lone surrogates (UTF-8 cannot hold it), unsafe integers, and fields the schema does not know.
 */
export function compileCheck(type: Type, known: Map<Type, ValueCheck> = new Map()): ValueCheck {
  const existing = known.get(type);
  if (existing) return existing;
  let check: ValueCheck = nothing;
  known.set(type, (value, path) => check(value, path)); // a recursive schema meets itself while it is compiled
  check = checkFor(type, known);
  known.set(type, check);
  return check;
}

function checkFor(type: Type, known: Map<Type, ValueCheck>): ValueCheck {
  switch (type.typeName) {
    case 'null':
      return (value, path) => (value === null ? value : fail(path, 'null', value));
    case 'boolean':
      return (value, path) => (typeof value === 'boolean' ? value : fail(path, 'a boolean', value));
    case 'int':
      return (value, path) => (typeof value === 'number' && value === (value | 0) ? value : fail(path, 'an integer of 32 bits', value));
    case 'long':
      return (value, path) => (Number.isSafeInteger(value) ? value : fail(path, 'a safe integer (below 2^53)', value));
    case 'float':
    case 'double':
      return (value, path) => (typeof value === 'number' ? value : fail(path, 'a number', value));
    case 'string':
      return text;
    case 'bytes':
      return (value, path) => (value instanceof Uint8Array ? asBuffer(value) : fail(path, 'a Uint8Array', value));
    case 'fixed':
      return fixed((type as types.FixedType).size);
    case 'enum':
      return enumeration((type as types.EnumType).symbols);
    case 'array':
      return array(compileCheck((type as types.ArrayType).itemsType, known));
    case 'map':
      return map(compileCheck((type as types.MapType).valuesType as Type, known));
    case 'record':
      return record(type as types.RecordType, known);
    default:
      return union((type as unknown as { types: Type[] }).types, known);
  }
}

function text(value: unknown, path: string): unknown {
  if (typeof value !== 'string') return fail(path, 'a string', value);
  return isWellFormed(value) ? value : fail(path, 'text without lone surrogates', value);
}

function asBuffer(value: Uint8Array): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

function fixed(size: number): ValueCheck {
  return (value, path) => (value instanceof Uint8Array && value.length === size ? asBuffer(value) : fail(path, `a Uint8Array of ${size} bytes`, value));
}

function enumeration(symbols: readonly string[]): ValueCheck {
  const allowed = new Set<unknown>(symbols);
  return (value, path) => (allowed.has(value) ? value : fail(path, `one of ${symbols.join(', ')}`, value));
}

function array(item: ValueCheck): ValueCheck {
  return (value, path) => (Array.isArray(value) ? value.map((each, at) => item(each, `${path}[${at}]`)) : fail(path, 'an array', value));
}

function map(item: ValueCheck): ValueCheck {
  return (value, path) => {
    if (!isObject(value)) return fail(path, 'an object', value);
    const out: Record<string, unknown> = {};
    for (const [key, each] of Object.entries(value)) {
      if (key === '__proto__' || !isWellFormed(key)) return fail(`${path}[key]`, "a well-formed key other than '__proto__'", key);
      out[key] = item(each, `${path}.${key}`);
    }
    return out;
  };
}

function record(type: types.RecordType, known: Map<Type, ValueCheck>): ValueCheck {
  const fields = type.fields.map((field) => ({
    name: field.name,
    optional: field.defaultValue() !== undefined,
    check: compileCheck(field.type, known),
  }));
  const names = new Set(fields.map((field) => field.name));
  return (value, path) => {
    if (!isObject(value)) return fail(path, 'an object', value);
    const prefix = path === '' ? '' : `${path}.`;
    const out: Record<string, unknown> = {};
    for (const { name, optional, check } of fields) {
      const each = value[name];
      if (each !== undefined || !optional) out[name] = check(each, prefix + name);
    }
    for (const name in value) if (!names.has(name)) fail(prefix + name, 'a field of the schema', value[name]);
    return out;
  };
}

function union(branches: readonly Type[], known: Map<Type, ValueCheck>): ValueCheck {
  const checks = branches.map((branch) => compileCheck(branch, known));
  const nullable = branches.some((branch) => branch.typeName === 'null');
  const only = branches.findIndex((branch) => branch.typeName !== 'null');
  if (nullable && branches.length === 2) {
    const check = checks[only]!;
    return (value, path) => (value === null ? null : check(value, path));
  }
  return (value, path) => {
    for (const check of checks) {
      try {
        return check(value, path);
      } catch (error) {
        if (!(error instanceof FactlineError)) throw error;
      }
    }
    return fail(path, `one of ${branches.map((branch) => branch.name ?? branch.typeName).join(', ')}`, value);
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

function nothing(value: unknown): unknown {
  return value;
}

function fail(path: string, expected: string, value: unknown): never {
  const got = value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value; // the type only: the value may be personal
  throw new FactlineError({
    code: 'fact.invalid',
    kind: 'invalid',
    message: `${path || 'The fact'} must be ${expected}; got ${got}.`,
    advice: 'Correct the value where the fact is made; nothing was written.',
    details: { path, expected },
  });
}
