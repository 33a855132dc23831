import fc from 'fast-check';
import { FactlineError } from 'factline/kernel';
import type { AvroJson } from './avro-json.js';
import { writtenType } from './checked-types.js';
import { decodeValue } from './decode-value.js';

const record = (name: string, ...types: unknown[]) => ({ type: 'record', name, fields: types.map((type, at) => ({ name: `f${at}`, type })) });
const enumeration = (name: string, ...symbols: string[]) => ({ type: 'enum', name, symbols });
const fixed = (name: string, size: number) => ({ type: 'fixed', name, size });
const array = (items: unknown) => ({ type: 'array', items });
const map = (values: unknown) => ({ type: 'map', values });

/** Each schema with a sound value in the JSON encoding. */
const SCHEMAS: readonly (readonly [unknown, unknown])[] = [
  ['null', null],
  ['boolean', true],
  ['int', -(2 ** 31)],
  ['long', 2 - 2 ** 53],
  ['float', 1.5],
  ['double', -0.1],
  ['string', 'ä€😀'],
  ['bytes', '\u0000\u0080\u00ff'],
  [fixed('F', 3), 'abc'],
  [fixed('Empty', 0), ''],
  [enumeration('E', 'A', 'B', 'C'), 'C'],
  [array('boolean'), [true, false, true]],
  [array('null'), [null, null]],
  [array(array('long')), [[1, -1], [], [300]]],
  [array('string'), ['a', '', 'ü']],
  [map('int'), { a: 1, '': -1, 'ö': 64 }],
  [map(map('bytes')), { a: { b: 'c' }, d: {} }],
  [['null', 'string'], { string: 'x' }],
  [['int', 'long', 'float', 'double'], { long: 5_000_000_000 }],
  [['null', enumeration('ns.E', 'A'), record('ns.R', 'int')], { 'ns.R': { f0: 1 } }],
  [record('R'), {}],
  [record('R', 'boolean', 'int', 'string'), { f0: false, f1: 7, f2: 'seven' }],
  [record('R', record('In', 'null', ['null', 'boolean']), 'In'), { f0: { f0: null, f1: null }, f1: { f0: null, f1: { boolean: true } } }],
  [record('List', 'int', ['null', 'List']), { f0: 1, f1: { List: { f0: 2, f1: null } } }],
  [record('Tree', array('Tree')), { f0: [{ f0: [] }, { f0: [{ f0: [] }] }] }],
  [record('Named', map('Named'), 'string'), { f0: { a: { f0: {}, f1: 'leaf' } }, f1: 'root' }],
  [record('R', array(record('Line', 'string', 'long', fixed('Seal', 2))), map(['null', 'double'])), { f0: [{ f0: 's', f1: 2, f2: 'xy' }], f1: { a: null, b: { double: 0.5 } } }],
  [record('R', { type: 'bytes', logicalType: 'decimal', precision: 4, scale: 2 }, { type: 'long', logicalType: 'timestamp-micros' }), { f0: '\u0001', f1: 1_700_000_000_000_000 }],
  [array(['null', array('int'), map('boolean')]), [null, { array: [1] }, { map: { a: false } }]],
  [record('R', enumeration('E', 'A', 'B'), array('E'), ['E', 'bytes']), { f0: 'B', f1: ['A', 'B'], f2: { E: 'A' } }],
];

const CASES = SCHEMAS.map(([schema, sample]) => {
  const type = writtenType(schema as object);
  return { schema: schema as AvroJson, type, sound: type.toBuffer(type.fromString(JSON.stringify(sample))), sample };
});
/** NaN and the infinities are texts in the value; avsc's JSON has none. */
const NOT_IN_JSON = /"(NaN|-?Infinity)"/;

const counts = { decoded: 0, refused: 0 };

