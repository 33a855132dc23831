import { Module } from '@nestjs/common';
import { FactEncoder, type Fact, type FactType, defineFact, loadSchemas, sequenceOf, withSequence } from 'factline/contracts';
import { type FactLog, partitionOf } from 'factline/log';
import { FactlineModule, SERVICE_CONFIG, type Service, openService } from 'factline/nest';
import { FactOutbox } from 'factline/outbox';
import { type Stack, startStack, stackEnvironment } from 'factline/stack';
import { Store } from 'factline/store';
import { type World, topicRecords, until, world } from 'factline/testing';
import { type InventoryConfig, readConfig } from './config.js';
import { InventoryModule } from './inventory.module.js';
import { StockRepository } from './stock.repository.js';

/** Stands for orders, which is another app: it states orders' facts as their owner does, from the declared schemas. */
const TOPIC = 'orders.order';
const { facts } = await loadSchemas('schemas');
const factOf = (name: string) => defineFact<Record<string, unknown>, string>({ ...facts.get(name)!, keyField: 'orderId' }) as unknown as FactType<Record<string, unknown>, string>;
const [OrderPlaced, OrderPaid, OrderCancelled] = ['orders.OrderPlaced', 'orders.OrderPaid', 'orders.OrderCancelled'].map(factOf) as [ReturnType<typeof factOf>, ReturnType<typeof factOf>, ReturnType<typeof factOf>];

@Module({
  imports: [
    FactlineModule.forRootAsync({
      inject: [SERVICE_CONFIG],
      useFactory: ({ databaseUrl, brokers, registryUrl }: InventoryConfig) => ({ app: 'orders', databaseUrl, kafka: { brokers }, registryUrl, produces: [OrderPlaced, OrderPaid, OrderCancelled] }),
    }),
  ],
})
class OwnerModule {}

/** Facts are forged here: a read model of the same topic would rightly stand still for good, and so would the specs of other apps. So this spec has a stack of its own. */
const STACK_STARTS_WITHIN = 240_000;

let stack: Stack;
let here: World;
let owner: Service;
let inventory: Service;
let store: Store;
let log: FactLog;
let made = 0;

const named = (kind: string) => `${here.name}-${kind}-${++made}`;
const order = (lines: Record<string, number>) => ({ customerId: 'c-1', currency: 'EUR', totalCents: 0, lines: Object.entries(lines).map(([productId, quantity]) => ({ productId, quantity, unitPriceCents: 0 })) });
const paid = (id: string, lines: Record<string, number>) => OrderPaid(id, { ...order(lines), paidAt: 0, cardCountry: 'DE' });
const cancelled = (id: string) => OrderCancelled(id, {});

async function state(...stated: readonly Fact[]): Promise<void> {
  const outbox = owner.app.get(FactOutbox);
  await owner.app.get(Store).transaction((tx) => outbox.addMany(tx, stated));
}

async function delivered(quantity: number): Promise<string> {
  const id = named('product');
  const answer = await fetch(`${inventory.url}/products/${id}/deliveries`, { method: 'POST', body: JSON.stringify({ quantity }), headers: { 'content-type': 'application/json' } });
  expect([answer.status, await answer.json()]).toEqual([201, { id, onHand: quantity }]);
  return id;
}

const onHand = async (id: string) => (await store.query<{ n: number }>('select on_hand::integer as n from product where id = $1', [id])).rows[0]!.n;
const given = async (id: string) => (await store.query<{ n: number }>('select count(*)::integer as n from deduction where product_id = $1', [id])).rows[0]!.n;
/** Facts stated about a product: one for its delivery, one for each change or refusal. */
const factsOf = async (id: string) => (await store.query<{ n: number }>('select count(*)::integer as n from factline.outbox where key = $1', [id])).rows[0]!.n;
const letters = async (key: string) => (await store.query<{ code: string | null; sequence: number }>('select code, sequence::integer as sequence from deductions.dead_letter where key = $1 order by record_offset', [key])).rows;

/** The records of these keys, as they lie in the topic. */
const records = async (keys: readonly string[]) => (await topicRecords(log, TOPIC)).filter(({ key }) => keys.includes(key.toString()));

async function publish(...again: readonly { key: Buffer; value: Buffer }[]): Promise<void> {
  const publisher = await log.publisher();
  for (const record of again) await publisher.send(TOPIC, partitionOf(record.key, OrderPaid.topic.partitions), [record]);
  await publisher.close();
}

