import { readFileSync } from 'node:fs';
import avro from 'avsc';
import fc from 'fast-check';
import { FactlineError, parseId } from 'factline/kernel';
import { selectInSpec } from 'factline/testing';
import { fingerprintOf } from './canonical.js';
import { DECODE_MAX_ITEMS, FACT_MAX_BYTES } from './limits.js';
import { META_SCHEMA } from './meta.js';
import { readerSchema, selectFields } from './selection.js';
import type { AvroNode } from './avro-json.js';
import { type FactContext, FactDecoder, FactEncoder, type SelectedFact, type TopicDeclaration, defineFact, withSequence } from './index.js';

const at = { file: 'contracts.yaml', path: '$' };
const topic: TopicDeclaration = { name: 'shop.order', owner: 'shop', keyField: 'orderId', partitions: 1, kind: 'facts', settings: {} };
const line = {
  type: 'record',
  name: 'Line',
  namespace: 'shop',
  fields: [
    { name: 'sku', type: 'string' },
    { name: 'quantity', type: 'int' },
    { name: 'note', type: ['null', 'string'], default: null },
  ],
};
const schema = {
  type: 'record',
  name: 'OrderPaid',
  namespace: 'shop',
  fields: [
    { name: 'meta', type: META_SCHEMA },
    { name: 'orderId', type: 'string' },
    { name: 'totalCents', type: { type: 'long' } },
    { name: 'rate', type: 'double' },
    { name: 'gift', type: 'boolean' },
    { name: 'seal', type: { type: 'fixed', name: 'Seal', namespace: 'shop', size: 4 } },
    { name: 'scan', type: ['null', 'bytes'], default: null },
    { name: 'state', type: { type: 'enum', name: 'State', namespace: 'shop', symbols: ['NEW', 'PAID'] } },
    { name: 'lines', type: { type: 'array', items: line } },
    { name: 'labels', type: { type: 'map', values: 'long' } },
  ],
} as unknown as AvroNode;

interface Order {
  orderId: string;
  totalCents: number;
  rate: number;
  gift: boolean;
  seal: Uint8Array;
  scan?: Uint8Array | null;
  state: 'NEW' | 'PAID';
  lines: { sku: string; quantity: number; note?: string | null }[];
  labels: Record<string, number>;
}
const OrderPaid = defineFact<Order, 'orderId'>({ factName: 'shop.OrderPaid', topic, keyField: 'orderId', schema });
const encoder = new FactEncoder();

function selecting(...select: string[]): SelectedFact {
  const reader = readerSchema(selectFields(schema, select, at));
  return selectInSpec({ factName: 'shop.OrderPaid', topic: topic.name, schema: reader, fingerprint: fingerprintOf(reader) });
}

async function decoderFor(selected: readonly SelectedFact[], writer: object = schema): Promise<FactDecoder> {
  const decoder = new FactDecoder(selected, { byId: () => Promise.resolve(writer) });
  await decoder.prepare([7]);
  return decoder;
}

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const orders = fc.record({
  totalCents: fc.oneof(fc.maxSafeInteger(), fc.constantFrom(-(2 ** 52), -(2 ** 52) - 1, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)),
  rate: fc.double(),
  gift: fc.boolean(),
  seal: fc.uint8Array({ minLength: 4, maxLength: 4 }),
  scan: fc.option(fc.uint8Array({ maxLength: 50 })),
  state: fc.constantFrom('NEW' as const, 'PAID' as const),
  lines: fc.array(fc.record({ sku: text, quantity: fc.integer(), note: fc.option(text) }), { maxLength: 5 }),
  labels: fc.dictionary(text.filter((key) => key !== '__proto__'), fc.integer()).map((labels) => ({ ...labels })),
});
const order = { totalCents: 12, rate: 1, gift: false, seal: Buffer.from('seal'), state: 'NEW' as const, lines: [{ sku: 's', quantity: 1 }], labels: { a: 1 } };
const everything = ['orderId', 'totalCents', 'rate', 'gift', 'seal', 'scan', 'state', 'lines', 'labels'];

