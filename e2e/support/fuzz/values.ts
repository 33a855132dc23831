import fc from 'fast-check';
import type { Schema } from './openapi.js';

/** A number as text, written into JSON as it is: none of JavaScript's own is that large. */
class RawNumber {
  constructor(readonly text: string) {}
}

const LONG = 100_000;

/** What nobody should send and somebody does. */
export const hostile: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, -0, -1, 1.5, 2 ** 31, 2 ** 53, -(2 ** 63), 1e308, 5e-324, '', ' ', '\0', 'a\0b', '\ud800', 'x\udc00', '\ufeff', '\u202e', '💣', '__proto__', 'constructor', 'null', 'NaN', '../../etc/passwd', "'; drop table x; --", '${7*7}', '%s%n', '1e5', '0x10', '2026-02-30', '0000-00-00', '9999-12-31T23:59:60Z'),
  fc.constantFrom(new RawNumber('1e400'), new RawNumber('-1e400'), new RawNumber('9'.repeat(400)), new RawNumber(`0.${'0'.repeat(400)}1`)),
  fc.constantFrom<unknown>([], {}, [[]], [null], { a: { b: [] } }, 'x'.repeat(LONG), '💣'.repeat(2_000), Array.from({ length: 2_000 }, () => 0), nested(200)),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.double(),
  fc.jsonValue({ maxDepth: 3 }),
);

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let index = 0; index < depth; index++) value = index % 2 ? [value] : { a: value };
  return value;
}

/** A value that the schema allows, as far as it says so. */
export function valid(schema: Schema): fc.Arbitrary<unknown> {
  const made = schema.enum ? fc.constantFrom(...schema.enum) : byType(schema);
  return schema.nullable ? fc.option(made, { nil: null, freq: 4 }) : made;
}

function byType(schema: Schema): fc.Arbitrary<unknown> {
  switch (schema.type) {
    case 'string':
      return text(schema);
    case 'integer':
      return fc.integer({ min: Math.max(schema.minimum ?? -1_000, -(2 ** 31)), max: Math.min(schema.maximum ?? 1_000, 2 ** 31 - 1) });
    case 'number':
      return fc.double({ min: schema.minimum ?? -1e6, max: schema.maximum ?? 1e6, noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'array':
      return fc.array(valid(schema.items ?? {}), { maxLength: 5 });
    case 'object':
      return object(schema);
    default:
      return schema.properties ? object(schema) : fc.jsonValue({ maxDepth: 2 });
  }
}

function object({ properties = {}, required = [] }: Schema): fc.Arbitrary<object> {
  const fields = Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, valid(property)]));
  return fc.record(fields, { requiredKeys: required.filter((name) => name in fields), noNullPrototype: true });
}

function text({ format, pattern, minLength = 0, maxLength = 30 }: Schema): fc.Arbitrary<unknown> {
  if (format === 'date') return fc.date({ min: new Date('1950-01-01'), max: new Date('2050-01-01'), noInvalidDate: true }).map((date) => date.toISOString().slice(0, 10));
  if (format === 'date-time') return fc.date({ min: new Date('1950-01-01'), max: new Date('2050-01-01'), noInvalidDate: true }).map((date) => date.toISOString());
  if (format === 'email') return fc.constantFrom('zoe@example.com', 'a.b+c@example.org');
  if (format === 'uuid') return fc.uuid();
  if (pattern) return matching(pattern);
  return fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, minLength + 30) });
}

/** Not each pattern can be turned round; any text serves then. */
function matching(pattern: string): fc.Arbitrary<string> {
  try {
    return fc.stringMatching(new RegExp(pattern, 'u'), { maxLength: 60 });
  } catch {
    return fc.string({ maxLength: 30 });
  }
}

/** A valid value of which one part is wrong: another value, missing, or one too many. */
export function mutated(schema: Schema): fc.Arbitrary<unknown> {
  return fc.tuple(valid(schema), hostile, fc.nat(), fc.constantFrom('replace', 'remove', 'add', 'whole')).map(([value, wrong, at, how]) => {
    if (how === 'whole' || typeof value !== 'object' || value === null) return wrong;
    const names = Object.keys(value);
    const name = names[at % Math.max(1, names.length)] ?? 'field';
    const copy: Record<string, unknown> = { ...value };
    if (how === 'remove') delete copy[name];
    else copy[how === 'add' ? `extra${at % 3}` : name] = wrong;
    return copy;
  });
}

/** JSON in which numbers may be larger than any number is, and texts are no texts (half a surrogate pair is written as its escape). */
export function jsonOf(value: unknown): string {
  const raw: string[] = [];
  const written = JSON.stringify(value, (_name, inner: unknown) => (inner instanceof RawNumber ? `raw-number-${raw.push(inner.text) - 1}` : inner)) ?? 'null';
  return written.replaceAll(/"raw-number-(\d+)"/g, (all, index: string) => raw[Number(index)] ?? all);
}