/** Everything stated is in the topic, and everything in the topic was handled or is a dead letter. */
async function settled(...keys: readonly string[]): Promise<void> {
  const stated = async () => (await owner.app.get(Store).query<{ n: number }>('select count(*)::integer as n from factline.outbox where key = any($1)', [keys])).rows[0]!.n;
  await until('the facts in the topic', async () => (await records(keys)).length >= (await stated()));
  const [topic] = await log.describe([TOPIC]);
  await until('all of them to be handled', async () => {
    const { rows } = await store.query<{ partition: number; next: number }>('select partition, next_offset::float8 as next from deductions.checkpoint where topic = $1', [TOPIC]);
    return topic!.partitions.every(({ end }, partition) => end === 0 || (rows.find((row) => row.partition === partition)?.next ?? 0) >= end);
  });
}

beforeAll(async () => {
  stack = await startStack({ from: 'packages' });
  here = await world({ ...stackEnvironment(stack) });
  log = here.log();
  const configOf = (databaseUrl: string) =>
    readConfig({ INVENTORY_DATABASE_URL: databaseUrl, FACTLINE_KAFKA: here.kafka.join(','), FACTLINE_REGISTRY_URL: here.registryUrl, PORT: '0', LOG_LEVEL: 'silent' });
  owner = await openService(OwnerModule, configOf(await here.database('owner')));
  inventory = await openService(InventoryModule, configOf(await here.database('inventory')));
  store = inventory.app.get(Store);
}, STACK_STARTS_WITHIN);

afterAll(async () => {
  await inventory?.close();
  await owner?.close();
  await here?.close();
  await stack?.stop();
});

describe('a paid order', () => {
  it('takes all its lines out of the stock, or none of them', async () => {
    const [mug, pot, id, greedy] = [await delivered(10), await delivered(3), named('order'), named('order')];
    await state(paid(id, { [mug]: 4, [pot]: 1 }));
    await settled(id); // facts of two orders have no order: the second could take the pots first
    await state(paid(greedy, { [mug]: 1, [pot]: 3 }));
    await settled(greedy);
    expect([await onHand(mug), await onHand(pot)]).toEqual([6, 2]);
    expect([await given(mug), await given(pot)]).toEqual([1, 1]);
    expect([await factsOf(mug), await factsOf(pot)]).toEqual([2, 3]); // pot was short for the second one: refused
  });

  it('is refused for a product that was never delivered, unless all are: then it is another warehouse\'s', async () => {
    const [mug, never, mixed, strange] = [await delivered(5), named('product'), named('order'), named('order')];
    await state(paid(mixed, { [mug]: 1, [never]: 1 }), paid(strange, { [`${never}-too`]: 1 }));
    await settled(mixed, strange);
    expect([await onHand(mug), await factsOf(mug), await factsOf(never), await factsOf(`${never}-too`)]).toEqual([5, 1, 1, 0]);
  });

  it('counts once, however often its fact is in the topic', async () => {
    const [mug, id, later] = [await delivered(10), named('order'), named('order')];
    await state(OrderPlaced(id, order({ [mug]: 4 })), paid(id, { [mug]: 4 }));
    await settled(id);
    const once = await records([id]);
    await publish(...once, ...once, ...once.toReversed());
    await state(paid(later, { [mug]: 1 }));
    await settled(id, later);
    expect([await onHand(mug), await factsOf(mug), await letters(id)]).toEqual([5, 3, []]);
    expect((await records([id])).map(({ value }) => sequenceOf(value))).toEqual([1, 2, 1, 2, 1, 2, 2, 1]); // the control: they were there
  });
});

describe('a cancelled order', () => {
  it('puts back once what it took', async () => {
    const [mug, pot, id] = [await delivered(10), await delivered(10), named('order')];
    await state(paid(id, { [mug]: 4, [pot]: 2 }));
    await settled(id);
    expect([await onHand(mug), await onHand(pot)]).toEqual([6, 8]);
    await state(cancelled(id));
    await settled(id);
    await publish(...(await records([id])));
    await settled(id);
    expect([await onHand(mug), await onHand(pot), await given(mug)]).toEqual([10, 10, 0]);
    expect([await factsOf(mug), await factsOf(pot)]).toEqual([3, 3]);
  });

  it('puts nothing back when it took nothing: not paid, or refused', async () => {
    const [mug, unpaid, refused] = [await delivered(1), named('order'), named('order')];
    await state(OrderPlaced(unpaid, order({ [mug]: 1 })), cancelled(unpaid), paid(refused, { [mug]: 2 }), cancelled(refused));
    await settled(unpaid, refused);
    expect([await onHand(mug), await factsOf(mug)]).toEqual([1, 2]); // delivered, refused
  });
});

