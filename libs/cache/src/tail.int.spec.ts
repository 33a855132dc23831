import kafkajs from 'kafkajs';
import { DeadLetterTable, createCheckpoints } from 'factline/consumer';
import { type FactDefinition, RegisteredSchemas, SchemaRegistry, defineFact } from 'factline/contracts';
import { type FactLog, partitionOf } from 'factline/log';
import { FactOutbox, Relay, migrateOutbox, watermarkTopic } from 'factline/outbox';
import { type Store, migrateSchemaMemory, schemaMemory } from 'factline/store';
import { type World, factSchemaInSpec, selectInSpec, until, world } from 'factline/testing';
import { Cache, readModelSource } from './index.js';

const FIELDS = [{ name: 'itemId', type: 'string' }];
const BOUND = 7_000;

let here: World;
let store: Store;
let log: FactLog;
let topic: string;
let definition: FactDefinition;
let outbox: FactOutbox;
let schemas: RegisteredSchemas;
const caches: Cache<{ version: number }>[] = [];
/** Keys of both partitions. */
const [first, second] = [0, 1].map((partition) => Array.from({ length: 20 }, (_none, at) => `k${at}`).find((key) => partitionOf(Buffer.from(key), 2) === partition)!) as [string, string];

beforeAll(async () => {
  here = await world();
  store = here.store(await here.database('shop'));
  log = here.log();
  topic = here.topic('item');
  await log.createTopics([{ name: topic, partitions: 2 }, watermarkTopic]);
  await migrateSchemaMemory(store);
  await migrateOutbox(store);
  await store.query('create table item (key text primary key, version integer not null)');
  const declared = { name: topic, owner: here.name, keyField: 'itemId', partitions: 2, kind: 'facts' as const, settings: {} };
  definition = defineFact<{ itemId: string }, 'itemId'>({ factName: `${here.name}.ItemChanged`, topic: declared, keyField: 'itemId', schema: factSchemaInSpec(`${here.name}.ItemChanged`, FIELDS) });
  schemas = new RegisteredSchemas({ registry: new SchemaRegistry({ url: here.registryUrl }), memory: schemaMemory(store), produces: [definition] });
  await schemas.start();
  outbox = new FactOutbox({ store, schemaIds: schemas });
});
afterAll(() => here?.close());
afterEach(async () => {
  await Promise.all(caches.splice(0).map((cache) => cache.stop()));
});

function relay(): Relay {
  const made = new Relay({ store, log, app: here.name, topics: [definition.topic] });
  here.onClose(() => made.stop());
  made.start();
  return made;
}

async function change(key: string): Promise<void> {
  await store.transaction(async (tx) => {
    await tx.query('insert into item values ($1, 1) on conflict (key) do update set version = item.version + 1', [key]);
    await outbox.add(tx, { type: definition, key, data: { itemId: key }, context: {} });
  });
}

/** As in a process of its own: own connections to the log. */
function cacheOf(): Cache<{ version: number }> {
  const changed = selectInSpec<{ itemId: string }>({ factName: definition.factName, topic, schema: { type: 'record', name: 'ItemChanged', namespace: here.name, fields: FIELDS }, fingerprint: 'items' });
  const load = async (key: string) => (await store.query<{ version: number }>('select version from item where key = $1', [key])).rows[0];
  const cache = new Cache({ name: 'items', load, staleAfter: BOUND, ttl: '1h' }).on(changed, ({ key }) => [key]);
  cache.start({ log: here.log(), writers: schemas });
  caches.push(cache);
  return cache;
}

const fresh = (cache: Cache<{ version: number }>) => until('a fresh cache', () => cache.status.regions.length > 0 && cache.status.regions.every(({ stale }) => !stale));
const stale = (cache: Cache<{ version: number }>) => cache.status.regions.map((region) => region.stale);
const shows = (cache: Cache<{ version: number }>, key: string, version: number | undefined) => until(`version ${version} of ${key}`, async () => (await cache.get(key)).value?.version === version);

it('a fact evicts its key in every process; what it creates ends a "there is none"; other keys stay', async () => {
  const running = relay();
  const both = [cacheOf(), cacheOf()];
  for (const cache of both) {
    await fresh(cache);
    expect(await cache.get(first)).toMatchObject({ value: undefined, stale: false });
    await cache.get(second);
  }
  for (const version of [1, 2]) {
    await change(first);
    for (const cache of both) await shows(cache, first, version);
  }
  for (const cache of both) {
    await until('the last fact', () => cache.counts.invalidations === 2);
    expect(cache.peek(second)).toMatchObject({ value: undefined, stale: false });
  }
  await running.stop();
});

it('F3: without its relay a cache says within the bound that its answers are stale, and goes on when there is one again', async () => {
  const running = relay();
  const cache = cacheOf();
  await fresh(cache);
  const before = await cache.get(first);
  expect(before.stale).toBe(false);
  await running.stop();
  await change(first); // nobody publishes it
  const answer = await until('a stale answer', async () => [await cache.get(first)].find((each) => each.stale));
  expect(answer.value).toEqual(before.value);
  expect(answer.age).toBeGreaterThan(BOUND);
  expect(stale(cache)).toEqual([true, true]);
  const again = relay();
  await fresh(cache);
  await shows(cache, first, (before.value?.version ?? 0) + 1);
  expect((await cache.get(first)).stale).toBe(false);
  await again.stop();
});

it('F9: of a partition that is held up alone, the keys turn stale, and no others', async () => {
  const running = relay();
  const cache = cacheOf();
  await fresh(cache);
  for (const key of [first, second]) await cache.get(key);
  const kafka = new kafkajs.Kafka({ brokers: [...here.kafka], clientId: here.name, logLevel: kafkajs.logLevel.NOTHING });
  const producer = kafka.producer({ transactionalId: topic, maxInFlightRequests: 1, idempotent: true, createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  const open = await producer.transaction(); // readers of committed records wait for its end, on this partition alone
  try {
    await open.send({ topic, messages: [{ key: 'foreign', value: 'nothing', partition: 0 }] });
    await change(first);
    await until('the key to be stale', () => cache.peek(first)!.stale); // which was loaded later than the last watermark came
    expect(stale(cache)).toEqual([true, false]);
    expect(cache.peek(second)).toMatchObject({ stale: false });
  } finally {
    await open.abort();
    await producer.disconnect();
  }
  await fresh(cache);
  await running.stop();
});

it('a read model says where it stands, as of when, and which of its keys are blocked', async () => {
  const schema = 'stock';
  await store.query(`create schema ${schema}`);
  const letters = new DeadLetterTable(schema);
  await store.query(createCheckpoints(schema));
  await store.query(letters.create);
  expect(await readModelSource(store, schema).reached()).toEqual({ build: 0, partitions: [] });
  await store.query(`insert into ${schema}.checkpoint (topic, partition, topic_id, next_offset, generation, as_of) values ('t', 0, 'x', 7, 3, to_timestamp(1)), ('t', 1, 'x', 0, 3, null)`);
  await store.query(`insert into ${letters.name} (topic, partition, record_offset, key, as_of) values ('t', 1, 5, 'a', to_timestamp(2)), ('t', 1, 6, 'a', to_timestamp(3)), ('t', 1, 6, 'b', null)`);
  expect(await readModelSource(store, schema).reached()).toEqual({
    build: 3,
    partitions: [
      { topic: 't', partition: 0, topicId: 'x', nextOffset: 7, asOfMs: 1_000 },
      { topic: 't', partition: 1, topicId: 'x', nextOffset: 0, asOfMs: null, blocked: new Map([['a', 2_000], ['b', null]]) },
    ],
  });
});