describe('a fact through the codec', () => {
  it('comes back as it went in, with its metadata', async () => {
    const decoder = await decoderFor([selecting(...everything)]);
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme', maxLength: 20 }), orders, fc.integer({ min: 1 }), (key, data, sequence) => {
        const { id, value } = encoder.encode(OrderPaid(key, data, { actor: 'ada' }), 7);
        const fact = decoder.decode(Buffer.from(key), withSequence(value, sequence))!;
        expect(fact).toMatchObject({ name: 'shop.OrderPaid', key });
        expect({ ...fact.data }).toEqual({ orderId: key, ...data, seal: Buffer.from(data.seal), scan: data.scan && Buffer.from(data.scan) });
        expect(fact.meta).toEqual({ id, sequence, occurredAt: expect.any(Number), correlationId: id, causationId: id, actor: 'ada' });
        expect(parseId(id)).toEqual(value.subarray(5, 21));
      }),
      { numRuns: 300 },
    );
  });

  it('carries what the context says', async () => {
    const decoder = await decoderFor([selecting('orderId')]);
    const occurredAt = new Date('2020-02-03T04:05:06.007Z');
    const { value } = encoder.encode(OrderPaid('o-1', order, { occurredAt, correlationId: 'request' }), 7);
    expect(decoder.decode('o-1', value)!.meta).toMatchObject({ occurredAt: occurredAt.getTime() * 1_000, correlationId: 'request', causationId: 'request', actor: null, sequence: 0 });
  });

  it('holds the selected fields and nothing else, also inside arrays', async () => {
    const decoder = await decoderFor([selecting('totalCents', 'lines.sku')]);
    const { value } = encoder.encode(OrderPaid('o-1', order), 7);
    expect(JSON.stringify(decoder.decode('o-1', value)!.data)).toBe('{"totalCents":12,"lines":[{"sku":"s"}]}');
  });

  it('is not decoded when its type is not selected', async () => {
    const { value } = encoder.encode(OrderPaid('o-1', order), 7);
    expect((await decoderFor([])).decode('o-1', value)).toBeUndefined();
  });

  it('knows the metadata of schemas/factline/Meta.avsc', () => {
    const file = JSON.parse(readFileSync(new URL('../../../schemas/factline/Meta.avsc', import.meta.url), 'utf8')) as object;
    expect(readerSchema(file as AvroNode)).toEqual(META_SCHEMA);
  });
});

