import fc from 'fast-check';
import { FactlineError } from 'factline/kernel';
import { selectInSpec } from 'factline/testing';
import { META_SCHEMA } from './meta.js';
import { FactDecoder, FactEncoder, defineFact } from './index.js';

const tree = {
  type: 'record',
  name: 'Tree',
  namespace: 'x',
  fields: [{ name: 'child', type: ['null', 'x.Tree'], default: null }],
};
const fields = [
  { name: 'id', type: 'string' },
  { name: 'amount', type: 'long' },
  { name: 'blob', type: 'bytes' },
  { name: 'names', type: { type: 'array', items: 'string' } },
  { name: 'nothing', type: { type: 'array', items: 'null' } },
  { name: 'labels', type: { type: 'map', values: 'string' } },
  { name: 'tree', type: tree },
];
const schema = { type: 'record', name: 'Happened', namespace: 'x', fields: [{ name: 'meta', type: META_SCHEMA }, ...fields] };
const flat = { ...schema, fields: schema.fields.slice(0, 4) };
const topic = { name: 'x', owner: 'x', keyField: 'id', partitions: 1, kind: 'facts', settings: {} } as const;
const data = { amount: 5_000_000_000, blob: Buffer.from('blob'), names: ['ä', 'b'], nothing: [null, null], labels: { a: 'b' }, tree: { child: { child: null } } };
const Happened = defineFact<{ id: string } & typeof data, 'id'>({ factName: 'x.Happened', topic, keyField: 'id', schema });
const Flat = defineFact<{ id: string; amount: number; blob: Buffer }, 'id'>({ factName: 'x.Happened', topic, keyField: 'id', schema: flat });

async function decoderOf(writer: object, selected: readonly object[]): Promise<FactDecoder> {
  const reader = { ...schema, fields: selected };
  const decoder = new FactDecoder([selectInSpec({ factName: 'x.Happened', topic: 'x', schema: reader, fingerprint: '' })], { byId: () => Promise.resolve(writer) });
  await decoder.prepare([1]);
  return decoder;
}

const whole = new FactEncoder().encode(Happened('k', data), 1).value;
const flatWhole = new FactEncoder().encode(Flat('k', { amount: 5_000_000_000, blob: Buffer.from('blob') }), 1).value;

/** The bytes of a value up to a field, found by encoding: everything behind is replaced. */
function replacedFrom(index: number, bytes: number[]): Buffer {
  return Buffer.concat([whole.subarray(0, index), Buffer.from(bytes)]);
}
const afterBlob = whole.indexOf('blob') + 4;
const beforeAmount = whole.indexOf('k', 95) + 1;

