import { type Service, openService } from 'factline/nest';
import { Store } from 'factline/store';
import { type FactOwner, type World, factOwner, until, world } from 'factline/testing';
import { readConfig } from './config.js';
import { RiskModule } from './risk.module.js';

let here: World;
let orders: FactOwner;
let inventory: FactOwner;
let service: Service;

const own = (name: string) => `${here.name}-${name}`;
const order = (customer: string, totalCents: number) => ({ customerId: own(customer), currency: 'EUR', totalCents, lines: [{ productId: own('tea'), quantity: 1, unitPriceCents: totalCents }] });
const paid = { cardCountry: 'DE', paidAt: Date.UTC(2026, 10, 20) * 1_000 };

async function ask(path: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${service.url}${path}`, { headers });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const flagsOf = async (orderId: string) => (await service.app.get(Store).query<{ reasons: string[] }>('select reasons from flagged_order where order_id = $1', [orderId])).rows;
const statedOf = async (orderId: string) => (await service.app.get(Store).query('select from factline.outbox where topic = $1 and key = $2', ['risk.order', orderId])).rowCount;
/** Done with a fact is done with its effect: they commit together. */
const handled = (key: string, sequence: number) =>
  until(`fact ${sequence} of ${key} to be handled`, async () => (await service.app.get(Store).query('select from flagging.inbox where key = $1 and sequence >= $2', [key, sequence])).rowCount === 1);

const troubles = async () => ((await ask('/health')).body['reactions'] as { trouble: { code: string } | null }[]).map(({ trouble }) => trouble?.code);

beforeAll(async () => {
  here = await world();
  [orders, inventory] = [await factOwner(here, 'orders'), await factOwner(here, 'inventory')];
  const env = { RISK_DATABASE_URL: await here.database('risk'), FACTLINE_KAFKA: here.kafka.join(','), FACTLINE_REGISTRY_URL: here.registryUrl, PORT: '0', LOG_LEVEL: 'silent' };
  service = await openService(RiskModule, readConfig(env));
});

afterAll(async () => {
  await service?.close();
  await here?.close();
});

it('flags an order in the transaction of the reaction, with the fact, once', async () => {
  const id = own('large');
  await orders.stateAll([['orders.OrderPlaced', id, order('ada', 150_000)], ['orders.OrderPaid', id, { ...order('ada', 150_000), ...paid }]]);
  await handled(id, 2);
  expect([await flagsOf(id), await statedOf(id)]).toEqual([[{ reasons: ['LARGE_FIRST_ORDER'] }], 1]);
  const { rows } = await service.app.get(Store).query('select f.xmin::text::bigint = o.xid::text::bigint as same from flagged_order f join factline.outbox o on o.key = f.order_id where f.order_id = $1', [id]);
  expect(rows).toEqual([{ same: true }]);
  await inventory.state('inventory.DeductionRefused', own('tea'), { orderId: id, asked: 2, onHand: 1 });
  await handled(own('tea'), 1);
  expect([await flagsOf(id), await statedOf(id)]).toEqual([[{ reasons: ['LARGE_FIRST_ORDER'] }], 1]); // judged again, not stated again
  expect((await ask(`/customers/${own('ada')}/risk`)).body).toMatchObject({ behaviour: { orders: 1, refused: 1 }, flaggedOrders: [{ orderId: id }] });
});

it('does not flag what is ordinary', async () => {
  const id = own('small');
  await orders.stateAll([['orders.OrderPlaced', id, order('bob', 500)], ['orders.OrderPaid', id, { ...order('bob', 500), ...paid }]]);
  await handled(id, 2);
  expect([await flagsOf(id), await statedOf(id)]).toEqual([[], 0]);
});

it('waits for an order that stock speaks of before the read model has it', async () => {
  const id = own('early');
  const holder = await service.app.get(Store).session();
  await holder.query('begin');
  await holder.query('lock table orders_seen.orders_seen in exclusive mode'); // it is read, and not written
  const early = { ...order('eve', 500), lines: [{ productId: own('pot'), quantity: 2, unitPriceCents: 250 }] };
  await orders.stateAll([['orders.OrderPlaced', id, early], ['orders.OrderPaid', id, { ...early, ...paid }]]);
  await inventory.state('inventory.DeductionRefused', own('pot'), { orderId: id, asked: 2, onHand: 1 });
  await until('it to be tried, and to say why not yet', async () => troubles().then((codes) => codes.includes('risk.order-not-seen') || codes.includes('read.not-yet')));
  expect(await flagsOf(id)).toEqual([]);
  await holder.query('rollback');
  await holder.close();
  await handled(own('pot'), 1);
  expect([await flagsOf(id), await statedOf(id)]).toEqual([[{ reasons: ['MORE_THAN_THERE_IS'] }], 1]);
});

it('does not wait for an order that nobody ever stated', async () => {
  await inventory.state('inventory.DeductionRefused', own('cup'), { orderId: own('never'), asked: 2, onHand: 1 });
  await handled(own('cup'), 1); // once the as-of time says that nothing of then is missing
  expect(await flagsOf(own('never'))).toEqual([]);
});

it('counts what a customer took back, and lists what was flagged', async () => {
  for (const n of [1, 2, 3]) await orders.stateAll([['orders.OrderPlaced', own(`back-${n}`), order('tim', 500)], ['orders.OrderCancelled', own(`back-${n}`), { reason: 'CHANGED_MIND' }]]);
  await until('three cancellations', async () => ((await ask(`/customers/${own('tim')}/risk`)).body['behaviour'] as { cancelled: number }).cancelled === 3);
  expect((await ask(`/customers/${own('tim')}/risk`)).body).toMatchObject({ reasons: ['MANY_CANCELLATIONS'], flaggedOrders: [] });
  expect((await ask('/flagged-orders?limit=1')).body).toMatchObject({ items: [{ reasons: expect.any(Array) as string[] }], next: expect.any(String) as string });
  expect((await ask(`/customers/${own('eve')}/risk`)).body['flaggedOrders']).toMatchObject([{ orderId: own('early'), reasons: ['MORE_THAN_THERE_IS'], ruleVersion: 1 }]);
  expect((await ask(`/customers/${own('nobody')}/risk`)).body).toMatchObject({ behaviour: { orders: 0, cancelled: 0, refused: 0 }, reasons: [] });
});
