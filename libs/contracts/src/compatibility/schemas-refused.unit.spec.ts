import { FactlineError } from 'factline/kernel';
import type { AvroField, AvroJson } from '../avro-json.js';
import { checkCompatibility } from './compatibility.js';

const record = (fields: AvroField[], more: object = {}) => ({ type: 'record', name: 'R', namespace: 'x', fields, ...more });
const field = (name: string, type: AvroJson, more: object = {}) => ({ name, type, ...more });
const one = (type: AvroJson, more: object = {}) => record([field('a', type, more)]);
const enumOf = (symbols: unknown, more: object = {}) => ({ type: 'enum', name: 'E', symbols, ...more }) as AvroJson;

function refusal(check: () => unknown) {
  try {
    check();
  } catch (error) {
    if (error instanceof FactlineError) return { code: error.code, kind: error.kind, schema: error.details['schema'], path: error.details['path'] };
    throw error;
  }
  return undefined;
}

const readerRefusal = (schema: unknown) => refusal(() => checkCompatibility(schema as AvroJson, 'int'));

describe('a schema that Java refuses is refused, with the place', () => {
  it.each<[string, unknown, string, string]>([
    ['no type at all', null, 'schema.invalid', ''],
    ['a type that is no name', { type: { type: 'int' } }, 'schema.invalid', ''],
    ['an unknown name', one('Nowhere'), 'schema.unknown-type', '/fields/0/type'],
    ['a root that is a name', 'Nowhere', 'schema.unknown-type', ''],
    ['a name with a dash', one('int', { name: 'a-b' }), 'schema.invalid', '/fields/0'],
    ['a namespace with a hole', { ...one('int'), namespace: 'x..y' }, 'schema.invalid', ''],
    ['the name of a primitive', { type: 'fixed', name: 'int', size: 4 }, 'schema.invalid', ''],
    ['a name outside of the basic plane', { ...one('int'), name: '𝒜' }, 'schema.invalid', ''],
    ['two fields of one name', record([field('a', 'int'), field('a', 'int')]), 'schema.invalid', '/fields/0'],
    ['fields that are no list', { type: 'record', name: 'R' }, 'schema.invalid', ''],
    ['a field without type', record([{ name: 'a' } as AvroField]), 'schema.invalid', '/fields/0'],
    ['an order that is none', one('int', { order: 'up' }), 'schema.invalid', '/fields/0'],
    ['aliases that are no list', one('int', { aliases: 'b' }), 'schema.invalid', '/fields/0/aliases'],
    ['a symbol twice', enumOf(['A', 'A']), 'schema.invalid', ''],
    ['a default that is no symbol', enumOf(['A'], { default: 'B' }), 'schema.invalid', '/default'],
    ['a size below zero', { type: 'fixed', name: 'F', size: -1 }, 'schema.invalid', ''],
    ['a union in a union', ['null', ['int']], 'schema.invalid', '/1'],
    ['a branch twice', one(['int', 'int']), 'schema.invalid', '/fields/0/type'],
    ['a branch twice by a name that follows', record([field('a', ['B', 'B']), field('b', { ...one('int'), name: 'B' })]), 'schema.invalid', '/fields/0/type'],
    ['a type defined twice, differently', record([field('a', enumOf(['A'])), field('b', enumOf(['B']))]), 'schema.duplicate-type', '/fields/1/type'],
    ['a default of another type', one('int', { default: 'seven' }), 'schema.invalid', '/fields/0/default'],
    ['an int beyond 32 bits', one('int', { default: 2 ** 31 }), 'schema.invalid', '/fields/0/default'],
    ['a record default that lacks a field', one({ ...one('int'), name: 'S' }, { default: {} }), 'schema.invalid', '/fields/0/default'],
    ['an object as default of a type that is not finished', one(['R', 'null'], { default: { a: null } }), 'schema.invalid', '/fields/0/default'],
    ['a text as default of a name that follows', record([field('a', 'E', { default: 'A' }), field('b', enumOf(['A']))]), 'schema.invalid', '/fields/0/default'],
    ['an attribute beyond 64 bits', { ...one('int'), limit: 1e19 }, 'schema.invalid', ''],
  ])('%s', (_what, schema, code, path) => {
    expect(readerRefusal(schema)).toEqual({ code, kind: 'configuration', schema: 'reader', path });
    expect(refusal(() => checkCompatibility('int', schema as AvroJson))).toMatchObject({ code, schema: 'writer' });
  });

  it.each<[string, AvroJson]>([
    ['a name before its definition', record([field('a', 'S'), field('b', { ...one('int'), name: 'S' })])],
    ['letters of any script', { ...one('int'), name: 'Größe' }],
    ['the same definition twice', record([field('a', enumOf(['A'], { doc: 'one' })), field('b', enumOf(['A'], { default: 'A', aliases: ['F'] }))])],
    ['a namespace that is no text', { ...one('int'), namespace: 5 } as unknown as AvroJson],
    ['a union default of any branch', one(['null', 'int'], { default: 7 })],
    ['a double as text', one('double', { default: ' -0x1.8p3 ' })],
    ['an enum default that is no symbol', one(enumOf(['A']), { default: 'B' })],
    ['an order in capitals', one('int', { order: 'DESCENDING' })],
    ['a name without namespace, from within one', record([field('a', enumOf(['A'], { namespace: '' })), field('b', 'E')])],
    ['a union of nothing', []],
  ])('but not %s', (_what, schema) => expect(checkCompatibility(schema, schema).compatible).toBe(true));
});

