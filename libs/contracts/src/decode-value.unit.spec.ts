import avro from 'avsc';
import type { AvroJson } from './avro-json.js';
import { FactlineError } from 'factline/kernel';
import { DECODE_MAX_BYTES, DECODE_MAX_DEPTH, DECODE_MAX_ITEMS } from './limits.js';
import { decodeValue } from './decode-value.js';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const text = (length: number) => Buffer.concat([lengthOf(length), Buffer.alloc(length, 'a')]);
const record = (name: string, ...types: unknown[]) => ({ type: 'record', name, fields: types.map((type, at) => ({ name: `f${at}`, type })) }) as AvroJson;
const array = (items: unknown) => ({ type: 'array', items }) as AvroJson;
const map = (values: unknown) => ({ type: 'map', values }) as AvroJson;
const nulls = array('null');
const state = { type: 'enum', name: 'State', symbols: ['NEW', 'PAID'] } as unknown as AvroJson;
const list = record('Node', 'int', ['null', 'Node']);
const tree = record('Tree', array('Tree'));

function lengthOf(value: number): Buffer {
  return avro.Type.forSchema('long').toBuffer(value);
}

function reasonOf(schema: AvroJson, value: Uint8Array): unknown {
  try {
    return { decoded: decodeValue(schema, value) };
  } catch (error) {
    expect(error).toBeInstanceOf(FactlineError);
    const { code, details } = error as FactlineError;
    return code === 'value.undecodable' ? details['reason'] : code;
  }
}

describe('a value in the JSON encoding', () => {
  it.each<[string, AvroJson, string, unknown]>([
    ['null, of no bytes', 'null', '', null],
    ['true', 'boolean', '01', true],
    ['the least int', 'int', 'ff ff ff ff 0f', -(2 ** 31)],
    ['the greatest long', 'long', 'fe ff ff ff ff ff ff 1f', Number.MAX_SAFE_INTEGER],
    ['the least long', 'long', 'fd ff ff ff ff ff ff 1f', Number.MIN_SAFE_INTEGER],
    ['a padded number', 'long', '82 80 80 00', 1],
    ['a float', 'float', '00 00 c0 3f', 1.5],
    ['NaN', 'double', '00 00 00 00 00 00 f8 7f', 'NaN'],
    ['an infinity', 'float', '00 00 80 ff', '-Infinity'],
    ['text', 'string', '06 e2 82 ac', '€'],
    ['a real U+FFFD', 'string', '06 ef bf bd', '\ufffd'],
    ['bytes', 'bytes', '04 00 ff', '\u0000\u00ff'],
    ['fixed', { type: 'fixed', name: 'F', size: 2 }, '41 e9', 'Aé'],
    ['an enum', state, '02', 'PAID'],
    ['an array in two blocks, one with its size', array('int'), '03 04 02 04 02 06 00', [1, 2, 3]],
    ['a map', map('int'), '02 02 61 02 00', { a: 1 }],
    ['a union with null', ['null', 'int'], '00', null],
    ['a union of a primitive', ['null', 'int'], '02 02', { int: 1 }],
    ['unions that avsc calls ambiguous', ['int', 'long', state], '04 02', { State: 'PAID' }],
    ['a namespace around', { type: 'record', name: 'a.R', fields: [{ name: 'f', type: ['null', { type: 'fixed', name: 'F', size: 1 }] }] }, '02 41', { f: { 'a.F': 'A' } }],
    ['a list', list, '02 02 04 00', { f0: 1, f1: { Node: { f0: 2, f1: null } } }],
    ['a logical type', { type: 'int', logicalType: 'date' }, '02', 1],
    ['field names of objects', { type: 'record', name: 'constructor', fields: [{ name: 'toString', type: 'int' }] }, '02', { toString: 1 }],
  ])('%s', (_name, schema, hex, value) => {
    expect(decodeValue(schema, bytes(hex))).toEqual(value);
    expect(decodeValue(schema, new Uint8Array(bytes(hex)))).toEqual(value);
  });
});

