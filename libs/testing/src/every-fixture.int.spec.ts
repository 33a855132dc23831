import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadSchemas } from 'factline/contracts';
import { formatLock } from 'factline/contracts/lock';
import { projection } from 'factline/projections';
import { everyFixture, selectInSpec, specFor } from './index.js';

/** A repository with one fact, which is declared with a symbol and a field more than it was registered with. */
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'factline-fixtures-'));
  await write('schemas/shop/order/topic.yaml', 'name: shop.order\nowner: shop\nkeyField: orderId\npartitions: 1\nkind: facts\n');
  const versions = [];
  for (const [at, before] of [placed(['OPEN', 'PAID']), placed(['OPEN', 'PAID'], gift)].entries()) {
    await write('schemas/shop/order/OrderPlaced.avsc', JSON.stringify(before));
    versions.push({ version: at + 1, id: at + 7, schema: (await loadSchemas(join(root, 'schemas'))).facts.get('shop.OrderPlaced')!.schema });
  }
  await write('schemas/registry.lock.json', formatLock({ name: 'lock', subjects: new Map([['shop.OrderPlaced', { versions }]]) }));
  await write('schemas/shop/order/OrderPlaced.avsc', JSON.stringify(placed(['OPEN', 'PAID', 'LOST'], gift)));
});
afterAll(() => rm(root, { recursive: true }));

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, file)), { recursive: true });
  await writeFile(join(root, file), text);
}

const gift = { name: 'gift', type: ['null', 'string'], default: null };
const state = (symbols: readonly string[]) => ({ name: 'state', type: { type: 'enum', name: 'State', namespace: 'shop', symbols, default: 'OPEN' } });
const placed = (symbols: readonly string[], ...more: object[]) => ({
  type: 'record',
  name: 'OrderPlaced',
  namespace: 'shop',
  fields: [{ name: 'meta', type: 'factline.Meta' }, { name: 'orderId', type: 'string' }, state(symbols), { name: 'cents', type: 'long' }, { name: 'note', type: ['null', 'string'], default: null }, ...more],
});

interface Placed {
  orderId: string;
  state: 'OPEN' | 'PAID' | 'LOST';
  gift: string | null;
}
const selecting = (symbols: readonly string[], ...more: object[]) =>
  selectInSpec<Placed>({ factName: 'shop.OrderPlaced', topic: 'shop.order', schema: { type: 'record', name: 'OrderPlaced', namespace: 'shop', fields: [{ name: 'orderId', type: 'string' }, state(symbols), gift, ...more] }, fingerprint: symbols.join() });
const OrderPlaced = selecting(['OPEN', 'PAID', 'LOST']);
const model = (row: (placed: Placed) => { state: number; gift: string }) =>
  projection({ name: 'orders', version: 1, key: 'id', columns: { id: 'text', state: 'integer', gift: 'text' } }).on(OrderPlaced, (_none, { key, data }) => ({ id: key, ...row(data) }));
const STATES = { OPEN: 0, PAID: 1, LOST: 2 };
const careful = model((data) => ({ state: STATES[data.state], gift: data.gift ?? '' }));

