import fc from 'fast-check';
import { selectInSpec } from 'factline/testing';
import type { AvroJson, AvroNode } from '../avro-json.js';
import { checkedType } from '../checked-types.js';
import { Dice, Inventor } from '../compatibility/invented-schemas.spec.support.js';
import { printed } from '../compatibility/schema-shapes.spec.support.js';
import { decodeValue } from '../decode-value.js';
import { FIXTURES_MAX, FIXTURE_MAX_BYTES } from '../limits.js';
import { registeredRecord } from '../lock/normal-form.js';
import { META_SCHEMA } from '../meta.js';
import { readerSchema } from '../selection.js';
import { compileCheck } from '../value-check.js';
import { FactDecoder, FactEncoder, defineFact } from '../index.js';
import { fixturesOf } from './fixtures.js';

const record = (...fields: unknown[]) => ({ type: 'record', name: 'Thing', namespace: 'shop', fields }) as unknown as AvroNode;
const field = (name: string, type: unknown, more: object = {}) => ({ name, type, ...more });
const enumeration = (name: string, ...symbols: string[]) => ({ type: 'enum', name, namespace: 'shop', symbols });
const made = (schema: AvroNode) => Object.fromEntries(fixturesOf(schema).fixtures.map(({ name, value }) => [name, value as Record<string, unknown>]));
const namesOf = (schema: AvroNode) => fixturesOf(schema).fixtures.map(({ name }) => name);

const line = { type: 'record', name: 'Line', namespace: 'shop', fields: [field('sku', 'string'), field('kind', enumeration('Kind', 'GOODS', 'GIFT')), field('note', ['null', 'string'], { default: null })] };
const card = { type: 'record', name: 'Card', namespace: 'shop', fields: [field('brand', enumeration('Brand', 'ONE', 'TWO'))] };
const ORDER = record(
  field('orderId', 'string'),
  field('lines', { type: 'array', items: line }),
  field('labels', { type: 'map', values: ['null', 'long'] }),
  field('paid', [{ type: 'enum', name: 'Cash', namespace: 'shop', symbols: ['COINS', 'NOTES'] }, 'null', 'shop.Card', 'long'].map((branch) => (branch === 'shop.Card' ? card : branch))),
  field('currency', 'string', { default: 'EUR' }),
  field('gift', 'shop.Line'),
);

