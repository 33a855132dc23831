import type { AvroField, AvroJson, AvroNode } from '../avro-json.js';
import type { SchemaPair } from './pairs.spec.support.js';

/** A pair with a name, and Java's verdict on it; oracle.int.spec.ts holds that the verdict is still Java's. */
export interface CorpusPair extends SchemaPair {
  readonly java: 'compatible' | 'incompatible' | 'refused' | 'thrown';
}

const R = (name: string, fields: readonly AvroField[] = [], more: object = {}): AvroNode => ({ type: 'record', name, fields: [...fields], ...more });
const F = (name: string, type: AvroJson, more: object = {}): AvroField => ({ name, type, ...more });
const E = (name: string, symbols: string, more: object = {}): AvroNode => ({ type: 'enum', name, symbols: symbols.split(' ').filter(Boolean), ...more });
const X = (name: string, size: number, more: object = {}): AvroNode => ({ type: 'fixed', name, size, ...more });
const array = (items: AvroJson): AvroNode => ({ type: 'array', items });
const map = (values: AvroJson): AvroNode => ({ type: 'map', values });
const one = (name: string, type: AvroJson, more: object = {}): AvroNode => R('R', [F(name, type, more)]);

/** n2.W is compatible with W only if n1.W is, and n1.W is not: Java answers for n2.W while n1.W is open, and keeps that answer. */
const OPEN_FIRST: AvroJson = [R('n1.W', [F('self', ['null', R('n2.W', [F('self', ['null', 'n1.W'])])]), F('z', 'int')]), 'n2.W'];
const OPEN_LAST: AvroJson = [R('n2.W', [F('self', ['null', R('n1.W', [F('self', ['null', 'n2.W']), F('z', 'int')])])]), 'n1.W'];

type Row = readonly [name: string, java: CorpusPair['java'], reader: AvroJson, writer: AvroJson];

