import { FactSubscription, Freshness } from 'factline/consumer';
import { FactDecoder, RegisteredSchemas, SchemaRegistry, type TopicDeclaration, defineFact } from 'factline/contracts';
import { type FactLog, kafkaLog } from 'factline/log';
import { FactOutbox, Relay, migrateOutbox } from 'factline/outbox';
import { LiveReactions, migrateReactions, reactions } from 'factline/reactions';
import { type Store, schemaMemory } from 'factline/store';
import { type World, factSchemaInSpec, selectInSpec, until, world } from 'factline/testing';

interface Order {
  orderId: string;
  cents: number;
  /** Since the second version. */
  note?: string;
}

const NAME = 'invoices';
const PARTITIONS = 4;
const KEYS = Array.from({ length: 12 }, (_, at) => `o-${at}`);
const FIELDS = { old: [{ name: 'orderId', type: 'string' }, { name: 'cents', type: 'long' }], new: [{ name: 'orderId', type: 'string' }, { name: 'cents', type: 'long' }, { name: 'note', type: 'string', default: 'none' }] };
type Version = keyof typeof FIELDS;

let at: World;
let store: Store;
let topic: TopicDeclaration;
const stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  at = await world();
  store = at.store(await at.database('shop'));
  await migrateOutbox(store);
  await migrateReactions(store);
  await store.query('create table invoice (number bigint generated always as identity, order_id text not null, sequence integer not null, handled_by text not null, note text)');
  topic = { name: at.topic('order'), owner: 'shop', keyField: 'orderId', partitions: PARTITIONS, kind: 'facts', settings: {} };
  await at.log().createTopics([{ name: topic.name, partitions: PARTITIONS }]);
});
afterAll(async () => {
  for (const stop of stops.toReversed()) await stop();
  await at?.close();
});

const named = () => `${topic.name}.Placed`;
const orderOf = (fields: readonly object[]) => defineFact<Order, 'orderId'>({ factName: named(), topic, keyField: 'orderId', schema: factSchemaInSpec(named(), fields) });

async function schemasFor(fields: readonly object[]): Promise<RegisteredSchemas> {
  const schemas = new RegisteredSchemas({ registry: new SchemaRegistry({ url: at.registryUrl }), memory: schemaMemory(store), produces: [orderOf(fields)] });
  await schemas.start();
  return schemas;
}

interface Deployed {
  state(key: string): Promise<unknown>;
  stop(): Promise<void>;
  readonly partitions: number;
}

/** A process of the app in one version: it states, publishes and reacts, in the same database and the same group as the others. */
async function deploy(version: Version): Promise<Deployed> {
  const Placed = orderOf(FIELDS[version]);
  const schemas = await schemasFor(FIELDS[version]);
  const log: FactLog = kafkaLog({ brokers: at.kafka, clientId: `${at.name} ${version}` });
  const outbox = new FactOutbox({ store, schemaIds: schemas });
  const relay = new Relay({ store, log, app: 'shop', topics: [topic] });
  const dot = named().lastIndexOf('.');
  const selected = selectInSpec<Order>({ factName: named(), topic: topic.name, schema: { type: 'record', name: 'Placed', namespace: named().slice(0, dot), fields: FIELDS[version] }, fingerprint: `placed ${version}` });
  const made = reactions({ name: NAME, from: 'beginning' }).on(selected, async ({ key, data, meta }, tx) => {
    await tx.query('insert into invoice (order_id, sequence, handled_by, note) values ($1, $2, $3, $4)', [key, meta.sequence, version, data.note ?? null]);
  });
  const live = new LiveReactions(made, store, new FactDecoder(made.facts, schemas), 'shop');
  await live.prepare();
  const subscription = new FactSubscription({ name: NAME, group: `${at.name}.${NAME}`, topics: made.topics, log, target: live, freshness: new Freshness() });
  relay.start();
  subscription.start();
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= (async () => void (await Promise.all([relay.stop(), subscription.stop()]), await log.close()))());
  stops.push(stop);
  return {
    state: (key) => store.transaction((tx) => outbox.add(tx, Placed(key, { cents: 1, ...(version === 'new' && { note: 'gift' }) } as Order))),
    stop,
    get partitions() {
      return subscription.status.partitions.length;
    },
  };
}

interface Handled {
  order_id: string;
  sequence: number;
  handled_by: Version;
  note: string | null;
}

let stated = 0;
async function statedBy(...deployed: readonly Deployed[]): Promise<void> {
  for (const [nth, key] of KEYS.entries()) await deployed[nth % deployed.length]!.state(key);
  for (const [nth, key] of KEYS.entries()) await deployed[(nth + 1) % deployed.length]!.state(key);
  stated += 2 * KEYS.length;
  await until('all of it to be handled', async () => (await handled()).length >= stated, WITHIN);
}

const WITHIN = 60_000;
const handled = async () => (await store.query<Handled>('select order_id, sequence, handled_by, note from invoice order by number')).rows;

it('H3: while the next version of an app is rolled out, with a new field, both versions state, publish and react: each fact once, in order, and no dead letter', async () => {
  const first = await deploy('old');
  await statedBy(first);
  const second = await deploy('new');
  await until('both to have partitions', () => first.partitions > 0 && second.partitions > 0 && first.partitions + second.partitions === PARTITIONS, WITHIN);
  await statedBy(first, second);
  await first.stop();
  await statedBy(second);
  const rows = await handled();
  expect(rows).toHaveLength(6 * KEYS.length);
  for (const key of KEYS) expect(rows.filter((row) => row.order_id === key).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6]);
  expect((await store.query(`select from ${NAME}.dead_letter`)).rowCount).toBe(0);
  const during = rows.filter(({ sequence }) => sequence === 3 || sequence === 4);
  expect(new Set(during.map(({ handled_by: by, note }) => `${by} ${note}`))).toEqual(new Set(['old null', 'new none', 'new gift'])); // each read what the other wrote
});

it('H3: control: a version whose schema does not fit the one that runs does not start', async () => {
  await expect(schemasFor([{ name: 'orderId', type: 'string' }, { name: 'price', type: 'double' }])).rejects.toMatchObject({ code: 'registry.incompatible' });
});