/** Each branch and each symbol that occurs in values, by where it is declared: read from their bytes by another reader than the one that made them. */
function occurring(schema: AvroNode, values: readonly unknown[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const look = (type: AvroJson, value: unknown): void => {
    if (Array.isArray(type)) {
      const [branch, inner] = value === null ? ['null', null] : Object.entries(value as object)[0]!;
      seen.add(`${JSON.stringify(type)} ${branch}`);
      const declared = type.find((each) => branchName(each) === branch)!;
      return look(declared, inner);
    }
    const node = typeof type === 'string' ? declarations.get(type) : type;
    if (node?.symbols) seen.add(`${node.namespace}.${node.name} ${String(value)}`);
    for (const each of node?.fields ?? []) look(each.type, (value as Record<string, unknown>)[each.name]);
    if (node?.items !== undefined) for (const each of value as unknown[]) look(node.items, each);
    if (node?.values !== undefined) for (const each of Object.values(value as object)) look(node.values, each);
    if (typeof node?.type === 'object') look(node.type, value);
  };
  const declarations = declared(schema).named;
  for (const value of values) look(schema, decodeValue(schema, checkedType(schema).toBuffer(value)));
  return seen;
}

const branchName = (branch: AvroJson): string => (typeof branch === 'string' ? branch : Array.isArray(branch) ? '' : branch.name === undefined ? branchName(branch.type) : branch.namespace ? `${branch.namespace}.${branch.name}` : branch.name);

/** All that should occur, and the named types. */
function declared(schema: AvroNode): { all: ReadonlySet<string>; named: ReadonlyMap<string, AvroNode> } {
  const all = new Set<string>();
  const named = new Map<string, AvroNode>();
  const look = (type: AvroJson | undefined): void => {
    if (type === undefined || typeof type === 'string') return;
    if (Array.isArray(type)) {
      for (const branch of type) all.add(`${JSON.stringify(type)} ${branchName(branch)}`);
      return type.forEach(look);
    }
    if (type.name !== undefined) named.set(branchName(type), type);
    for (const symbol of type.symbols ?? []) all.add(`${type.namespace}.${type.name} ${symbol}`);
    for (const each of type.fields ?? []) look(each.type);
    for (const inner of [type.items, type.values, type.type]) look(inner);
  };
  look(schema);
  return { all, named };
}

describe('the fixtures of a schema', () => {
  it('are named after the one place where they are not usual', () => {
    expect(namesOf(ORDER)).toEqual([
      'usual', 'least', 'most', 'lowest',
      'lines: empty', 'lines[].kind: GIFT', 'lines[].note: null', 'labels: empty', 'labels{}: null',
      'paid<shop.Cash>: NOTES', 'paid: null', 'paid: shop.Card', 'paid<shop.Card>.brand: TWO', 'paid: long',
      'currency: left out', 'gift.note: null', 'gift.kind: GIFT',
    ]);
    expect(made(ORDER)['paid<shop.Card>.brand: TWO']).toEqual({ ...made(ORDER)['usual'], paid: { brand: 'TWO' } });
    expect(made(ORDER)['currency: left out']).not.toHaveProperty('currency');
    expect(fixturesOf(ORDER).leftOut).toEqual([]);
  });

  it('hold the least, the most and the lowest that every part of the way can hold', () => {
    const fields = {
      text: 'string', flag: 'boolean', short: 'int', long: 'long', single: 'float', real: 'double', raw: 'bytes', list: { type: 'array', items: 'int' },
      day: { type: 'int', logicalType: 'date' }, at: { type: 'long', logicalType: 'timestamp-millis' }, exactlyAt: { type: 'long', logicalType: 'timestamp-micros' }, time: { type: 'int', logicalType: 'time-millis' },
      ticket: { type: 'string', logicalType: 'uuid' }, price: { type: 'bytes', logicalType: 'decimal', precision: 5, scale: 2 },
      rate: { type: 'fixed', name: 'Rate', namespace: 'shop', size: 2, logicalType: 'decimal', precision: 9, scale: 2 }, seal: { type: 'fixed', name: 'Seal', namespace: 'shop', size: 2 },
    };
    const { least, most, lowest } = made(record(...Object.entries(fields).map(([name, type]) => field(name, type))));
    expect(least).toMatchObject({ text: '', flag: false, short: 0, long: 0, real: 0, list: [], day: 0, at: 0, price: Buffer.from([0]), rate: Buffer.from([0, 0]), seal: Buffer.from([0, 0]), raw: Buffer.alloc(0) });
    expect(most).toMatchObject({ flag: true, short: 2 ** 31 - 1, long: 2 ** 53 - 1, real: Number.MAX_VALUE, list: [2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1], time: 86_399_999, exactlyAt: 2 ** 53 - 1, seal: Buffer.from('ffff', 'hex') });
    expect(lowest).toMatchObject({ short: -(2 ** 31), long: -(2 ** 53 - 1), real: -Number.MAX_VALUE, list: [-(2 ** 31)], time: 0 });
    const days = [most, lowest].flatMap((each) => [new Date((each!['day'] as number) * 86_400_000), new Date(each!['at'] as number)].map((date) => date.toISOString()));
    expect(days).toEqual(['9999-12-31T00:00:00.000Z', '9999-12-31T23:59:59.999Z', '0001-01-01T00:00:00.000Z', '0001-01-01T00:00:00.000Z']);
    expect(Math.fround(most!['single'] as number)).toBe(most!['single']);
    expect((most!['text'] as string).length).toBe(300);
    expect(JSON.stringify(most)).not.toContain('\\u0000');
    const unscaled = (bytes: unknown) => (bytes as Buffer).readIntBE(0, (bytes as Buffer).length);
    expect([most, lowest].map((each) => [unscaled(each!['price']), unscaled(each!['rate'])])).toEqual([[99_999, 2 ** 15 - 1], [-99_999, -(2 ** 15) + 1]]);
  });

  it('are accepted by the encoder that producers use, and read as they were written, byte for byte', async () => {
    const schema = record(field('meta', META_SCHEMA), ...ORDER.fields!);
    const topic = { name: 'shop', owner: 'shop', keyField: 'orderId', partitions: 1, kind: 'facts', settings: {} } as const;
    const Thing = defineFact<{ orderId: string }, 'orderId'>({ factName: 'shop.Thing', topic, keyField: 'orderId', schema });
    const decoder = new FactDecoder([selectInSpec({ factName: 'shop.Thing', topic: 'shop', schema: readerSchema(ORDER), fingerprint: '' })], { byId: async () => schema });
    await decoder.prepare([1]);
    const { fixtures } = fixturesOf(schema);
    expect(fixtures.map(({ name }) => name)).toEqual(expect.arrayContaining([...namesOf(ORDER), 'meta.actor: null']));
    for (const { value } of fixtures) {
      const { meta: _meta, ...data } = value as { orderId: string; meta: unknown; currency?: string };
      const fact = decoder.decode('o-1', new FactEncoder().encode(Thing('o-1', data), 1).value)!;
      const written = { currency: 'EUR', ...data, orderId: 'o-1' };
      expect(checkedType(ORDER).toBuffer(fact.data).equals(checkedType(ORDER).toBuffer(written))).toBe(true);
    }
  });

  it('are always the same ones', () => {
    expect(JSON.stringify(fixturesOf(structuredClone(ORDER)))).toBe(JSON.stringify(fixturesOf(ORDER)));
  });

  it('end where types do not, and show them inside themselves', () => {
    const node = record(field('label', 'string'), field('next', ['null', 'shop.Thing']), field('children', { type: 'array', items: 'shop.Thing' }));
    const leaf = { label: 'label', next: null, children: [] };
    expect(made(node)).toMatchObject({ usual: leaf, 'next: shop.Thing': { ...leaf, next: leaf }, 'children: one': { ...leaf, children: [leaf] } });
    const other = { type: 'record', name: 'Other', namespace: 'shop', fields: [field('back', ['null', 'shop.Thing'])] };
    expect(made(record(field('other', other)))).toMatchObject({ usual: { other: { back: null } }, 'other.back: shop.Thing': { other: { back: { other: { back: null } } } } });
    expect(fixturesOf(record(field('self', 'shop.Thing'))).leftOut).toEqual(['usual', 'least', 'most', 'lowest']);
  });

  it('hold every branch and every symbol of invented schemas, and come back byte for byte', () => {
    let [whole, things] = [0, 0];
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (seed) => {
        const schema = registeredRecord(printed(Inventor.schema(new Dice(seed))));
        if (typeof schema === 'string' || schema.namespace === '' || !avscTakes(schema)) return;
        const { fixtures, leftOut } = fixturesOf(schema);
        const type = checkedType(schema);
        const check = compileCheck(type);
        for (const { value } of fixtures) {
          const bytes = type.toBuffer(check(value, '')); // as the encoder does
          expect([type.toBuffer(value), type.toBuffer(type.fromBuffer(bytes))].every((each) => each.equals(bytes))).toBe(true);
        }
        if (leftOut.length > 0) return;
        const { all } = declared(schema);
        const seen = occurring(schema, fixtures.map(({ value }) => value));
        expect([...all].filter((each) => !seen.has(each))).toEqual([]);
        whole += 1;
        things += all.size;
      }),
      { numRuns: 2_000, seed: 7 },
    );
    expect(whole).toBeGreaterThan(300);
    expect(things).toBeGreaterThan(1_500);
  });

  it('control: one value of a schema, as an example is, does not hold them', () => {
    const seen = occurring(ORDER, [made(ORDER)['usual']]);
    expect([...declared(ORDER).all].filter((each) => !seen.has(each))).toContain('shop.Kind GIFT');
  });
});

