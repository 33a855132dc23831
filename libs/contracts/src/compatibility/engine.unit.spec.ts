import type { AvroField, AvroJson } from '../avro-json.js';
import { checkCompatibility } from './compatibility.js';

const record = (name: string, fields: AvroField[], more: object = {}) => ({ type: 'record', name, namespace: 'hr', fields, ...more });
const field = (name: string, type: AvroJson, more: object = {}) => ({ name, type, ...more });
const wide = (type: AvroJson) => record('R', [field('a', type)]);
const enumOf = (symbols: string[], more: object = {}) => ({ type: 'enum', name: 'Kind', namespace: 'hr', symbols, ...more });
const fixed = (size: number, name = 'Id') => ({ type: 'fixed', name, namespace: 'hr', size });

function faults(reader: AvroJson, writer: AvroJson) {
  const { compatible, incompatibilities } = checkCompatibility(reader, writer);
  expect(compatible).toBe(incompatibilities.length === 0);
  return incompatibilities.map(({ kind, path, readerPointer, writerPointer }) => [kind, path, readerPointer, writerPointer]);
}

describe('what a reader cannot take', () => {
  it.each<[string, AvroJson, AvroJson, string[]]>([
    ['a field that was not written', record('R', [field('a', 'int')]), record('R', []), ['field-without-default', 'a', '/fields/0', '']],
    ['another type', wide('int'), wide('string'), ['type-changed', 'a', '/fields/0/type', '/fields/0/type']],
    ['a narrower number', wide('int'), wide('long'), ['type-changed', 'a', '/fields/0/type', '/fields/0/type']],
    ['a branch more', wide(['null', 'int']), wide(['null', 'string']), ['union-branch-removed', 'a', '/fields/0/type', '/fields/0/type/1']],
    ['a union more', wide('int'), wide(['null', 'int']), ['type-changed', 'a', '/fields/0/type', '/fields/0/type/0']],
    ['a symbol more', wide(enumOf(['A'])), wide(enumOf(['A', 'B'])), ['enum-symbol-unknown', 'a', '/fields/0/type/symbols', '/fields/0/type/symbols']],
    ['another size', wide(fixed(4)), wide(fixed(8)), ['fixed-size-changed', 'a', '/fields/0/type/size', '/fields/0/type/size']],
    ['another name', wide(fixed(4)), wide(fixed(4, 'Digest')), ['name-changed', 'a', '/fields/0/type/name', '/fields/0/type/name']],
  ])('%s', (_what, reader, writer, expected) => expect(faults(reader, writer)).toEqual([expected]));

  it('all faults are told at once, each once, with the path of the reader and both types', () => {
    const reader = record('Order', [
      field('buyer', record('Person', [field('name', 'string'), field('address', record('Address', [field('zip', 'int'), field('city', 'string')]))])),
      field('lines', { type: 'array', items: record('Line', [field('sku', 'long'), field('labels', { type: 'map', values: 'int' })]) }),
      field('second', 'Address'),
      field('kind', enumOf(['A'])),
    ]);
    const writer = record('Order', [
      field('buyer', record('Person', [field('name', 'string'), field('address', record('Address', [field('zip', 'string')]))])),
      field('lines', { type: 'array', items: record('Line', [field('sku', 'string'), field('labels', { type: 'map', values: 'string' })]) }),
      field('second', 'Address'),
      field('kind', enumOf(['A', 'B'])),
    ]);
    expect(checkCompatibility(reader, writer).incompatibilities).toMatchObject([
      { kind: 'field-without-default', path: 'buyer.address.city', readerType: 'string', writerType: 'record hr.Address' },
      { kind: 'type-changed', path: 'buyer.address.zip', readerType: 'int', writerType: 'string' },
      { kind: 'type-changed', path: 'lines[].sku', readerPointer: '/fields/1/type/items/fields/0/type', message: "'lines[].sku' was written as string and cannot be read as long." },
      { kind: 'type-changed', path: 'lines[].labels{}' },
      { kind: 'enum-symbol-unknown', path: 'kind', message: expect.stringContaining('may be B') as unknown },
    ]);
  });

  it('a union says what its branch lacks', () => {
    const optional = (zip: AvroJson) => wide(['null', record('Address', [field('zip', zip)])]);
    expect(checkCompatibility(optional('int'), optional('string')).incompatibilities).toMatchObject([
      { kind: 'union-branch-removed', path: 'a', message: expect.stringContaining("'a.zip' was written as string and cannot be read as int.") as unknown },
    ]);
  });
});

