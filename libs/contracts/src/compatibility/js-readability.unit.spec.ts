import { types } from 'avsc';
import type { AvroField, AvroJson } from '../avro-json.js';
import { checkedType, writtenType } from '../checked-types.js';
import { checkCompatibility } from './compatibility.js';
import { schemaPairs } from './pairs.spec.support.js';

const record = (fields: AvroField[], more: object = {}) => ({ type: 'record', name: 'R', namespace: 'x', fields, ...more });
const field = (name: string, type: AvroJson, more: object = {}) => ({ name, type, ...more });
const one = (type: AvroJson, more: object = {}) => record([field('a', type, more)]);
const enumOf = (symbols: string[], more: object = {}) => ({ type: 'enum', name: 'E', symbols, ...more });

const VALUES = 50;

/** Reads random values of the writer; throws what avsc throws. @returns how many were read. */
function roundTrip(reader: AvroJson, writer: AvroJson): number {
  const readerType = checkedType(reader as object);
  const writerType = writtenType(writer as object);
  const resolver = readerType.createResolver(writerType);
  let read = 0;
  for (let at = 0; at < VALUES; at++) {
    const bytes = bytesOfRandom(writerType);
    if (!bytes) continue;
    const { value, offset } = readerType.decode(bytes, 0, resolver) as { value: unknown; offset: number };
    if (offset !== bytes.length) throw new Error(`read ${offset} of ${bytes.length} bytes`);
    if (!readerType.isValid(value)) throw new Error('the value is not of the reader');
    read++;
  }
  return read;
}

/** Undefined when avsc's random value of a type that contains itself does not end. */
function bytesOfRandom(type: ReturnType<typeof writtenType>): Buffer | undefined {
  try {
    return type.toBuffer(type.random());
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Random values of these take minutes, or never end. */
const containsItself = (schema: AvroJson) => {
  const met = new Set<unknown>();
  const walk = (type: unknown): boolean => {
    if (met.has(type)) return true;
    met.add(type);
    const below = type instanceof types.RecordType ? type.fields.map((each) => each.type) : ((type as { types?: unknown[] }).types ?? [(type as { itemsType?: unknown }).itemsType, (type as { valuesType?: unknown }).valuesType].filter(Boolean));
    const found = below.some(walk);
    met.delete(type);
    return found;
  };
  return walk(writtenType(schema as object));
};

describe('what avsc does not read although Java says it is compatible', () => {
  it.each<[string, string, string, AvroJson, AvroJson]>([
    ['another namespace', 'namespace-changed', 'a', one(enumOf(['A'], { namespace: 'p' })), one(enumOf(['A'], { namespace: 'q' }))],
    ['a union of two numbers', 'union-ambiguous', 'a', one(['int', 'double']), one('int')],
    ['a union of two records', 'union-ambiguous', 'a[]', one({ type: 'array', items: [record([], { name: 'S' }), record([], { name: 'T' })] }), one({ type: 'array', items: record([], { name: 'S' }) })],
    ['text from bytes', 'bytes-as-string', 'a', one('string'), one('bytes')],
    ['a default of the second branch', 'default-refused', '', one(['null', 'int'], { default: 1 }), one(['null', 'int'])],
    ['a default of the second branch in a type that contains itself', 'default-refused', '', one(['R', 'null'], { default: null }), one(['R', 'null'])],
    ['a name before its definition', 'forward-reference', '', record([field('a', 'E'), field('b', enumOf(['A']))]), record([field('a', enumOf(['A'])), field('b', 'E')])],
    ['a letter beyond ASCII', 'name-refused', '', record([field('ä', 'int')]), record([field('ä', 'int')])],
    ['a field that objects have, not selected', 'name-refused', '', one('int'), record([field('toString', 'string'), field('a', 'int')])],
    ['a field that hides its record', 'name-refused', '', { ...one('int'), name: '_a' }, { ...one('int'), name: '_a' }],
    ['a name that avsc looks for elsewhere', 'name-refused', '', record([field('e', enumOf(['A'], { namespace: '' })), field('a', 'E')]), record([field('e', enumOf(['A'], { namespace: '' })), field('a', 'E')])],
    ['a union of nothing', 'schema-refused', '', one('int'), record([field('a', 'int'), field('b', [])])],
  ])('%s: %s', (_what, kind, path, reader, writer) => {
    const { compatible, js } = checkCompatibility(reader, writer);
    expect({ compatible, readable: js.readable }).toEqual({ compatible: true, readable: false });
    expect(js.faults).toContainEqual(expect.objectContaining({ kind, path }));
  });

  it.each<[string, AvroJson, AvroJson]>([
    ['another namespace', one(enumOf(['A'], { namespace: 'p' })), one(enumOf(['A'], { namespace: 'q' }))],
    ['text from bytes', one('string'), one('bytes')],
    ['a field that objects have', one('int'), record([field('toString', 'string'), field('a', 'int')])],
    ['a field that hides its record', { ...one('int'), name: '_a' }, { ...one('int'), name: '_a' }],
  ])('really is not read: %s', (_what, reader, writer) => expect(() => roundTrip(reader, writer)).toThrow(/\S/));

  it('an alias makes another namespace readable', () => {
    const reader = one(enumOf(['A'], { namespace: 'p', aliases: ['q.E'] }));
    const writer = one(enumOf(['A'], { namespace: 'q' }));
    expect(checkCompatibility(reader, writer).js).toEqual({ readable: true, faults: [] });
    expect(roundTrip(reader, writer)).toBe(VALUES);
  });

  it('says so of all fields at once', () => {
    const types = (namespace: string) => record([field('a', enumOf(['A'], { namespace })), field('b', { type: 'fixed', name: 'F', namespace, size: 2 })]);
    expect(checkCompatibility(types('p'), types('q')).js.faults.map(({ path }) => path)).toEqual(['a', 'b']);
  });

  it('has no part in the other verdict', () => {
    const dotted = one(enumOf(['A'], { name: 'E', namespace: 'p', aliases: ['.F'] }));
    expect(checkCompatibility(dotted, one(enumOf(['A'], { name: 'F', namespace: '' })))).toMatchObject({ compatible: false, js: { readable: true } });
  });
});

describe('what is called readable', () => {
  it('is read: 50 random values of each readable pair of 1,000', () => {
    let pairs = 0;
    for (const { id, reader, writer } of schemaPairs(20_260_101, 1_000)) {
      if (!isReadable(reader, writer) || containsItself(writer)) continue;
      pairs++;
      expect([id, roundTrip(reader, writer)]).toEqual([id, VALUES]);
    }
    expect(pairs).toBeGreaterThan(100);
  });
});

function isReadable(reader: AvroJson, writer: AvroJson): boolean {
  try {
    return checkCompatibility(reader, writer).js.readable;
  } catch {
    return false; // no schema: schemas-refused.unit.spec.ts
  }
}