const CHECKED: readonly Row[] = [
  // promotions
  ...['int long', 'int float', 'int double', 'long float', 'long double', 'float double', 'string bytes', 'bytes string'].map((pair): Row => {
    const [from, to] = pair.split(' ') as [string, string];
    return [`${from} read as ${to}`, 'compatible', to, from];
  }),
  ...['long int', 'double float', 'float long', 'int boolean', 'string int', 'null string', 'bytes int'].map((pair): Row => {
    const [from, to] = pair.split(' ') as [string, string];
    return [`${from} read as ${to}`, 'incompatible', to, from];
  }),
  ['bytes read as fixed', 'incompatible', X('X', 2), 'bytes'],
  ['an enum read as string', 'incompatible', 'string', E('E', 'A')],
  ['items promoted', 'compatible', array('double'), array('int')],
  ['values not promoted', 'incompatible', map('int'), map('long')],
  ['an array is no map', 'incompatible', map('int'), array('int')],
  // names
  ['another namespace', 'compatible', R('a.R'), R('b.R')],
  ['another name', 'incompatible', R('a.R'), R('a.S')],
  ['full alias', 'compatible', R('a.R', [], { aliases: ['b.S'] }), R('b.S')],
  ['short alias takes its namespace', 'compatible', R('a.R', [], { aliases: ['S'] }), R('a.S')],
  ['short alias and another namespace', 'incompatible', R('a.R', [], { aliases: ['S'] }), R('b.S')],
  ['short alias in no namespace', 'compatible', R('R', [], { aliases: ['S'] }), R('S')],
  ['dotted alias into no namespace', 'incompatible', R('a.R', [], { aliases: ['.S'] }), R('S')],
  ['dotted alias from no namespace', 'compatible', R('R', [], { aliases: ['.S'] }), R('S')],
  ["the writer's alias counts for nothing", 'incompatible', R('R'), R('S', [], { aliases: ['R'] })],
  ['fixed: another name', 'incompatible', X('X', 2), X('Y', 2)],
  ['fixed: alias', 'compatible', X('X', 2, { aliases: ['Y'] }), X('Y', 2)],
  ['enum: another name', 'incompatible', E('E', 'A'), E('G', 'A')],
  ['an error is a record', 'compatible', { ...R('R'), type: 'error' }, R('R')],
  ['namespace null inherits', 'compatible', R('a.R', [F('x', R('S', [], { namespace: null }))]), R('a.R', [F('x', R('S'))])],
  ['empty namespace is none', 'compatible', R('R', [], { namespace: '', aliases: ['S'] }), R('S')],
  ['a primitive name in a namespace', 'compatible', R('a.int'), R('b.int')],
  ['a leading dot is no namespace', 'compatible', R('.R', [], { aliases: ['S'] }), R('S')],
  // fields
  ['a new field with default', 'compatible', one('a', 'int', { default: 1 }), R('R')],
  ['a new field, null is a default', 'compatible', one('a', 'null', { default: null }), R('R')],
  ['a new field without default', 'incompatible', one('a', 'int'), R('R')],
  ['a new nullable field without default', 'incompatible', one('a', ['null', 'int']), R('R')],
  ['the default of an enum is none of the field', 'incompatible', one('a', E('E', 'A', { default: 'A' })), R('R')],
  ['a removed field', 'compatible', R('R'), one('a', 'int')],
  ['reordered fields', 'compatible', R('R', [F('b', 'int'), F('a', 'int')]), R('R', [F('a', 'int'), F('b', 'int')])],
  ['a field by alias', 'compatible', one('a', 'long', { aliases: ['b'] }), one('b', 'int')],
  ['a field by the second alias', 'compatible', one('a', 'long', { aliases: ['c', 'b'] }), one('b', 'int')],
  ["the writer's field alias counts for nothing", 'incompatible', one('a', 'int'), one('b', 'int', { aliases: ['a'] })],
  ['the same alias twice', 'compatible', one('a', 'int', { aliases: ['b', 'b'] }), one('b', 'int')],
  ['name and alias both found', 'thrown', one('a', 'int', { aliases: ['b'] }), R('R', [F('a', 'int'), F('b', 'int')])],
  ['two aliases found', 'thrown', one('a', 'int', { aliases: ['b', 'c'] }), R('R', [F('b', 'int'), F('c', 'int')])],
  ['its own name as alias', 'thrown', one('a', 'int', { aliases: ['a'] }), one('a', 'int')],
  ['found twice, but in a branch not reached', 'compatible', ['int', one('a', 'int', { aliases: ['a'] })], 'int'],
  ['found twice in a branch', 'thrown', ['null', one('a', 'int', { aliases: ['a'] })], one('a', 'int')],
  ['name wrong and found twice', 'thrown', R('S', [F('a', 'int', { aliases: ['a'] })]), one('a', 'int')],
  ['one writer field read by two', 'compatible', R('R', [F('a', 'int'), F('b', 'int', { aliases: ['a'] })]), one('a', 'int')],
  // enums and fixed
  ['a symbol more in the reader', 'compatible', E('E', 'A B'), E('E', 'A')],
  ['a symbol more in the writer', 'incompatible', E('E', 'A'), E('E', 'A B')],
  ['a symbol more, the reader has a default', 'compatible', E('E', 'A', { default: 'A' }), E('E', 'A B')],
  ['a symbol more, the writer has a default', 'incompatible', E('E', 'A'), E('E', 'A B', { default: 'A' })],
  ['reordered symbols', 'compatible', E('E', 'B A'), E('E', 'A B')],
  ['an enum default that is no text is none', 'incompatible', E('E', 'A', { default: 5 }), E('E', 'A B')],
  ['no symbols', 'compatible', E('E', ''), E('E', '')],
  ['another size', 'incompatible', X('X', 2), X('X', 3)],
  ['size 0', 'compatible', X('X', 0), X('X', 0)],
  // unions
  ['a union reads its branch', 'compatible', ['null', 'long'], 'int'],
  ['a union reads no branch', 'incompatible', ['null', 'int'], 'long'],
  ['every branch readable', 'compatible', 'double', ['int', 'long', 'float']],
  ['one branch not readable', 'incompatible', 'int', ['int', 'null']],
  ['a union of one', 'compatible', 'int', ['int']],
  ['reordered branches', 'compatible', ['string', 'null'], ['null', 'string']],
  ['a branch lost', 'incompatible', ['null', 'int'], ['null', 'int', 'string']],
  ['branches promoted', 'compatible', ['null', 'double', 'bytes'], ['null', 'int', 'long', 'string']],
  ['a later branch of the same name', 'compatible', [R('a.R', [F('x', 'int')]), R('b.R')], R('a.R')],
  ['empty unions', 'compatible', [], []],
  ['nothing was written', 'compatible', 'int', []],
  ['nothing can be read', 'incompatible', [], 'int'],
  // recursion and memory
  ['recursion', 'compatible', one('next', ['null', 'R']), one('next', ['null', 'R'])],
  ['recursion with a fault below', 'incompatible', R('R', [F('next', ['null', 'R']), F('v', 'int')]), R('R', [F('next', ['null', 'R']), F('v', 'string')])],
  ['a record inside itself', 'compatible', one('self', 'R'), one('self', 'R')],
  ['an answer under an assumption stays', 'compatible', OPEN_FIRST, R('W', [F('self', ['null', 'W'])])],
  ['the same types asked the other way round', 'incompatible', OPEN_LAST, R('W', [F('self', ['null', 'W'])])],
  ['a record unrolled once', 'compatible', one('next', ['null', 'R']), one('next', ['null', R('n.R', [F('next', ['null', 'n.R'])])])],
  ['a type used three times', 'incompatible', R('R', [F('a', E('E', 'A')), F('b', 'E'), F('c', 'E')]), R('R', [F('a', E('E', 'A B')), F('b', 'E'), F('c', 'E')])],
  ['a type used before its definition', 'compatible', R('R', [F('a', 'N'), F('b', R('N'))]), R('R', [F('a', R('N')), F('b', 'N')])],
  // not looked at
  ['logical types', 'compatible', { type: 'long', logicalType: 'timestamp-micros' }, { type: 'long', logicalType: 'timestamp-millis' }],
  ['decimal scale', 'compatible', { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 3 }, { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }],
  ['a broken logical type', 'compatible', { type: 'bytes', logicalType: 'decimal', precision: 2, scale: 3 }, 'bytes'],
  ['docs, order, unknown attributes', 'compatible', R('R', [F('a', 'int', { doc: 5, order: 'Ignore', extra: null })], { x: null }), one('a', 'int')],
];

