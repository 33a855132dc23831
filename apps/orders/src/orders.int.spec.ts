import { type Service, openService } from 'factline/nest';
import { FactOutbox } from 'factline/outbox';
import { Store } from 'factline/store';
import { type World, world } from 'factline/testing';
import { readConfig } from './config.js';
import { OrdersModule } from './orders.module.js';
import { OrdersRepository } from './orders.repository.js';

let here: World;
let service: Service;
let store: Store;
let made = 0;

const order = (changes: object = {}) => ({
  id: `${here.name}-${++made}`,
  customerId: 'c-1',
  currency: 'EUR',
  lines: [
    { productId: `${here.name}-mug`, quantity: 2, unitPriceCents: 1_250 },
    { productId: `${here.name}-pot`, quantity: 1, unitPriceCents: 3_000 },
  ],
  ...changes,
});
const payment = { amountCents: 5_500, cardCountry: 'DE' };

async function send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const init = body === undefined ? { method, headers } : { method, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
  const response = await fetch(`${service.url}${path}`, init);
  return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> };
}

async function placed(): Promise<string> {
  const { id } = order();
  expect((await send('POST', '/orders', order({ id }))).status).toBe(201);
  return id;
}

const factsOf = async (id: string) => (await store.query<{ n: number }>('select count(*)::integer as n from factline.outbox where key = $1', [id])).rows[0]!.n;
const rowsOf = async (id: string) => (await store.query('select from customer_order where id = $1', [id])).rowCount;

beforeAll(async () => {
  here = await world();
  const env = { ORDERS_DATABASE_URL: await here.database('orders'), FACTLINE_KAFKA: here.kafka.join(','), FACTLINE_REGISTRY_URL: here.registryUrl, PORT: '0', LOG_LEVEL: 'silent' };
  service = await openService(OrdersModule, readConfig(env));
  store = service.app.get(Store);
});

afterAll(async () => {
  await service?.close();
  await here?.close();
});

