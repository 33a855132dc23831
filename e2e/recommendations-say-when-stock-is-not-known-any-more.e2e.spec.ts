import { type Stack, startStack, stackEnvironment } from 'factline/stack';
import { until } from 'factline/testing';
import { type App, type Estate, estate } from './support/estate.js';
import { holdPartition } from './support/held-partition.js';
import { STOCK_TOPIC, deliver, productsApart, recommendation, stockPartition } from './support/stock.js';

/** As apps/recommendations/src/stock.caches.ts declares. */
const STALE_AFTER_SECONDS = 8;
/** A partition is held for everybody here, and the list shows all products there are: so this spec has a stack of its own. */
const STACK_STARTS_WITHIN = 240_000;

let stack: Stack;
let here: Estate;
let inventory: App;
let recommendations: App;
/** On different partitions. */
let [mug, pot] = ['', ''];

beforeAll(async () => {
  stack = await startStack({ from: 'packages' });
  here = await estate({ apps: ['inventory', 'recommendations'], env: { ...stackEnvironment(stack) } });
  [inventory, recommendations] = [await here.start('inventory'), await here.start('recommendations')];
  [mug, pot] = productsApart(`${here.world.name}-`);
  for (const product of [mug, pot]) await deliver(inventory.url, product, 10);
  await shows(mug, 10);
  await shows(pot, 10);
}, STACK_STARTS_WITHIN);

afterAll(async () => {
  await here?.close();
  await stack?.stop();
});

const read = async (product?: string) => (await recommendation(recommendations.url, product)).body;
const shows = (product: string, onHand: number) => until(`${onHand} of ${product}`, async () => [await read(product)].find((body) => body['onHand'] === onHand && body['stale'] === false));
const turnsStale = (product?: string) => until(`a stale answer about ${product ?? 'all'}`, async () => [await read(product)].find(({ stale }) => stale === true));

it('answers from its cache as of a time after which the bound has not passed, and follows each change of stock', async () => {
  await deliver(inventory.url, mug, 5);
  await shows(mug, 15);
  const { headers, body } = await recommendation(recommendations.url, mug);
  expect(body).toMatchObject({ productId: mug, onHand: 15, sold: 0, recommended: true, stale: false });
  expect(body['ageSeconds']).toBeLessThanOrEqual(STALE_AFTER_SECONDS);
  expect([headers.get('factline-as-of'), headers.get('factline-stale')]).toEqual([body['asOf'], 'false']);
  const unknown = await recommendation(recommendations.url, 'never-delivered');
  expect(unknown).toMatchObject({ status: 404, body: { code: 'product.unknown' } });
  expect(unknown.headers.get('factline-stale')).toMatch(/^(true|false)$/);
});

it('recommends what is in stock, in the order of its rule', async () => {
  const { items } = (await until('a list with both', async () => [await read()].find(({ items }) => [mug, pot].every((id) => (items as { productId: string }[]).some(({ productId }) => productId === id))))) as unknown as { items: { productId: string; onHand: number; sold: number }[] };
  expect(items.every(({ onHand }) => onHand > 0)).toBe(true);
  expect(items).toEqual(items.toSorted((a, b) => b.sold - a.sold || b.onHand - a.onHand || (a.productId < b.productId ? -1 : 1)));
});

it('says within the bound that its answers are stale when the relay of inventory is killed, and what they were; and is fresh again when there is one', async () => {
  expect((await read(pot))['stale']).toBe(false);
  await inventory.program.stop('SIGKILL');
  for (const product of [mug, pot, undefined]) expect((await turnsStale(product))['ageSeconds']).toBeGreaterThanOrEqual(STALE_AFTER_SECONDS);
  const { headers, body } = await recommendation(recommendations.url, pot);
  expect(body).toMatchObject({ onHand: 10, stale: true, recommended: true });
  expect(headers.get('factline-stale')).toBe('true');
  inventory = await here.start('inventory');
  await shows(pot, 10);
  await deliver(inventory.url, pot, 1);
  await shows(pot, 11);
});

it('calls the products of one partition stale when it alone is cut off, and no others; the list, which depends on all, is stale too', async () => {
  await Promise.all([mug, pot].map((product) => until('a fresh answer', async () => (await read(product))['stale'] === false)));
  const release = await holdPartition(here.world.kafka, STOCK_TOPIC, stockPartition(mug));
  try {
    await deliver(inventory.url, mug, 1);
    await turnsStale(mug);
    expect(await read(pot)).toMatchObject({ stale: false });
    await turnsStale();
    expect(await read(pot)).toMatchObject({ stale: false });
    expect(await read(mug)).toMatchObject({ onHand: 15, stale: true });
  } finally {
    await release();
  }
  await shows(mug, 16);
});