const PARSED: readonly Row[] = [
  ['a default of a later branch', 'compatible', one('a', ['null', 'string'], { default: 'x' }), R('R')],
  ['an enum field default that is no symbol', 'compatible', one('a', E('E', 'A'), { default: 'Z' }), R('R')],
  ['NaN as text', 'compatible', one('a', 'double', { default: 'NaN' }), R('R')],
  ["a record default from its fields' defaults", 'compatible', one('a', R('N', [F('x', 'int', { default: 1 })]), { default: {} }), R('R')],
  ['an equal definition twice', 'compatible', R('R', [F('a', E('E', 'A')), F('b', E('E', 'A', { default: 'A', doc: 'same' }))]), R('R', [F('a', E('E', 'A')), F('b', 'E')])],
  ['a finished type of no namespace', 'compatible', R('R', [F('e', E('E', 'A')), F('n', R('a.N', [F('x', 'E')]))]), R('R', [F('e', E('E', 'A')), F('n', R('a.N', [F('x', 'E')]))])],
  ['field aliases that are no names', 'compatible', one('a', 'int', { aliases: ['a-b', ''] }), one('a', 'int')],
  ['an unfinished type of no namespace', 'refused', one('n', R('a.N', [F('x', ['null', 'R'])])), 'int'],
  ['a definition that differs', 'refused', R('R', [F('a', E('E', 'A')), F('b', E('E', 'B'))]), 'int'],
  ['a record default without a field', 'refused', one('a', R('N', [F('x', 'int')]), { default: {} }), R('R')],
  ['a text default for int', 'refused', one('a', 'int', { default: '1' }), R('R')],
  ['a default too large for int', 'refused', one('a', 'int', { default: 2 ** 31 }), R('R')],
  ['a default that is the open record', 'refused', one('a', 'R', { default: {} }), R('R')],
  ['a text default for a union with float', 'refused', one('a', ['float'], { default: 'NaN' }), R('R')],
  ['a type in a type', 'refused', { type: { type: 'int' } }, 'int'],
  ['a union in a union', 'refused', ['null', ['int']], 'int'],
  ['a branch twice', 'refused', [array('int'), array('long')], 'null'],
  ['a record named as a branch', 'refused', [array('int'), R('array')], 'null'],
  ['a record named as a primitive', 'refused', R('int'), R('int')],
  ['a field twice', 'refused', R('R', [F('a', 'int'), F('a', 'int')]), R('R')],
  ['a symbol twice', 'refused', E('E', 'A A'), E('E', 'A')],
  ['a symbol that is no name', 'refused', E('E', 'A-B'), E('E', 'A')],
  ['an enum default that is no symbol', 'refused', E('E', 'A', { default: 'B' }), E('E', 'A')],
  ['a negative size', 'refused', X('X', -1), X('X', -1)],
  ['an unknown type', 'refused', one('a', 'Nowhere'), R('R')],
  ['an unknown order', 'refused', one('a', 'int', { order: 'upwards' }), R('R')],
  ['a namespace that is none', 'refused', R('R', [], { namespace: 'a..b' }), R('R')],
  ['an alias that is no name', 'refused', R('R', [], { aliases: ['a-b'] }), R('R')],
  ['aliases that are no list', 'refused', R('R', [], { aliases: 'S' }), R('R')],
  ["the writer's alone", 'refused', 'int', 'Nowhere'],
];

/** The sharp corners of the checker and of the parser. */
export const CORPUS: readonly CorpusPair[] = [...CHECKED, ...PARSED].map(([id, java, reader, writer]) => ({ id, java, reader, writer }));