describe('many orders at once', () => {
  const deadlocks = async () => (await store.query<{ n: number }>('select deadlocks::integer as n from pg_stat_database where datname = current_database()')).rows[0]!.n;

  it('never take out more than there is, and each is answered', async () => {
    const [mug, ids] = [await delivered(50), Array.from({ length: 40 }, () => named('order'))];
    await state(...ids.map((id) => paid(id, { [mug]: 3 })));
    await settled(...ids);
    expect([await onHand(mug), await given(mug), await factsOf(mug)]).toEqual([2, 16, 1 + 40]);
  });

  it('never wait for each other in a circle, in whatever order they name their products', async () => {
    const [mug, pot, ids] = [await delivered(1_000), await delivered(1_000), Array.from({ length: 40 }, () => named('order'))];
    await state(...ids.map((id, nth) => paid(id, nth % 2 === 0 ? { [mug]: 1, [pot]: 1 } : { [pot]: 1, [mug]: 1 })));
    await settled(...ids);
    expect([await onHand(mug), await onHand(pot), await deadlocks()]).toEqual([960, 960, 0]);
  });

  it('control: without the lock the table still refuses to go below zero, but the order is a dead letter instead of an answer', async () => {
    const [mug, ids] = [await delivered(1), [named('order'), named('order')]];
    const stock = inventory.app.get(StockRepository);
    const lock = stock.lock;
    let reads = 0;
    stock.lock = async (tx, products) => {
      const { rows } = await tx.query<{ id: string; onHand: number }>('select id, on_hand::float8 as "onHand" from product where id = any($1)', [products]);
      reads++;
      await until('both to have read', () => reads >= 2);
      return new Map(rows.map((product) => [product.id, product]));
    };
    await state(...ids.map((id) => paid(id, { [mug]: 1 })));
    await settled(...ids);
    stock.lock = lock;
    expect([await onHand(mug), await given(mug), await factsOf(mug)]).toEqual([0, 1, 2]);
    expect((await Promise.all(ids.map(letters))).flat()).toEqual([{ code: 'store.constraint', sequence: 1 }]);
  });

  it('control: locks in opposite orders are a circle, which the database ends and counts', async () => {
    const products = [await delivered(1), await delivered(1)];
    let holding = 0;
    const both = [products, products.toReversed()].map((ids) =>
      store.transaction(
        async (tx) => {
          for (const id of ids) {
            await tx.query('select from product where id = $1 for update', [id]);
            holding++;
            await until('both to hold one', () => holding >= 2);
          }
        },
        { attempts: 1 },
      ),
    );
    expect((await Promise.allSettled(both)).flatMap((end) => (end.status === 'rejected' ? [(end.reason as { code: string }).code] : []))).toEqual(['store.contended']);
    await until('it to be counted', async () => (await deadlocks()) === 1);
  });
});

describe('a forged fact blocks its order alone, changes no stock, and is in sight', () => {
  const encoder = new FactEncoder();
  /** As somebody writes who is not the relay of orders. */
  async function forge(id: string, lines: Record<string, number>, sequence: number): Promise<void> {
    const schemaId = (await records([id]))[0]!.value.readInt32BE(1);
    await publish({ key: Buffer.from(id), value: withSequence(encoder.encode(paid(id, lines), schemaId).value, sequence) });
  }

  it.each([
    ['with the number of another one', 1, 'fact.sequence-reused'],
    ['with a number that is not the next', 3, 'fact.sequence-gap'],
  ])('%s', async (_what, sequence, code) => {
    const [mug, id, other] = [await delivered(10), named('order'), named('order')];
    await state(paid(id, { [mug]: 1 }));
    await settled(id);
    await forge(id, { [mug]: 5 }, sequence);
    await state(paid(other, { [mug]: 1 }));
    await settled(id, other);
    expect([await onHand(mug), await letters(id)]).toEqual([8, [{ code, sequence }]]);
    const { reactions } = (await (await fetch(`${inventory.url}/health`)).json()) as { reactions: { name: string; state: string }[] };
    expect(reactions).toEqual([expect.objectContaining({ name: 'deductions', state: 'BLOCKED-KEYS' })]);
  });
});

it('a delivery that is repeated with its key counts once, and a product is read and listed', async () => {
  const id = named('product');
  const deliver = () =>
    fetch(`${inventory.url}/products/${id}/deliveries`, { method: 'POST', body: '{"quantity":7}', headers: { 'content-type': 'application/json', 'idempotency-key': id } });
  expect([(await deliver()).status, (await deliver()).status]).toEqual([201, 201]);
  const read = async (path: string) => (await fetch(`${inventory.url}${path}`)).json();
  expect(await read(`/products/${id}`)).toEqual({ id, onHand: 7 });
  expect(await read('/products?limit=1')).toMatchObject({ items: [{ onHand: expect.any(Number) as number }], next: expect.any(String) as string });
  expect(await read('/products/nobody')).toMatchObject({ status: 404, code: 'product.unknown' });
  expect(await read(`/products/${'x'.repeat(65)}`)).toMatchObject({ status: 400 });
});
