import { until } from 'factline/testing';
import { byKey, statedFacts } from './support/employee-topic.js';
import { type App, type Estate, estate } from './support/estate.js';
import { ask } from './support/rest.js';
import { Shop } from './support/shop.js';

let here: Estate;
let orders: App;
let inventory: App;

beforeAll(async () => {
  here = await estate({ apps: ['orders', 'inventory'] });
  [orders, inventory] = [await here.start('orders'), await here.start('inventory')];
});

afterAll(() => here?.close());

const onHand = async ({ product }: Shop) => (await ask(`${inventory.url}/products/${product}`)).body['onHand'];
/** What inventory stated of a product, as any Kafka client sees it. */
const statedOf = async ({ product }: Shop) => byKey(await statedFacts(here, 'inventory.product')).get(product) ?? [];

it('from a payment over REST to a StockChanged that carries its correlation id; cancelled, it comes back', async () => {
  const shop = new Shop(here, 'mug');
  await shop.deliver(inventory.url, 10);
  const id = shop.orderId();
  const line = { productId: shop.product, quantity: 4, unitPriceCents: 100 };
  expect((await ask(`${orders.url}/orders`, 'POST', { id, customerId: 'c-1', currency: 'EUR', lines: [line] })).status).toBe(201);
  expect((await ask(`${orders.url}/orders/${id}/payments`, 'POST', { amountCents: 400, cardCountry: 'DE' }, { 'x-correlation-id': `${id}-pay` })).status).toBe(200);
  await until('the stock to be less', async () => (await onHand(shop)) === 6);
  expect((await ask(`${orders.url}/orders/${id}/cancellation`, 'POST', { reason: 'CHANGED_MIND' })).body['status']).toBe('CANCELLED');
  await until('the stock to be back', async () => (await onHand(shop)) === 10);
  const facts = await until('all of it to be stated', async () => ((await statedOf(shop)).length === 3 ? statedOf(shop) : undefined));
  expect(facts.map(({ name, sequence, data }) => [name, sequence, data])).toEqual([
    ['inventory.StockChanged', 1, { productId: shop.product, onHand: 10, change: 10, reason: 'DELIVERED', orderId: null }],
    ['inventory.StockChanged', 2, { productId: shop.product, onHand: 6, change: -4, reason: 'SOLD', orderId: id }],
    ['inventory.StockChanged', 3, { productId: shop.product, onHand: 10, change: 4, reason: 'CANCELLED', orderId: id }],
  ]);
  expect(facts[1]!.correlationId).toBe(`${id}-pay`);
});

it('is refused by a fact when there is too little, and the stock stays as it is', async () => {
  const shop = new Shop(here, 'pot');
  await shop.deliver(inventory.url, 2);
  expect((await shop.buy(orders.url, 3)).status).toBe(200);
  const facts = await until('the refusal', async () => ((await statedOf(shop)).length === 2 ? statedOf(shop) : undefined));
  expect(facts[1]).toMatchObject({ name: 'inventory.DeductionRefused', data: { productId: shop.product, orderId: `${shop.product}-1`, asked: 3, onHand: 2 } });
  expect(await onHand(shop)).toBe(2);
});

it('and only once, also when inventory is killed with -9 again and again while customers buy', async () => {
  const shop = new Shop(here, 'cup');
  await shop.deliver(inventory.url);
  let done = false;
  const buying = shop.buyUntil(() => done, orders.url, 500);
  for (let kills = 0; kills < 3; kills++) {
    const before = (await shop.paid()).length;
    await until('some more orders', async () => (await shop.paid()).length >= before + 10);
    await inventory.program.stop('SIGKILL');
    inventory = await here.start('inventory');
  }
  done = true;
  await buying;
  await until('every paid order to be taken out', async () => (await shop.faults()).lost.length === 0);
  await shop.handled();
  expect(await shop.faults()).toEqual({ lost: [], strange: [], doubled: 0 });
});

it('control: what is wrong with a stock is seen', async () => {
  const shop = new Shop(here, 'jar');
  await shop.deliver(inventory.url);
  await shop.wave(orders.url, 2);
  await until('both to be taken out', async () => (await shop.faults()).lost.length === 0);
  const store = here.store('inventory');
  await store.query('update product set on_hand = on_hand - 2 where id = $1', [shop.product]);
  await store.query("delete from deduction where order_id = $1", [`${shop.product}-1`]);
  await store.query("insert into deduction values ('nobody', $1, 5)", [shop.product]);
  // 1 was given back to nobody and 2 and 5 are noted: of the 5 that are gone, 7 are explained
  expect(await shop.faults()).toEqual({ lost: [`1 for ${shop.product}-1`], strange: ['5 for nobody'], doubled: -2 });
});