describe('a fact that is not valid (D12 prototype keys, D13 text that is no Unicode)', () => {
  it.each<[string, object, FactContext?]>([
    ['totalCents', { ...order, totalCents: 2 ** 53 }],
    ['totalCents', { ...order, totalCents: 1.5 }],
    ['rate', { ...order, rate: '1' }],
    ['seal', { ...order, seal: Buffer.from('long seal') }],
    ['state', { ...order, state: 'LOST' }],
    ['lines[1].sku', { ...order, lines: [{ sku: 'a', quantity: 1 }, { sku: 7, quantity: 1 }] }],
    ['lines[0].note', { ...order, lines: [{ sku: 'a', quantity: 1, note: '\ud800' }] }],
    ['lines[0].quantity', { ...order, lines: [{ sku: 'a', quantity: 2 ** 31 }] }],
    ['labels.a', { ...order, labels: { a: 'b' } }],
    ['labels[key]', { ...order, labels: JSON.parse('{"__proto__": 1}') as object }],
    ['colour', { ...order, colour: 'red' }],
    ['gift', { ...order, gift: undefined }],
    ['meta.correlationId', order, { correlationId: '\udfff' }],
    ['meta.occurredAt', order, { occurredAt: new Date(Number.NaN) }],
  ])('is refused at %s', (path: string, data: object, context: FactContext = {}) => {
    expect(() => encoder.encode(OrderPaid('o-1', data as Order, context), 7)).toThrow(expect.objectContaining({ code: 'fact.invalid', kind: 'invalid', details: expect.objectContaining({ path }) }));
  });

  it.each(['', '\ud800', 'k'.repeat(1_025)])('is refused for its key', (key) => {
    expect(() => encoder.encode(OrderPaid(key, order), 7)).toThrow(expect.objectContaining({ code: 'fact.invalid', details: { path: 'orderId' } }));
  });

  it('D9: a long beyond 2^53 is refused when it is written and when it is read, and is exact up to there', async () => {
    const written = (totalCents: number) => encoder.encode(OrderPaid('o-1', { ...order, totalCents }), 7).value;
    const decoder = await decoderFor([selecting('totalCents')]);
    for (const edge of [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) expect(decoder.decode('o-1', written(edge))!.data).toEqual({ totalCents: edge });
    expect(() => written(2 ** 53)).toThrow(expect.objectContaining({ code: 'fact.invalid' }));

    const [key, twelve, beyond] = [Buffer.from('\u0006o-1'), Buffer.of(0x18), Buffer.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20)]; // zig-zag of 12 and of 2^53
    const value = written(12);
    const place = value.indexOf(Buffer.concat([key, twelve])) + key.length;
    const foreign = Buffer.concat([value.subarray(0, place), beyond, value.subarray(place + 1)]);
    expect(() => decoder.decode('o-1', foreign)).toThrow(expect.objectContaining({ code: 'fact.undecodable', details: expect.objectContaining({ reason: 'long-range' }) }));
    expect((await decoderFor([selecting('orderId')])).decode('o-1', foreign)!.data).toEqual({ orderId: 'o-1' }); // who does not select it is not held up
  });

  it('is refused when it holds more items than any reader takes, and is read up to there', async () => {
    const written = (labels: number) => encoder.encode(OrderPaid('o-1', { ...order, lines: [], labels: Object.fromEntries(Array.from({ length: labels }, (_, at) => [String(at), 1])) }), 7).value;
    const decoder = await decoderFor([selecting('orderId')]);
    const most = 90_000;
    expect(decoder.decode('o-1', written(most))!.data).toEqual({ orderId: 'o-1' });
    expect(() => written(DECODE_MAX_ITEMS + 1)).toThrow(expect.objectContaining({ code: 'fact.invalid', details: expect.objectContaining({ reason: 'too-many-items' }) }));
  });

  it('is refused when it is too large, and the encoder goes on', () => {
    const scan = Buffer.alloc(FACT_MAX_BYTES);
    expect(() => encoder.encode(OrderPaid('o-1', { ...order, scan }), 7)).toThrow(expect.objectContaining({ code: 'fact.too-large' }));
    expect(encoder.encode(OrderPaid('o-1', { ...order, scan: scan.subarray(500) }), 7).value.length).toBeLessThanOrEqual(FACT_MAX_BYTES);
  });
});

