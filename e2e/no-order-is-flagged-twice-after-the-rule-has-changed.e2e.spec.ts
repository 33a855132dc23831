import { type FactOwner, factOwner, until } from 'factline/testing';
import { Customers } from './support/customers.js';
import { byKey, statedFacts } from './support/employee-topic.js';
import { type App, type Estate, estate } from './support/estate.js';
import { ask } from './support/rest.js';

let here: Estate;
let risk: App;
let orders: FactOwner;
let inventory: FactOwner;
let customers: Customers;

beforeAll(async () => {
  here = await estate({ apps: ['risk'] });
  [orders, inventory] = [await factOwner(here.world, 'orders'), await factOwner(here.world, 'inventory')];
  customers = new Customers(orders, inventory, here.world.name);
  risk = await here.start('risk');
  await until('its topic', async () => ((await ask(`${risk.url}/health`)).body['topics'] as { state: string }).state === 'ready'); // it is read below
});

afterAll(() => here?.close());

const riskOf = async (customer: string) => (await ask(`${risk.url}/customers/${customer}/risk`)).body;
/** What is on the topic, by order, as any Kafka client sees it. */
const stated = async () => byKey(await statedFacts({ world: here.world, prefix: here.world.name }, 'risk.order'));
const flags = async (order: string) => ((await stated()).get(order) ?? []).map(({ data }) => data);
const flagged = (order: string, reasons: string[], ruleVersion: number) => until(`${order} to be flagged`, async () => (await flags(order)).length > 0).then(async () => expect(await flags(order)).toMatchObject([{ reasons, ruleVersion }]));
const [spender, traveller] = ['spender', 'traveller'];
let large: string;
let travelled: string[];

it('is judged by rule 1: a large first order is flagged, cards of many countries are not', async () => {
  large = await customers.buys(spender, { totalCents: 250_000 });
  travelled = [];
  for (const cardCountry of ['DE', 'FR', 'US']) travelled.push(await customers.buys(traveller, { totalCents: 500, cardCountry }));
  await flagged(large, ['LARGE_FIRST_ORDER'], 1);
  // Orders of other specs are judged here, too: what is not judged before the rule changes would be judged by the new one.
  for (const id of travelled) await until(`${id} to be judged`, async () => (await customers.handled(here.store('risk'), id)) >= 2);
  expect(await riskOf(customers.id(spender))).toMatchObject({ behaviour: { orders: 1 }, reasons: [], flaggedOrders: [{ orderId: large, ruleVersion: 1 }] });
  await until('the traveller to be known', async () => ((await riskOf(customers.id(traveller)))['behaviour'] as { orders: number }).orders === 3);
  expect(await riskOf(customers.id(traveller))).toMatchObject({ reasons: [], ruleVersion: 1, flaggedOrders: [] });
});

it('is judged by what another topic says, too, and an order that was flagged before is not flagged again', async () => {
  const greedy = await customers.buys(traveller, { totalCents: 500, cardCountry: 'DE' });
  await customers.isRefused(greedy);
  await customers.isRefused(large);
  await flagged(greedy, ['MORE_THAN_THERE_IS'], 1);
  await until('both refusals to be known', async () => ((await riskOf(customers.id(spender)))['behaviour'] as { refused: number }).refused === 1);
  expect(await flags(large)).toHaveLength(1);
});

it('is judged by rule 2 after the read model was rebuilt: at once for who asks, and for orders from now on', async () => {
  const before = await stated();
  await risk.program.stop();
  risk = await here.start('risk', { RISK_RULE: '2' });
  expect((await here.factline(['replay', 'run', 'orders_seen', '--app', 'risk'])).code).toBe(0);
  await until('the new judgement', async () => ((await riskOf(customers.id(traveller)))['reasons'] as string[]).length > 0);
  expect(await riskOf(customers.id(traveller))).toMatchObject({ behaviour: { orders: 4, cardCountries: 3 }, reasons: ['CARDS_OF_MANY_COUNTRIES'], ruleVersion: 2 });
  expect(await stated()).toEqual(before); // a rebuild states nothing, neither again nor for the first time

  const next = await customers.buys(traveller, { totalCents: 500, cardCountry: 'DE' });
  await flagged(next, ['CARDS_OF_MANY_COUNTRIES'], 2);
  expect(await flags(travelled[0]!)).toEqual([]); // what was judged stays judged
});

it('is not flagged again when it is judged again by the new rule', async () => {
  await customers.isRefused(large, 'another-product');
  await until('the refusal to be handled', async () => (await customers.handled(here.store('risk'), customers.id('another-product'))) > 0);
  const witness = await customers.buys('witness', { totalCents: 300_000 });
  await flagged(witness, ['LARGE_FIRST_ORDER'], 2); // stated later, and on the topic: so would be a second flag of the other
  expect(await flags(large)).toHaveLength(1);
  expect((await stated()).size).toBe(4);
  for (const facts of (await stated()).values()) expect(facts).toHaveLength(1);
});

it('control: without the memory of what was stated it would be', async () => {
  await here.store('risk').query('delete from flagged_order where order_id = $1', [large]);
  await customers.isRefused(large, 'a-third-product');
  await until('the second flag', async () => (await flags(large)).length === 2);
});