describe('what is beyond the limits', () => {
  const symbols = (count: number) => Array.from({ length: count }, (_each, at) => `S${at}`);

  it('is left out by name', () => {
    const { fixtures, leftOut } = fixturesOf(record(field('code', enumeration('Code', ...symbols(2_000)))));
    expect(fixtures).toHaveLength(FIXTURES_MAX);
    expect(new Set([...fixtures.map(({ name }) => name), ...leftOut])).toEqual(new Set(['usual', 'most', ...symbols(2_000).slice(1).map((symbol) => `code: ${symbol}`)]));
  });

  it('is at places where a type occurs again, sooner than at the first of them', () => {
    const codes = record(...['one', 'two', 'three'].map((name, at) => field(name, at === 0 ? enumeration('Code', ...symbols(600)) : 'shop.Code')), field('kind', enumeration('Kind', 'A', 'B', 'C')));
    const { fixtures, leftOut } = fixturesOf(codes);
    expect(fixtures.map(({ name }) => name)).toContain('kind: B');
    expect(leftOut).toEqual([...symbols(600).slice(398).map((symbol) => `two: ${symbol}`), 'three: as shop.Code elsewhere']);
  });

  it('is refused by no stack and takes no time: a type that doubles at each level', () => {
    const levels = Array.from({ length: 24 }, (_each, at) => field(`f${at}`, { type: 'record', name: `R${at}`, namespace: 'shop', fields: at === 0 ? [field('flag', ['null', 'long'])] : [field('a', `shop.R${at - 1}`), field('b', `shop.R${at - 1}`)] }));
    const { fixtures, leftOut } = fixturesOf(record(...levels));
    expect(fixtures).toEqual([]); // 16 million values
    expect(leftOut.length).toBeLessThan(10 * FIXTURES_MAX);
    expect(leftOut).toEqual(expect.arrayContaining(['usual', 'f0.flag: null']));
  });

  it('is too much at once: fewer elements, and then none', () => {
    const bytes = (value: AvroNode) => Math.max(...fixturesOf(value).fixtures.map((each) => checkedType(value).toBuffer(each.value).length));
    const wide = { type: 'array', items: { type: 'record', name: 'Wide', namespace: 'shop', fields: Array.from({ length: 400 }, (_each, at) => field(`t${at}`, 'string')) } };
    expect((made(record(field('wide', wide)))['most']!['wide'] as unknown[]).length).toBe(2); // the third would be beyond 1,000 values
    const heavy = record(...Array.from({ length: 900 }, (_each, at) => field(`f${at}`, at === 0 ? { type: 'fixed', name: 'Heavy', namespace: 'shop', size: 1_000 } : 'shop.Heavy')));
    expect(fixturesOf(heavy)).toEqual({ fixtures: [], leftOut: ['usual', 'least', 'most', 'lowest'] });
    expect(bytes(record(...Array.from({ length: 900 }, (_each, at) => field(`t${at}`, 'string'))))).toBeLessThan(FIXTURE_MAX_BYTES);
  });
});

function avscTakes(schema: AvroNode): boolean {
  try {
    checkedType(schema);
    return true;
  } catch {
    return false;
  }
}