describe('an order', () => {
  it('is a row and a fact, in one transaction, and can be read', async () => {
    const body = order();
    const answer = await send('POST', '/orders', body);
    expect(answer).toMatchObject({ status: 201, body: { ...body, version: 1, status: 'PLACED', totalCents: 5_500, paidAt: null, cancellationReason: null } });
    expect([answer.headers.get('location'), answer.headers.get('etag')]).toEqual([`/orders/${body.id}`, '"1"']);
    expect(answer.headers.get('factline-token')).toMatch(/^[\w-]+$/);
    const { rows } = await store.query('select c.xmin::text::bigint = o.xid::text::bigint as same from customer_order c join factline.outbox o on o.key = c.id where c.id = $1', [body.id]);
    expect(rows).toEqual([{ same: true }]);
    const read = await send('GET', `/orders/${body.id}`);
    expect([read.status, read.headers.get('etag'), read.body]).toEqual([200, '"1"', answer.body]);
  });

  it('is neither row nor fact when the transaction fails', async () => {
    const outbox = service.app.get(FactOutbox);
    const body = order();
    const add = outbox.add;
    outbox.add = () => Promise.reject(new Error('broken between row and fact'));
    expect((await send('POST', '/orders', body)).status).toBe(500);
    outbox.add = add;
    expect([await rowsOf(body.id), await factsOf(body.id)]).toEqual([0, 0]);
    expect((await send('POST', '/orders', body)).status).toBe(201); // the negative control
    expect([await rowsOf(body.id), await factsOf(body.id)]).toEqual([1, 1]);
  });

  it('is paid and cancelled, each with the next version, which is the number of its fact', async () => {
    const id = await placed();
    const paid = await send('POST', `/orders/${id}/payments`, payment);
    expect(paid).toMatchObject({ status: 200, body: { status: 'PAID', version: 2, paidAt: expect.stringMatching(/^20.*Z$/) as string } });
    expect(await send('POST', `/orders/${id}/payments`, payment)).toMatchObject({ status: 422, body: { code: 'order.paid' } });
    const cancelled = await send('POST', `/orders/${id}/cancellation`, { reason: 'CHANGED_MIND' });
    expect(cancelled).toMatchObject({ status: 200, body: { status: 'CANCELLED', version: 3, cancellationReason: 'CHANGED_MIND' } });
    expect(await send('POST', `/orders/${id}/payments`, payment)).toMatchObject({ status: 422, body: { code: 'order.cancelled' } });
    expect((await send('GET', `/orders/${id}`)).body).toEqual(cancelled.body);
    const { rows } = await store.query<{ sequence: number }>('select sequence::integer as sequence from factline.outbox where key = $1 order by sequence', [id]);
    expect(rows.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
  });

  it('gets an id when none is given, and no id twice', async () => {
    const { id, ...rest } = order();
    expect((await send('POST', '/orders', rest)).body['id']).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect((await send('POST', '/orders', { id, ...rest })).status).toBe(201);
    expect(await send('POST', '/orders', { id, ...rest })).toMatchObject({ status: 409, body: { code: 'order.exists' } });
    expect(await factsOf(id)).toBe(1);
  });

  it('is listed page by page, in the order of the ids', async () => {
    const [first, second] = [await placed(), await placed()];
    const seen: string[] = [];
    for (let query: string | null = '?limit=2'; query !== null; ) {
      const { body } = await send('GET', `/orders${query}`);
      seen.push(...(body['items'] as { id: string }[]).map(({ id }) => id));
      query = body['next'] === null ? null : `?limit=2&cursor=${body['next'] as string}`;
    }
    expect(seen).toEqual(expect.arrayContaining([first, second]));
    expect(seen).toEqual([...new Set(seen)].toSorted());
  });
});

describe('a repeated request', () => {
  it('gets the first answer and has no second effect', async () => {
    const id = await placed();
    const pay = (key: string) => send('POST', `/orders/${id}/payments`, payment, { 'idempotency-key': key });
    const [first, again] = [await pay(`k-${id}`), await pay(`k-${id}`)];
    expect([again.status, again.body, again.headers.get('factline-token')]).toEqual([200, first.body, first.headers.get('factline-token')]);
    expect(await factsOf(id)).toBe(2);
    expect(await pay(`other-${id}`)).toMatchObject({ status: 422, body: { code: 'order.paid' } }); // the negative control
  });

  it('is refused when the order is no longer as the client saw it', async () => {
    const id = await placed();
    await send('POST', `/orders/${id}/payments`, payment);
    expect((await send('POST', `/orders/${id}/cancellation`, {}, { 'if-match': '"1"' })).status).toBe(412);
    expect((await send('POST', `/orders/${id}/cancellation`, {}, { 'if-match': '"2"' })).status).toBe(200);
  });
});

describe('two payments that have read the same version', () => {
  /** Both read before either writes. */
  async function bothAtOnce(id: string) {
    const orders = service.app.get(OrdersRepository);
    const find = orders.find.bind(orders);
    let release!: () => void;
    const bothRead = new Promise<void>((resolve) => (release = resolve));
    let reads = 0;
    orders.find = async (...asked) => {
      const found = await find(...asked);
      if (++reads === 2) release();
      await bothRead;
      return found;
    };
    const answers = await Promise.all([1, 2].map(() => send('POST', `/orders/${id}/payments`, payment)));
    orders.find = find;
    return answers.map(({ status, body }) => (body['code'] as string | undefined) ?? String(status)).toSorted();
  }

  it('are one payment, and the other one is told to ask again', async () => {
    const id = await placed();
    expect(await bothAtOnce(id)).toEqual(['200', 'order.changed']);
    expect(await factsOf(id)).toBe(2);
  });

  it('control: are two payments where nobody looks at the version', async () => {
    const id = await placed();
    const orders = service.app.get(OrdersRepository);
    const save = orders.save;
    orders.save = () => Promise.resolve(true);
    expect(await bothAtOnce(id)).toEqual(['200', '200']);
    orders.save = save;
    expect(await factsOf(id)).toBe(3);
  });
});

describe('a bad request is answered with a problem, never with 500', () => {
  it.each([
    ['no line', { lines: [] }, 'lines'],
    ['an empty list for a line', { lines: [[]] }, 'lines'],
    ['a line without a quantity', { lines: [{ productId: 'mug', unitPriceCents: 1 }] }, 'lines.0.quantity'],
    ['a quantity of 0', { lines: [{ productId: 'mug', quantity: 0, unitPriceCents: 1 }] }, 'lines.0.quantity'],
    ['a negative price', { lines: [{ productId: 'mug', quantity: 1, unitPriceCents: -1 }] }, 'lines.0.unitPriceCents'],
    ['a product with a slash', { lines: [{ productId: 'a/b', quantity: 1, unitPriceCents: 1 }] }, 'lines.0.productId'],
    ['an empty id, which would be an empty key', { id: '' }, 'id'],
    ['a total of its own', { totalCents: 1 }, 'totalCents'],
  ])('%s', async (_what, changes, path) => {
    expect(await send('POST', '/orders', order(changes))).toMatchObject({ status: 400, body: { errors: [expect.objectContaining({ path })] } });
  });

  it('a product on two lines, a payment of another amount, an order of nobody', async () => {
    const line = { productId: 'mug', quantity: 1, unitPriceCents: 1 };
    expect(await send('POST', '/orders', order({ lines: [line, line] }))).toMatchObject({ status: 400, body: { code: 'order.product-twice' } });
    expect(await send('POST', `/orders/${await placed()}/payments`, { ...payment, amountCents: 1 })).toMatchObject({ status: 422, body: { code: 'order.amount' } });
    for (const [method, path, body] of [['GET', '', undefined], ['POST', '/payments', payment], ['POST', '/cancellation', {}]] as const) {
      expect(await send(method, `/orders/nobody${path}`, body)).toMatchObject({ status: 404, body: { code: 'order.unknown' } });
    }
  });
});