/** A value that avsc reads alike and that comes back from its own encoding, or an error of ours. */
function hold({ schema, type }: (typeof CASES)[number], bytes: Buffer): void {
  let text: string;
  try {
    text = JSON.stringify(decodeValue(schema, bytes));
  } catch (error) {
    if (!(error instanceof FactlineError) || error.code !== 'value.undecodable') throw error;
    counts.refused++;
    return;
  }
  counts.decoded++;
  if (NOT_IN_JSON.test(text)) return;
  expect(type.toString(type.fromBuffer(bytes))).toBe(text);
  const again = type.toBuffer(type.fromString(text));
  expect(JSON.stringify(decodeValue(schema, again))).toBe(text);
}

const anyCase = fc.constantFrom(...CASES);
/** Small numbers are what lengths, counts and branches look like. */
const likely = fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 0, max: 8 }) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) });
const change = fc.record({ at: fc.nat(), remove: fc.integer({ min: 0, max: 2 }), insert: fc.array(likely, { maxLength: 3 }) });

function changed(sound: Buffer, changes: readonly { at: number; remove: number; insert: number[] }[]): Buffer {
  const bytes = [...sound];
  for (const { at, remove, insert } of changes) bytes.splice(at % (bytes.length + 1), remove, ...insert);
  return Buffer.from(bytes);
}

it.each(CASES.map((each, at) => [at, each] as const))('the sound value of schema %i is decoded as it was written', (_at, { schema, sample, sound }) => {
  expect(decodeValue(schema, sound)).toEqual(sample);
});

it.each<[string, fc.Arbitrary<(sound: Buffer) => Buffer>]>([
  ['random bytes', fc.array(likely, { maxLength: 12 }).map((bytes) => () => Buffer.from(bytes))],
  ['damaged values', fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => (sound: Buffer) => changed(sound, changes))],
  ['values cut short or continued', fc.tuple(fc.nat({ max: 60 }), fc.array(likely, { maxLength: 3 })).map(([end, more]) => (sound: Buffer) => Buffer.concat([sound.subarray(0, end), Buffer.from(more)]))],
])('%s give a value that comes back as it was, or an error with a reason', (_what, damage) => {
  Object.assign(counts, { decoded: 0, refused: 0 });
  fc.assert(fc.property(anyCase, damage, (each, make) => hold(each, make(each.sound))), { numRuns: 5_000 });
  expect(counts.decoded).toBeGreaterThan(100); // both ways were gone
  expect(counts.refused).toBeGreaterThan(1_000);
});

it('random schemas give a value or an error with a code', () => {
  const name = fc.constantFrom('int', 'string', 'null', 'R', 'toString', '__proto__', 'a.b', '');
  const { schema } = fc.letrec((tie) => ({
    schema: fc.oneof(
      { depthSize: 'small' },
      name,
      fc.record({ type: fc.constantFrom('array', 'map'), items: tie('schema'), values: tie('schema') }, { requiredKeys: ['type'] }),
      fc.array(tie('schema'), { maxLength: 3 }),
      fc.record({ type: fc.constantFrom('record', 'enum', 'fixed', 'error'), name, size: fc.oneof(fc.nat({ max: 4 }), fc.jsonValue()), symbols: fc.oneof(fc.array(name), fc.jsonValue()), fields: fc.oneof(fc.array(fc.record({ name, type: tie('schema') }), { maxLength: 3 }), fc.jsonValue()) }),
      fc.record({ type: tie('schema') }),
      fc.jsonValue(),
    ),
  }));
  const codes = new Set<string>();
  fc.assert(
    fc.property(schema, fc.array(likely, { maxLength: 12 }), (each, bytes) => {
      try {
        decodeValue(each as AvroJson, Buffer.from(bytes));
        codes.add('decoded');
      } catch (error) {
        if (!(error instanceof FactlineError)) throw error;
        codes.add(error.code);
      }
    }),
    { numRuns: 5_000 },
  );
  expect([...codes]).toEqual(expect.arrayContaining(['decoded', 'value.undecodable', 'schema.invalid', 'schema.unknown-type']));
});