/** Each with a neighbour that differs in little and is sound. */
describe('bytes that are refused', () => {
  it.each<[string, AvroJson, unknown, string | Buffer, string | Buffer]>([
    ['a number that does not end', 'long', 'truncated', '80', '80 00'],
    ['a text longer than the value', 'string', 'truncated', '04 61', '02 61'],
    ['a length that wraps around', 'bytes', 'truncated', 'fe ff ff ff ff ff ff ff ff 01', '00'],
    ['a fixed cut short', { type: 'fixed', name: 'F', size: 2 }, 'truncated', '61', '61 62'],
    ['a fixed of 2 GB', ['null', { type: 'fixed', name: 'F', size: 2 ** 31 - 9 }], 'truncated', '02 61', '00'],
    ['half a double', 'double', 'truncated', '00 00 00 00', '00 00 00 00 00 00 00 00'],
    ['a byte too many', 'int', 'trailing', '02 02', '02'],
    ['bytes for null', 'null', 'trailing', '00', ''],
    ['a value larger than a broker takes', 'string', 'too-large', text(DECODE_MAX_BYTES), text(DECODE_MAX_BYTES - 4)],
    ['20 million nulls', nulls, 'too-many-items', '80 da c4 13 00', '06 00'],
    ['20 million nulls that say their size', nulls, 'too-many-items', 'ff d9 c4 13 00 00', '05 00 00'],
    ['one null too many, in two blocks', nulls, 'too-many-items', Buffer.concat([lengthOf(DECODE_MAX_ITEMS), bytes('02 00')]), Buffer.concat([lengthOf(DECODE_MAX_ITEMS - 1), bytes('02 00')])],
    ['a count that is the least long', nulls, 'too-many-items', 'ff ff ff ff ff ff ff ff ff 01 00 00', '00'],
    ['more items than bytes', array('int'), 'truncated', 'a0 8d 06', '02 02 00'],
    ['a negative length', 'string', 'negative-length', '01', '00'],
    ['a negative length of bytes', 'bytes', 'negative-length', '01', '00'],
    ['a negative block size', array('int'), 'negative-length', '01 01 02 00', '01 02 02 00'],
    ['a negative length of a map key', map('int'), 'negative-length', '02 01 02 00', '02 00 02 00'],
    ['a long of 2^53', 'long', 'long-range', '80 80 80 80 80 80 80 20', 'fe ff ff ff ff ff ff 1f'],
    ['the greatest long of 64 bits', 'long', 'long-range', 'fe ff ff ff ff ff ff ff ff 01', '02'],
    ['a long of 70 bits', 'long', 'long-range', 'ff ff ff ff ff ff ff ff ff 7f', 'ff 7f'],
    ['an int of 33 bits', 'int', 'int-range', 'fe ff ff ff 1f', 'fe ff ff ff 0f'],
    ['a boolean of 2', 'boolean', 'boolean', '02', '01'],
    ['a boolean of 255', record('R', 'boolean'), 'boolean', 'ff', '00'],
    ['a branch behind the last', ['null', 'int'], 'union-branch', '04', '00'],
    ['a branch before the first', ['null', 'int'], 'union-branch', '01', '00'],
    ['a branch of a union without branches', map([]), 'union-branch', '02 00 00 00', '00'],
    ['a symbol behind the last', state, 'enum-symbol', '04', '02'],
    ['a symbol before the first', state, 'enum-symbol', '01', '00'],
    ['text that is not UTF-8', 'string', 'invalid-utf8', '02 ff', '02 7f'],
    ['an overlong form', 'string', 'invalid-utf8', '04 c0 af', '04 c2 af'],
    ['a surrogate', 'string', 'invalid-utf8', '06 ed a0 80', '06 ed 9f bf'],
    ['half a character', 'string', 'invalid-utf8', '04 e2 82', '06 e2 82 ac'],
    ['a map key that is not UTF-8', map('int'), 'invalid-utf8', '02 02 80 02 00', '02 02 61 02 00'],
    ['a map key that is a prototype', map('int'), 'map-key', `02 12 ${Buffer.from('__proto__').toString('hex')} 02 00`, `02 12 ${Buffer.from('__proto_1').toString('hex')} 02 00`],
    ['a list one too deep', list, 'too-deep', `${'02 02'.repeat(DECODE_MAX_DEPTH)} 02 00`, `${'02 02'.repeat(DECODE_MAX_DEPTH - 1)} 02 00`],
    ['a list of a million', list, 'too-large', Buffer.alloc(DECODE_MAX_BYTES + 2, 2), '02 00'],
    ['a tree 100,000 deep', tree, 'too-deep', Buffer.alloc(100_000, 2), '02 00 00'],
    ['a long of eleven bytes', 'long', 'malformed', `${'80'.repeat(10)} 00`, `${'80'.repeat(9)} 00`],
    ['an int of six bytes', 'int', 'malformed', '80 80 80 80 80 00', '80 80 80 80 00'],
    ['a block shorter than it says', array('int'), 'malformed', '01 04 02 00', '01 02 02 00'],
    ['a block longer than it says', array('int'), 'malformed', '01 00 02 00', '01 02 02 00'],
  ])('%s', (_name, schema, reason, refused, sound) => {
    expect(reasonOf(schema, typeof refused === 'string' ? bytes(refused) : refused)).toBe(reason);
    expect(reasonOf(schema, typeof sound === 'string' ? bytes(sound) : sound)).toHaveProperty('decoded');
  });

  it('say where they ended, and never what they hold', () => {
    const secret = Buffer.concat([bytes('0c'), Buffer.from('secret'), bytes('07')]);
    expect(() => decodeValue(record('R', 'string', 'boolean'), secret)).toThrow(
      expect.objectContaining({ code: 'value.undecodable', kind: 'invalid', message: expect.not.stringContaining('secret'), details: { reason: 'boolean', offset: 8 } }),
    );
  });
});