describe('hostile bytes (D7 block counts, D8 recursion, D12 prototype keys, D13 UTF-8)', () => {
  it.each([
    ['an array of 20 million nulls', 'too-many-items', [0, 0x80, 0xda, 0xc4, 0x13, 0]],
    ['a block of 20 million nulls that says its size', 'too-many-items', [0, 0xff, 0xd9, 0xc4, 0x13, 0x10]],
    ['a block that jumps backwards', 'negative-length', [1, 0x7f, 0, 0, 0, 0, 0]],
    ['a block shorter than it says', 'malformed', [1, 8, 2, 0x61, 0, 0, 0, 0, 0]],
    ['a negative string length', 'negative-length', [2, 1]],
    ['a string longer than the value', 'truncated', [2, 0xfe, 0xff, 0xff, 0xff, 0x0f]],
    ['a text that is not UTF-8', 'invalid-utf8', [2, 2, 0xff, 0, 0, 0, 0]],
    ['an overlong encoding', 'invalid-utf8', [2, 4, 0xc0, 0xaf, 0, 0, 0, 0]],
    ['a map key that is not UTF-8', 'invalid-utf8', [0, 0, 2, 2, 0xff, 0, 0, 0]],
    ['a map key that is a prototype', 'map-key', [0, 0, 2, 18, ...Buffer.from('__proto__'), 0, 0, 0]],
    ['a union branch that does not exist', 'union-branch', [0, 0, 0, 8]],
    ['recursion 200,000 deep', 'too-deep', [0, 0, 0, ...Array.from({ length: 200_000 }, () => 2), 0]],
    ['a byte too many', 'trailing', [0, 0, 0, 0, 0]],
    ['a number of eleven bytes', 'malformed', [...Array.from({ length: 11 }, () => 0x80), 0]],
  ])('%s: %s', async (_name, reason, bytes) => {
    const decoder = await decoderOf(schema, fields);
    expect(() => decoder.decode('k', replacedFrom(afterBlob, bytes))).toThrow(expect.objectContaining({ code: 'fact.undecodable', details: expect.objectContaining({ reason }) }));
  });

  it('D9: a long beyond 2^53 is refused, never rounded, and skipped when it is not selected', async () => {
    const value = Buffer.concat([flatWhole.subarray(0, beforeAmount), Buffer.from('ffffffffffffffff7f', 'hex'), Buffer.of(0)]);
    const decoder = await decoderOf(flat, fields.slice(0, 3));
    expect(() => decoder.decode('k', value)).toThrow(expect.objectContaining({ details: expect.objectContaining({ reason: 'long-range' }) }));
    expect((await decoderOf(flat, [fields[0]!])).decode('k', value)!.data).toEqual({ id: 'k' });
  });

  it('a real U+FFFD is text like any other', async () => {
    const value = new FactEncoder().encode(Flat('\ufffd', { amount: 1, blob: Buffer.of() }), 1).value;
    expect((await decoderOf(flat, [fields[0]!])).decode(Buffer.from('\ufffd'), value)).toMatchObject({ key: '\ufffd', data: { id: '\ufffd' } });
  });

  it('a key that is empty or not UTF-8 is refused', async () => {
    const decoder = await decoderOf(flat, [fields[0]!]);
    expect(() => decoder.decode(Buffer.of(), flatWhole)).toThrow(expect.objectContaining({ details: expect.objectContaining({ reason: 'empty-key' }) }));
    expect(() => decoder.decode(Buffer.of(0xff), flatWhole)).toThrow(expect.objectContaining({ details: expect.objectContaining({ reason: 'invalid-utf8' }) }));
  });

  it('a value larger than a broker takes is refused', async () => {
    const decoder = await decoderOf(flat, [fields[0]!]);
    expect(() => decoder.decode('k', Buffer.concat([flatWhole, Buffer.alloc(1024 * 1024)]))).toThrow(expect.objectContaining({ details: expect.objectContaining({ reason: 'too-large' }) }));
  });
});