describe('a writer schema', () => {
  it('with more fields, an older one with fewer, and other defaults is read', async () => {
    const newer = structuredClone(schema);
    newer.fields!.splice(3, 0, { name: 'coupon', type: ['null', 'string'], default: null });
    const { value } = encoder.encode(defineFact<Order & { coupon: string }, 'orderId'>({ factName: 'shop.OrderPaid', topic, keyField: 'orderId', schema: newer })('o-1', { ...order, coupon: 'X' }), 7);
    expect({ ...(await decoderFor([selecting('orderId', 'state')], newer)).decode('o-1', value)!.data }).toEqual({ orderId: 'o-1', state: 'NEW' });

    const older = { ...schema, fields: schema.fields!.filter((field) => field.name !== 'scan') };
    const old = encoder.encode(defineFact<Order, 'orderId'>({ factName: 'shop.OrderPaid', topic, keyField: 'orderId', schema: older })('o-1', order), 7);
    expect((await decoderFor([selecting('scan')], older)).decode('o-1', old.value)!.data).toEqual({ scan: null });
  });

  it('D10: is the one that the value names, so fields in another order are read right; a value that names none is refused', async () => {
    const [key, total, ...rest] = schema.fields!.slice(1);
    const swapped = { ...schema, fields: [schema.fields![0], total, key, ...rest] } as unknown as AvroNode;
    const Swapped = defineFact<Order, 'orderId'>({ factName: 'shop.OrderPaid', topic, keyField: 'orderId', schema: swapped });
    const [seven, eight] = [encoder.encode(OrderPaid('o-1', order), 7).value, encoder.encode(Swapped('o-1', order), 8).value];
    const decoder = new FactDecoder([selecting('orderId', 'totalCents')], { byId: (id) => Promise.resolve(id === 7 ? schema : swapped) });
    await decoder.prepare([7, 8]);
    for (const value of [seven, eight]) expect(decoder.decode('o-1', value)!.data).toEqual({ orderId: 'o-1', totalCents: 12 });
    const nameless = eight.subarray(5);
    expect(() => decoder.decode('o-1', nameless)).toThrow(expect.objectContaining({ code: 'fact.undecodable', details: expect.objectContaining({ reason: 'magic' }) }));
    const pair = (...names: string[]) => avro.Type.forSchema({ type: 'record', name: 'P', fields: names.map((name) => ({ name, type: 'long' })) });
    expect(pair('from', 'to').fromBuffer(pair('to', 'from').toBuffer({ to: 1, from: 2 }))).toEqual({ from: 1, to: 2 }); // control: avsc alone takes another schema's bytes
  });

  it('that lacks a selected field is unreadable, and asked for once', async () => {
    const older = { ...schema, fields: schema.fields!.filter((field) => field.name !== 'state') };
    let asked = 0;
    const decoder = new FactDecoder([selecting('state')], { byId: () => (asked++, Promise.resolve(older)) });
    const { value } = encoder.encode(OrderPaid('o-1', order), 7);
    await decoder.prepare([7, 7]);
    await decoder.prepare(decoder.unprepared([value, null, Buffer.alloc(2)]));
    expect(asked).toBe(1);
    expect(() => decoder.decode('o-1', value)).toThrow(expect.objectContaining({ code: 'fact.unreadable', kind: 'integrity', details: { factName: 'shop.OrderPaid', schemaId: 7 } }));
  });

  it('the registry did not know is asked for again, and the record fails meanwhile', async () => {
    const unknown = new FactlineError({ code: 'registry.schema-unknown', kind: 'not-found', message: 'unknown' });
    let answer: () => Promise<object> = () => Promise.reject(unknown);
    const decoder = new FactDecoder([selecting('state')], { byId: () => answer() });
    const { value } = encoder.encode(OrderPaid('o-1', order), 7);
    await decoder.prepare(decoder.unprepared([value]));
    expect(() => decoder.decode('o-1', value)).toThrow(unknown);
    answer = () => Promise.resolve(schema);
    await decoder.prepare(decoder.unprepared([value]));
    expect(decoder.decode('o-1', value)!.data).toEqual({ state: 'NEW' });
  });

  it('the registry cannot say anything about decides nothing', async () => {
    const down = new FactlineError({ code: 'registry.unavailable', kind: 'unavailable', message: 'down' });
    const decoder = new FactDecoder([selecting('state')], { byId: () => Promise.reject(down) });
    await expect(decoder.prepare([7])).rejects.toBe(down);
    expect(decoder.unprepared([encoder.encode(OrderPaid('o-1', order), 7).value])).toEqual([7]);
  });

  it('that was not prepared is a defect of the caller, not of the record', () => {
    const decoder = new FactDecoder([], { byId: () => Promise.reject(new Error('not called')) });
    expect(() => decoder.decode('o-1', encoder.encode(OrderPaid('o-1', order), 9).value)).toThrow(expect.objectContaining({ code: 'fact.unprepared' }));
  });
});

describe('avsc beneath the codec', () => {
  it('would round, replace and over-allocate without our types (negative control)', () => {
    const long = avro.Type.forSchema('long');
    expect(long.fromBuffer(long.toBuffer(-(2 ** 52) - 1))).toBe(2 ** 52);
    expect(avro.Type.forSchema('string').fromBuffer(Buffer.of(2, 0xff))).toBe('\ufffd');
    expect(avro.Type.forSchema({ type: 'array', items: 'null' }).fromBuffer(Buffer.of(0x80, 0x89, 0x7a, 0))).toHaveLength(1_000_000);
  });
});