describe('schemas that are hostile', () => {
  /** Each level holds the one below twice: 2^40 values in no byte. */
  const doubling = Array.from({ length: 40 }).reduce<AvroJson>((inner, _level, at) => record(`R${at}`, inner, at === 0 ? 'null' : `R${at - 1}`), 'null');
  const wide = record('Wide', ...Array.from({ length: 1_000 }, () => 'null'));
  const chain = Array.from({ length: 5_000 }, (_, at) => record(`C${at}`, at === 0 ? 'null' : ['null', `C${at - 1}`]));
  const nested = (levels: number) => Array.from({ length: levels }).reduce<AvroJson>((inner) => array(inner), 'int');
  const circle: { type: string; items?: unknown } = { type: 'array' };
  circle.items = circle;

  it.each<[string, unknown, string]>([
    ['a record that contains itself', record('R', 'R'), 'schema.cycle'],
    ['records that contain each other', record('A', record('B', 'A')), 'schema.cycle'],
    ['a record in a union of itself alone', record('R', ['R']), 'union-branch'],
    ['a union in a union', ['null', ['int', 'string']], 'schema.invalid'],
    ['a branch twice', ['int', 'int'], 'schema.invalid'],
    ['an unknown name', record('R', 'Missing'), 'schema.unknown-type'],
    ['a name that every object has', record('R', 'toString'), 'schema.unknown-type'],
    ['a type that every object has', { type: 'constructor' }, 'schema.unknown-type'],
    ['a name defined twice', record('R', state, { ...(state as object), symbols: ['OTHER'] }), 'schema.duplicate-type'],
    ['a field that is a prototype', { type: 'record', name: 'R', fields: [{ name: '__proto__', type: 'int' }] }, 'schema.invalid'],
    ['10,000 levels', nested(10_000), 'schema.too-deep'],
    ['100,000 lists', JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`), 'schema.too-deep'],
    ['JSON that holds itself', circle, 'schema.cycle'],
    ['300,000 branches', Array.from({ length: 300_000 }, (_, at) => ({ type: 'fixed', name: `F${at}`, size: 1 })), 'schema.too-large'],
    ['a number', 7, 'schema.invalid'],
    ['nothing', undefined, 'schema.invalid'],
    ['null', null, 'schema.invalid'],
    ['a record without fields', { type: 'record', name: 'R' }, 'schema.invalid'],
    ['a fixed of less than nothing', { type: 'fixed', name: 'F', size: -1 }, 'schema.invalid'],
    ['names of 100,000 characters', record(`R${'a'.repeat(100_000)}`, 'b'.repeat(100_000)), 'schema.unknown-type'],
  ])('%s', (_name, schema, code) => {
    expect(reasonOf(schema as AvroJson, bytes(code === 'union-branch' ? '02' : ''))).toBe(code);
  });

  it('of 2^40 values in no byte are refused, and of 1,000 nulls a record after 100 records', () => {
    expect(reasonOf(doubling, Buffer.of())).toBe('too-many-items');
    expect(reasonOf(array(wide), bytes('fe 01 00'))).toBe('too-many-items');
    expect(reasonOf(array(wide), bytes('c0 01 00'))).toMatchObject({ decoded: { length: 96 } });
  });

  it('of long names are refused when the value would repeat them too often', () => {
    const symbols = ['a'.repeat(1_000_000)];
    const long = array({ type: 'enum', name: 'Long', symbols });
    const values = (count: number) => Buffer.concat([lengthOf(count), Buffer.alloc(count + 1)]);
    expect(reasonOf(long, values(100_000))).toBe('too-large');
    expect(reasonOf(long, values(10))).toEqual({ decoded: Array.from({ length: 10 }, () => symbols[0]) });
    expect(reasonOf(array([{ type: 'fixed', name: symbols[0], size: 1 }]), values(1_000))).toBe('too-large');
    expect(reasonOf(array({ type: 'record', name: 'R', fields: [{ name: symbols[0], type: 'null' }] }), bytes('c8 01 00'))).toBe('too-large');
  });

  it('of 5,000 records that name the next one are read', () => {
    expect(reasonOf(chain as AvroJson[], bytes('00'))).toEqual({ decoded: { C0: { f0: null } } });
    expect(reasonOf([...chain].toReversed() as AvroJson[], bytes('00 02 02 02 02 00'))).toMatchObject({ decoded: { C4999: { f0: { C4998: { f0: { C4997: expect.anything() } } } } } });
  });
});

describe('avsc alone', () => {
  it('takes each of these for a value, or never ends (negative control)', () => {
    const read = (schema: AvroJson, hex: string): unknown => avro.Type.forSchema(schema as never).fromBuffer(bytes(hex));
    expect(read('boolean', '02')).toBe(true);
    expect(read('string', '02 ff')).toBe('\ufffd');
    expect(read('int', 'fe ff ff ff 1f')).toBe(2 ** 32 - 1);
    expect(read('long', `${'80'.repeat(10)} 00`)).toBe(0);
    expect(read(array('int'), '01 01 02 00')).toEqual([1]);
    expect(read(array('int'), '01 04 02 00')).toEqual([1]);
    expect(read(map('int'), `02 12 ${Buffer.from('__proto__').toString('hex')} 02 00`)).toEqual({});
    expect(read(nulls, '80 89 7a 00')).toHaveLength(1_000_000);
    expect(() => avro.Type.forSchema(JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`) as never)).toThrow(RangeError);
    expect(avro.Type.forSchema('toString' as never)).toBe(Object.prototype.toString); // no type at all
  });
});