describe('every fixture of a fact', () => {
  it('is what its consumer gets of each registered version and of the declared one', async () => {
    const fixtures = await everyFixture(OrderPlaced, { root });
    const shown = (version: string) => fixtures.flatMap(([title, { data }]) => (title.includes(` ${version} `) ? [[title.split(`${version} `)[1], data.state, data.gift]] : []));
    // the fields that nobody selected make no difference, but for who and when: 'note: null' is not there
    expect(shown('v1')).toEqual([['usual', 'OPEN', null], ['least', 'OPEN', null], ['most', 'PAID', null], ['lowest', 'OPEN', null], ['meta.actor: null', 'OPEN', null], ['state: PAID', 'PAID', null]]);
    expect(shown('v2').map(([name, , given]) => [name, typeof given])).toEqual([['usual', 'string'], ['least', 'object'], ['most', 'string'], ['lowest', 'string'], ['meta.actor: null', 'string'], ['state: PAID', 'string'], ['gift: null', 'object']]);
    expect(shown('declared').slice(5)).toEqual([['state: PAID', 'PAID', 'gift'], ['state: LOST', 'LOST', 'gift'], ['gift: null', 'OPEN', null]]);
    expect((await everyFixture(OrderPlaced, { root, versions: 'declared' })).map(([title]) => title)).toEqual(fixtures.flatMap(([title]) => (title.includes(' declared ') ? [title] : [])));
  });

  it('is a fact as it is received: selected fields alone, key, origin', async () => {
    const [usual, least] = (await everyFixture([OrderPlaced], { root })).map(([, fact]) => fact);
    expect(usual).toMatchObject({ name: 'shop.OrderPlaced', key: usual!.data.orderId, meta: { sequence: 1, actor: 'actor', occurredAt: Date.UTC(2024, 9, 4, 12) * 1_000 } });
    expect(Object.keys(usual!.data)).toEqual(['orderId', 'state', 'gift']);
    expect(least).toMatchObject({ key: usual!.key, meta: { actor: null, occurredAt: 0 } });
  });

  it('is, for a consumer that knows fewer symbols, what its enum makes of the others', async () => {
    const states = (await everyFixture(selecting(['OPEN', 'PAID']), { root })).map(([title, { data }]) => [title, data.state]);
    expect(states).toContainEqual(['shop.OrderPlaced declared most', 'OPEN']); // written as LOST
    expect(new Set(states.map(([, found]) => found))).toEqual(new Set(['OPEN', 'PAID']));
  });

  it('goes through a fold that thinks of everything', async () => {
    specFor(careful).over(await everyFixture(careful.facts, { root }));
  });

  it('finds the fold that forgets a field that may be null, by name', async () => {
    const forgetful = model((data) => ({ state: STATES[data.state], gift: data.gift!.trim() }));
    const fixtures = await everyFixture(forgetful.facts, { root });
    expect(() => specFor(forgetful).over(fixtures)).toThrow(expect.objectContaining({ code: 'testing.fixtures-refused', message: expect.stringContaining('shop.OrderPlaced v2 least') as string }));
    const declared = fixtures.filter(([title]) => title.startsWith('shop.OrderPlaced declared') && !title.endsWith(' least'));
    expect(() => specFor(forgetful).over(declared)).toThrow(/fails on 1 of 7 .*\n {2}shop\.OrderPlaced declared gift: null: /);
  });

  it('finds the fold that does not know a new symbol, by name', async () => {
    const KNOWN: Record<string, number> = { OPEN: 0, PAID: 1 };
    const old = model((data) => ({ state: KNOWN[data.state]!, gift: data.gift ?? '' }));
    const fixtures = await everyFixture(old.facts, { root });
    expect(() => specFor(old).over(fixtures)).toThrow(/fails on 2 of 21 .*\n {2}shop\.OrderPlaced declared most: .*'state' is undefined.*\n {2}shop\.OrderPlaced declared state: LOST: /);
    specFor(old).over(fixtures.filter(([title]) => !title.includes('declared'))); // control: before the change it was right
  });

  it('is refused where something is left out, unless somebody is told', async () => {
    const code = { name: 'code', type: { type: 'enum', name: 'Code', namespace: 'shop', symbols: Array.from({ length: 1_500 }, (_each, at) => `S${at}`) } };
    await write('many/shop/order/topic.yaml', 'name: shop.order\nowner: shop\nkeyField: orderId\npartitions: 1\nkind: facts\n');
    await write('many/shop/order/OrderPlaced.avsc', JSON.stringify(placed(['OPEN'], code, gift)));
    const titles: string[] = [];
    const options = { root, schemas: 'many' };
    const all = selecting(['OPEN'], code);
    await expect(everyFixture(all, options)).rejects.toMatchObject({ code: 'testing.fixtures-left-out', message: expect.stringContaining('more.') as string, details: { titles: expect.arrayContaining(['shop.OrderPlaced declared code: S1499']) as string[] } });
    expect(await everyFixture(all, { ...options, leftOut: (title) => titles.push(title) })).toHaveLength(1_000);
    expect(titles).toContain('shop.OrderPlaced declared code: S1499');
    expect(await everyFixture(selecting(['OPEN']), options)).toHaveLength(6); // who does not select the field misses nothing
  });

  it('needs the declaration, and a selection that every version can be read through', async () => {
    const Other = selectInSpec({ factName: 'shop.OrderLost', topic: 'shop.order', schema: { type: 'record', name: 'OrderLost', namespace: 'shop', fields: [] }, fingerprint: '' });
    await expect(everyFixture(Other, { root })).rejects.toMatchObject({ code: 'testing.fact-undeclared', kind: 'configuration' });
    await expect(everyFixture(OrderPlaced, { root, schemas: 'elsewhere' })).rejects.toMatchObject({ code: 'declaration.unreadable', kind: 'configuration' });
    await expect(everyFixture(selecting(['OPEN'], { name: 'never', type: 'long' }), { root })).rejects.toMatchObject({ code: 'fact.unreadable', details: { schemaId: 7 } });
  });
});
