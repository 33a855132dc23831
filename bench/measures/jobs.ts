import pg from 'pg';
import { Commands, Jobs, commandQueue, defineCommand, migrateCommands } from 'factline/commands';
import { FactSubscription, Freshness } from 'factline/consumer';
import { FactDecoder, type TopicDeclaration } from 'factline/contracts';
import { Signal, silentLogger } from 'factline/kernel';
import { FactOutbox, Relay } from 'factline/outbox';
import { LiveReactions, migrateReactions } from 'factline/reactions';
import { Store } from 'factline/store';
import { factSchemaInSpec, selectCommandInSpec, until } from 'factline/testing';
import { type Bench, type Measure, cpuSeconds, measured, median, perSecond } from '../measurement.js';
import { type Scene, openDatabase, openScene } from '../scene.js';

const FLOOR_JOBS_PER_SECOND = 3_000;
const CONCURRENCY = 16;
const TOGETHER = 50;
const KEYS = 1_000;
const SENDERS = 8;
const PER_TRANSACTION = 250;
const PARTITIONS = 6;
const SCHEMA_ID = 2_000_000_300;
const FIELDS = [{ name: 'customerId', type: 'string' }, { name: 'nth', type: 'int' }];
const schema = factSchemaInSpec('bench.Count', FIELDS);
/** Jobs counted per key, and only in their order: one that is lost, doubled or overtaken is seen in the end. */
const UPSERT = `insert into counted as c (customer_id, jobs, last) values ($1, 1, $2)
  on conflict (customer_id) do update set jobs = c.jobs + 1, last = excluded.last where c.last = excluded.last - 1`;
const TABLE = 'create table counted (customer_id text primary key, jobs integer not null, last integer not null)';

interface Counted {
  customerId: string;
  nth: number;
}

/** Jobs that were sent and published, each one upsert: with its row, its inbox and its end, in one process; each its own transaction, and 50 of different keys sharing one. */
export const jobs: Measure = async (bench) => {
  const each = bench.quick ? 10 : 40;
  const raw: number[] = [];
  const runs = new Map<number, Awaited<ReturnType<typeof once>>[]>([[1, []], [TOGETHER, []]]);
  for (let round = 0; round < (bench.quick ? 1 : 3); round++) {
    raw.push(await upsertsAlone(bench, each, round));
    for (const [together, done] of runs) {
      done.push(await once(bench, each, together, round));
      bench.say(`jobs, ${together} a transaction: ${Math.round(perSecond(KEYS * each, done.at(-1)!.ms))} jobs/s, upserts alone ${Math.round(perSecond(KEYS * each, raw.at(-1)!))}`);
    }
  }
  return [...runs].map(([together, done]) =>
    measured({
      name: together === 1 ? 'jobs' : 'jobs-together',
      value: perSecond(KEYS * each, median(done.map(({ ms }) => ms))),
      unit: 'jobs/s',
      ceiling: perSecond(KEYS * each, median(raw)),
      ceilingName: 'the same upserts through pg on as many connections, nothing remembered',
      floor: FLOOR_JOBS_PER_SECOND,
      faults: done.flatMap(({ faults }) => faults),
      detail: { jobs: KEYS * each, keys: KEYS, concurrency: CONCURRENCY, together, sendSeconds: median(done.map(({ sendMs }) => sendMs)) / 1_000, cpuSeconds: median(done.map(({ cpu }) => cpu)) },
    }),
  );
};

async function once({ world }: Bench, each: number, together: number, round: number) {
  const scene = await openScene(world, `jobs${together}_${round}`);
  const { store } = scene;
  await migrateReactions(store);
  await migrateCommands(store);
  await store.query(TABLE);
  const sendMs = await send(scene, each);
  const queue = commandQueue({ queue: scene.topic, concurrency: CONCURRENCY, together }).on<Counted>(
    selectCommandInSpec<Counted>({ factName: 'bench.Count', topic: scene.topic, owner: 'bench', schema: { type: 'record', name: 'Count', namespace: 'bench', fields: FIELDS }, fingerprint: 'Count' }),
    async ({ key, data }, tx) => void (await tx.query(UPSERT, [key, data.nth], 'bench_count')),
  );
  const own = new Store({ url: scene.databaseUrl, applicationName: 'bench jobs', connections: CONCURRENCY + 2 });
  const made = queue.reactions({ app: 'bench', store, log: silentLogger });
  const live = new LiveReactions(made, own, new FactDecoder(made.facts, { byId: async () => schema }));
  await live.prepare();
  const subscription = new FactSubscription({ name: made.name, group: scene.topic, topics: made.topics, log: scene.log, target: live, freshness: new Freshness() });
  subscription.start();
  await until('the first job', () => live.counts.handled > 0);
  const [started, already, before] = [performance.now(), live.counts.handled, process.cpuUsage()];
  await until('the last job', () => live.counts.handled >= KEYS * each, 300_000);
  const ms = ((performance.now() - started) * KEYS * each) / (KEYS * each - already);
  const cpu = cpuSeconds(before);
  await subscription.stop();
  await own.close();
  return { ms, cpu, sendMs, faults: await faultsOf(store, each) };
}