/** Nothing walks these bytes before avsc reads them: the checks are in the types, and the guard only names the fault. */
describe('hostile bytes of a record without arrays, maps and recursion', () => {
  const state = { type: 'enum', name: 'State', namespace: 'x', symbols: ['NEW', 'PAID'] };
  const plain = [
    { name: 'gift', type: 'boolean' },
    { name: 'count', type: 'int' },
    { name: 'promoted', type: { type: 'int' } },
    { name: 'state', type: state },
    { name: 'note', type: ['null', 'string'] },
    { name: 'either', type: ['int', 'long'] },
  ];
  const record = { ...schema, fields: [schema.fields[0]!, ...plain] };
  const selected = plain.slice(0, 5).map((field) => (field.name === 'promoted' ? { ...field, type: 'long' } : field));
  const meta = whole.subarray(0, beforeAmount - 2);
  const sound = [1, 2, 2, 2, 2, 2, 0x61, 2, 2];

  it.each<[string, string, number[]]>([
    ['a boolean of 2', 'boolean', [2, ...sound.slice(1)]],
    ['an int of 33 bits', 'int-range', [1, 0xfe, 0xff, 0xff, 0xff, 0x1f, ...sound.slice(2)]],
    ['an int of 33 bits that is read as a long', 'int-range', [1, 2, 0xfe, 0xff, 0xff, 0xff, 0x1f, ...sound.slice(3)]],
    ['an int of six bytes', 'malformed', [1, 0x82, 0x80, 0x80, 0x80, 0x80, 0, ...sound.slice(2)]],
    ['a symbol that does not exist', 'enum-symbol', [1, 2, 2, 4, ...sound.slice(4)]],
    ['a branch that does not exist', 'union-branch', [1, 2, 2, 2, 6, ...sound.slice(5)]],
    ['a negative length', 'negative-length', [1, 2, 2, 2, 2, 1, ...sound.slice(6)]],
    ['a text that is not UTF-8', 'invalid-utf8', [1, 2, 2, 2, 2, 2, 0xff, 2, 2]],
    ['an end inside', 'truncated', sound.slice(0, 6)],
    ['an end inside what is not selected', 'truncated', sound.slice(0, 8)],
    ['a byte too many', 'trailing', [...sound, 0]],
  ])('%s: %s', async (_name, reason, bytes) => {
    const decoder = await decoderOf(record, selected);
    expect(decoder.decode('k', Buffer.concat([meta, Buffer.from(sound)]))!.data).toEqual({ gift: true, count: 1, promoted: 1, state: 'PAID', note: 'a' });
    expect(() => decoder.decode('k', Buffer.concat([meta, Buffer.from(bytes)]))).toThrow(
      expect.objectContaining({ code: 'fact.undecodable', details: expect.objectContaining({ reason }) }),
    );
  });

  it('are not looked at where nothing is selected', async () => {
    const decoder = await decoderOf(record, [plain[3]!]);
    expect(decoder.decode('k', Buffer.concat([meta, Buffer.from([2, ...sound.slice(1, 6), 0xff, 2, 2])]))!.data).toEqual({ state: 'PAID' });
  });

  it('are refused when its records hold each other so often that 2^40 values take no byte', async () => {
    const inner = (name: string, ...types: unknown[]) => ({ type: 'record', name, namespace: 'x', fields: types.map((type, at) => ({ name: `f${at}`, type })) });
    let type = inner('R0', 'null');
    for (let level = 1; level <= 40; level++) type = inner(`R${level}`, type, `x.R${level - 1}`);
    const decoder = await decoderOf({ ...record, fields: [...record.fields, { name: 'doubling', type }] }, selected);
    expect(() => decoder.decode('k', Buffer.concat([meta, Buffer.from(sound)]))).toThrow(expect.objectContaining({ details: expect.objectContaining({ reason: 'too-many-items' }) }));
  });
});

describe.each([
  ['with collections and recursion', schema, fields, whole],
  ['flat', flat, fields.slice(0, 3), flatWhole],
])('damaged bytes of a record %s', (_name, writer, selected, value) => {
  it('D6: are refused with a reason or give a fact, and never take much memory', async () => {
    const decoder = await decoderOf(writer, selected);
    let refused = 0;
    const heapBefore = process.memoryUsage();
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: value.length }),
        fc.array(fc.record({ index: fc.integer({ min: 5, max: value.length - 1 }), byte: fc.integer({ min: 0, max: 255 }) }), { maxLength: 4 }),
        fc.uint8Array({ maxLength: 12 }),
        (cut, flips, tail) => {
          const damaged = Buffer.from(value);
          for (const { index, byte } of flips) damaged[index] = byte;
          const bytes = Buffer.concat([damaged.subarray(0, cut), tail]);
          bytes.fill(0, 0, Math.min(4, bytes.length));
          if (bytes.length > 4) bytes[4] = 1;
          try {
            const fact = decoder.decode('k', bytes)!;
            expect(typeof fact.meta.sequence).toBe('number');
          } catch (error) {
            if (!(error instanceof FactlineError) || error.code !== 'fact.undecodable') throw error;
            refused++;
          }
        },
      ),
      { numRuns: 5_000 },
    );
    const grown = process.memoryUsage().arrayBuffers - heapBefore.arrayBuffers;
    expect(grown).toBeLessThan(64 * 1024 * 1024);
    expect(refused).toBeGreaterThan(1_000); // the damage did reach the decoder
  });
});