describe('what a reader can take', () => {
  it.each<[string, AvroJson, AvroJson]>([
    ['promoted numbers and texts', ['long', 'string'], ['int', 'bytes']],
    ['a field more, with a default', record('R', [field('a', 'int', { default: 1 })]), record('R', [])],
    ['a default of null', record('R', [field('a', 'null', { default: null })]), record('R', [])],
    ['a field less', record('R', []), wide('int')],
    ['a record of other structure, by any branch', [record('Other', []), 'null'], record('Other', [field('a', 'int')])],
    ['branches in another order', ['string', 'null'], ['null', 'string']],
    ['one branch of a union', ['null', 'double'], 'int'],
    ['a union of what it reads anyway', 'long', ['int', 'long']],
    ['no branch at all', 'int', []],
    ['an error for a record', { ...wide('int'), type: 'error' }, wide('int')],
    ['other logical types', { type: 'long', logicalType: 'timestamp-micros' }, { type: 'long', logicalType: 'timestamp-millis' }],
  ])('%s', (_what, reader, writer) => expect(faults(reader, writer)).toEqual([]));

  it('a symbol that the reader does not know, when the enum has a default; the default of a field is not that', () => {
    expect(faults(enumOf(['A'], { default: 'A' }), enumOf(['A', 'B']))).toEqual([]);
    expect(faults(record('R', [field('a', enumOf(['A']), { default: 'A' })]), wide(enumOf(['A', 'B'])))).toMatchObject([['enum-symbol-unknown', 'a', '/fields/0/type/symbols', '/fields/0/type/symbols']]);
    expect(faults(wide(enumOf(['A'], { default: 'A' })), record('R', []))).toEqual([['type-changed', 'a', '/fields/0', '']]);
  });
});

describe('names', () => {
  it.each<[string, object, object, boolean]>([
    ['short names count, not namespaces', { name: 'R', namespace: 'a' }, { name: 'R', namespace: 'b' }, true],
    ['an alias is the full name of the writer', { name: 'R', namespace: 'a', aliases: ['b.S'] }, { name: 'S', namespace: 'b' }, true],
    ['an alias takes the namespace of the reader', { name: 'R', namespace: 'a', aliases: ['S'] }, { name: 'S', namespace: 'a' }, true],
    ['an alias without namespace is no short name', { name: 'R', namespace: 'a', aliases: ['S'] }, { name: 'S', namespace: 'b' }, false],
    ['an alias outside of namespaces matches nothing', { name: 'R', namespace: 'a', aliases: ['.S'] }, { name: 'S', namespace: '' }, false],
    ['without a namespace an alias has none', { name: 'R', namespace: '', aliases: ['S'] }, { name: 'S', namespace: '' }, true],
    ['aliases of the writer do not count', { name: 'R', namespace: 'a' }, { name: 'S', namespace: 'a', aliases: ['R'] }, false],
  ])('%s', (_what, reader, writer, compatible) => expect(checkCompatibility({ ...wide('int'), ...reader }, { ...wide('int'), ...writer }).compatible).toBe(compatible));

  it('a field is found by an alias, and two candidates are an error also inside a union', () => {
    const renamed = record('R', [field('new', 'int', { aliases: ['a'] })]);
    expect(faults(renamed, wide('int'))).toEqual([]);
    for (const wrapped of [(type: AvroJson) => type, (type: AvroJson) => ['null', type]]) {
      const check = () => checkCompatibility(wrapped(renamed), wrapped(record('R', [field('a', 'int'), field('new', 'int')])));
      expect(check).toThrow(expect.objectContaining({ code: 'schema.ambiguous-alias', details: expect.objectContaining({ schema: 'reader' }) as unknown }));
    }
  });
});

describe('recursion and sharing', () => {
  const list = (value: AvroJson) => record('Node', [field('value', value), field('next', ['null', 'Node'])]);
  const tree = (leaf: AvroJson) => record('A', [field('b', ['null', record('B', [field('a', ['null', 'A']), field('leaf', leaf)])])]);

  it.each([
    ['a linked list', list],
    ['types that contain each other', tree],
  ])('%s', (_what, type) => {
    expect(faults(type('long'), type('int'))).toEqual([]);
    expect(faults(type('int'), type('string'))).toHaveLength(1);
  });

  /** Each level refers to the next one twice: 2^40 paths, 41 types. */
  const doubling = (leaf: AvroJson) => {
    const levels = Array.from({ length: 41 }, (_, level) => record(`L${level}`, level === 0 ? [field('x', leaf)] : [field('a', `L${level - 1}`), field('b', `L${level - 1}`)]));
    return record('Top', levels.map((level, at) => field(`f${at}`, level)));
  };

  it('40 levels that double each level are compared once, and their fault is told once', () => {
    expect(faults(doubling('long'), doubling('int'))).toEqual([]);
    expect(faults(doubling('int'), doubling('string'))).toHaveLength(1);
  });

  it('a pair that is open counts as compatible, also when it proves not to be: as in Java', () => {
    const of = (leaf: AvroJson) => record('A', [field('c', record('C', [field('a', ['null', 'A'])])), field('leaf', leaf)]);
    const both = (leaf: AvroJson) => record('Top', [field('first', [of(leaf), 'null']), field('second', 'C')]);
    expect(faults(both('int'), both('string')).map(([kind, path]) => [kind, path])).toEqual([['union-branch-removed', 'first']]);
  });
});
