import { type Service, openService } from 'factline/nest';
import { type FactOwner, type World, factOwner, until, world } from 'factline/testing';
import { readConfig } from './config.js';
import { ReportingModule } from './reporting.module.js';

let here: World;
let orders: FactOwner;
let inventory: FactOwner;
let service: Service;
let made = 0;

// Topics are shared by specs, so these sales are of a day on which nobody else sells.
const DAY = '1983-05-04';
const NEXT_DAY = '1983-05-05';
const PERIOD = `from=${DAY}&to=${NEXT_DAY}`;
const product = (name: string) => `${here.name}-${name}`;
const paidAt = (day: string) => Date.parse(`${day}T12:00:00Z`) * 1_000;

async function ask(query: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${service.url}/sales?${query}`, { headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
}
const json = async (query: string, headers?: Record<string, string>) => {
  const { status, text } = await ask(query, headers);
  return { status, body: JSON.parse(text) as { items: Record<string, unknown>[]; code?: string } };
};

/** @returns the headers of a reader who has to see it */
async function sell(day: string, currency: string, ...lines: readonly (readonly [product: string, quantity: number, unitPriceCents: number])[]) {
  const data = { customerId: 'c-1', lines: lines.map(([name, quantity, unitPriceCents]) => ({ productId: product(name), quantity, unitPriceCents })), currency, cardCountry: 'DE', totalCents: 0, paidAt: paidAt(day) };
  const { token } = await orders.state('orders.OrderPaid', `${here.name}-${++made}`, data);
  return { 'factline-token': token, prefer: 'wait=10' };
}

beforeAll(async () => {
  here = await world();
  [orders, inventory] = [await factOwner(here, 'orders'), await factOwner(here, 'inventory')];
  const env = { REPORTING_DATABASE_URL: await here.database('reporting'), FACTLINE_KAFKA: here.kafka.join(','), FACTLINE_REGISTRY_URL: here.registryUrl, PORT: '0', LOG_LEVEL: 'silent' };
  service = await openService(ReportingModule, readConfig(env));
  await ask(PERIOD, await sell(DAY, 'EUR', ['tea', 2, 300], ['pot', 1, 2_000]));
  await ask(PERIOD, await sell(DAY, 'EUR', ['tea', 1, 350]));
  await ask(PERIOD, await sell(DAY, 'USD', ['tea', 1, 400]));
  await ask(PERIOD, await sell(NEXT_DAY, 'EUR', ['tea', 5, 300]));
});

afterAll(async () => {
  await service?.close();
  await here?.close();
});

it('sums up by day and currency', async () => {
  expect((await json(PERIOD)).body).toEqual({
    from: DAY,
    to: NEXT_DAY,
    groupBy: 'day',
    items: [
      { day: DAY, currency: 'EUR', orders: 2, units: 4, amountCents: 2_950 },
      { day: DAY, currency: 'USD', orders: 1, units: 1, amountCents: 400 },
      { day: NEXT_DAY, currency: 'EUR', orders: 1, units: 5, amountCents: 1_500 },
    ],
  });
  expect((await json(`from=${NEXT_DAY}&to=${NEXT_DAY}`)).body.items).toHaveLength(1); // both ends are meant, and nothing beyond
});

it('sums up by product, with how many are left: joined from another topic', async () => {
  const { token } = await inventory.state('inventory.StockChanged', product('tea'), { onHand: 41, change: -1, reason: 'SOLD', orderId: null });
  const { body } = await json(`${PERIOD}&groupBy=product`, { 'factline-token': token, prefer: 'wait=10' });
  expect(body.items).toEqual([
    { productId: product('pot'), currency: 'EUR', orders: 1, units: 1, amountCents: 2_000, onHand: null },
    { productId: product('tea'), currency: 'EUR', orders: 3, units: 8, amountCents: 2_450, onHand: 41 },
    { productId: product('tea'), currency: 'USD', orders: 1, units: 1, amountCents: 400, onHand: 41 },
  ]);
});

it('is CSV for who asks for it, in the header or in the address', async () => {
  const text = `day,currency,orders,units,amountCents\r\n${NEXT_DAY},EUR,1,5,1500\r\n`;
  const query = `from=${NEXT_DAY}&to=${NEXT_DAY}`;
  for (const answer of [await ask(query, { accept: 'text/csv' }), await ask(`${query}&format=csv`)]) {
    expect([answer.status, answer.headers.get('content-type'), answer.text]).toEqual([200, expect.stringContaining('text/csv'), text]);
  }
  expect((await ask(`${query}&format=json`, { accept: 'text/csv' })).headers.get('content-type')).toContain('application/json');
});

it('is as of the older of its two read models', async () => {
  const before = Date.now();
  const asOf = await until('watermarks of both owners behind the start of this test', async () => {
    const text = (await ask(PERIOD)).headers.get('factline-as-of')!;
    return Date.parse(text) > before ? text : undefined;
  });
  expect(Date.parse(asOf)).toBeLessThanOrEqual(Date.now());
});

it.each([
  ['no day', `from=${DAY}`],
  ['a day that does not exist', `from=${DAY}&to=1983-02-30`],
  ['days in the wrong order', `from=${NEXT_DAY}&to=${DAY}`],
  ['more than a year', 'from=1983-05-04&to=1984-05-04'],
  ['another grouping', `${PERIOD}&groupBy=customer`],
  ['another format', `${PERIOD}&format=xml`],
])('is not answered for %s', async (_what, query) => {
  expect((await ask(query)).status).toBe(400);
});