describe('hostile schemas', () => {
  const nested = (levels: number) => Array.from({ length: levels }).reduce<AvroJson>((items) => ({ type: 'array', items }), 'int');

  it('1,000 levels are compared, one more is refused', () => {
    expect(checkCompatibility(nested(1_000), nested(1_000)).compatible).toBe(true);
    expect(readerRefusal(nested(1_001))).toMatchObject({ code: 'schema.too-deep' });
  });

  it('a chain of 5,000 types is compared: only JSON is limited in depth, not what names make of it', () => {
    const chain = (last: AvroJson) => Array.from({ length: 5_000 }, (_, at) => record([field('next', at === 4_999 ? last : `R${at + 1}`)], { name: `R${at}` }));
    const whole = (last: AvroJson) => record(chain(last).map((type, at) => field(`f${at}`, type)));
    expect(checkCompatibility(whole('long'), whole('int')).compatible).toBe(true);
    expect(checkCompatibility(whole('int'), whole('string')).incompatibilities).toHaveLength(1);
  });

  it('an object that contains itself', () => {
    const schema = one('int') as { fields: unknown[] };
    schema.fields.push({ name: 'b', type: schema });
    expect(readerRefusal(schema)).toEqual({ code: 'schema.cycle', kind: 'configuration', schema: 'reader', path: '/fields/1/type' });
  });

  it('an object that is shared so often that its JSON would not fit', () => {
    const shared = Array.from({ length: 40 }).reduce<AvroJson>((type, _, at) => record([field('a', type), field('b', type)], { name: `R${at}` }), 'int');
    expect(readerRefusal(shared)).toMatchObject({ code: 'schema.too-large' });
  });

  it('more fields than a schema has', () => {
    expect(readerRefusal(record(Array.from({ length: 60_000 }, (_, at) => field(`f${at}`, 'int'))))).toMatchObject({ code: 'schema.too-large' });
  });

  it('unions that multiply', () => {
    const union = (fields: AvroField[]) => Array.from({ length: 600 }, (_, at) => record(fields, { name: `R${at}` }));
    expect(refusal(() => checkCompatibility(union([field('a', 'int')]), union([])))).toMatchObject({ code: 'schema.too-large' });
  });

  it.each([undefined, 7, NaN, true, () => 0, 10n, Symbol('s')])('%p is no schema', (value) => expect(readerRefusal(value)).toMatchObject({ code: 'schema.invalid' }));

  it('names that objects have are names', () => {
    const schema = JSON.parse('{"type": "record", "name": "__proto__", "fields": [{"name": "__proto__", "type": "int"}, {"name": "constructor", "type": "int"}]}') as AvroJson;
    expect(checkCompatibility(schema, { type: 'record', name: '__proto__', fields: [] }).incompatibilities.map(({ path }) => path)).toEqual(['__proto__', 'constructor']);
  });
});