/** Through the product: rows, outbox and relay; in the order of each key. @returns milliseconds of the sends. */
async function send({ store, log, topic }: Scene, each: number): Promise<number> {
  const declaration: TopicDeclaration = { name: topic, owner: 'bench', keyField: 'customerId', partitions: PARTITIONS, kind: 'commands', settings: {} };
  const Count = defineCommand<Counted, 'customerId'>({ factName: 'bench.Count', topic: declaration, keyField: 'customerId', schema });
  const wake = new Signal();
  const outbox = new FactOutbox({ store, schemaIds: { idOf: () => SCHEMA_ID }, wake });
  const commands = new Commands({ app: 'bench', store, outbox });
  const relay = new Relay({ store, log, app: 'bench', topics: [declaration], wake });
  relay.start();
  const started = performance.now();
  await Promise.all(
    Array.from({ length: SENDERS }, async (_, sender) => {
      const mine = Array.from({ length: KEYS / SENDERS }, (_key, at) => `customer-${at * SENDERS + sender}`);
      const all = Array.from({ length: each }, (_nth, nth) => mine.map((key) => ({ key, nth: nth + 1 }))).flat();
      for (let from = 0; from < all.length; from += PER_TRANSACTION) {
        await store.transaction((tx) => Promise.all(all.slice(from, from + PER_TRANSACTION).map(({ key, nth }) => commands.send(tx, Count(key, { nth })))));
      }
    }),
  );
  const ms = performance.now() - started;
  await until('all to be published', () => relay.status().publishedTotal >= KEYS * each, 300_000);
  await relay.stop();
  await outbox.stop();
  return ms;
}

/** Every key has each of its jobs once and in order, and every job says that it is done. */
async function faultsOf(store: Store, each: number): Promise<string[]> {
  const { rows: counted } = await store.query<{ wrong: number; keys: number }>('select count(*) filter (where jobs <> $1 or last <> $1)::integer as wrong, count(*)::integer as keys from counted', [each]);
  const { rows: states } = await store.query<{ done: number }>("select count(*)::integer as done from factline.job where state = 'done'");
  const [queue] = await new Jobs(store).queues();
  return [
    ...(counted[0]!.wrong > 0 || counted[0]!.keys !== KEYS ? [`${counted[0]!.wrong} of ${counted[0]!.keys} keys have not each job once and in order`] : []),
    ...(states[0]!.done === KEYS * each && queue?.queued === 0 ? [] : [`${states[0]!.done} of ${KEYS * each} jobs are done`]),
  ];
}

/** What the database gives: each key's upserts one after another, on as many connections, one round trip each. @returns milliseconds. */
async function upsertsAlone({ world }: Bench, each: number, round: number): Promise<number> {
  const { databaseUrl, store } = await openDatabase(world, `job_upserts${round}`);
  await store.query(TABLE);
  const clients = Array.from({ length: CONCURRENCY }, () => new pg.Client({ connectionString: databaseUrl }));
  await Promise.all(clients.map((client) => client.connect()));
  const started = performance.now();
  await Promise.all(
    clients.map(async (client, lane) => {
      for (let nth = 1; nth <= each; nth++) {
        for (let key = lane; key < KEYS; key += CONCURRENCY) await client.query({ name: 'upsert', text: UPSERT, values: [`customer-${key}`, nth] });
      }
    }),
  );
  const ms = performance.now() - started;
  await Promise.all(clients.map((client) => client.end()));
  return ms;
}
