import pg from 'pg';
import { FactSubscription, Freshness } from 'factline/consumer';
import { FactDecoder } from 'factline/contracts';
import { LiveReactions, type Reactions, migrateReactions, reactions } from 'factline/reactions';
import { Store, type Tx } from 'factline/store';
import { until } from 'factline/testing';
import { EmployeeCreated, EmployeeMoved, EmployeePersonalDetailsChanged, EmployeeTerminated } from '../../apps/payroll/src/contracts.generated.js';
import { type Population, keyName } from '../employees.js';
import { type Bench, type Measure, cpuSeconds, measured, median, perSecond } from '../measurement.js';
import { type Scene, fill, openDatabase, openScene } from '../scene.js';

const FLOOR_FACTS_PER_SECOND = 5_000;
const CONCURRENCY = 16;
const TOGETHER = 50;
export const KEYS = 1_000;
const CEILING_NAME = 'the same upserts through pg on as many connections, nothing remembered';
/** Facts counted per key, and only in their order: one that is lost, doubled or overtaken is seen in the end. */
const UPSERT = `insert into handled as h (employee_id, facts, last) values ($1, 1, $2)
  on conflict (employee_id) do update set facts = h.facts + 1, last = excluded.last where h.last = excluded.last - 1`;
export const TABLE = 'create table handled (employee_id text primary key, facts integer not null, last integer not null)';

/** A backlog handled fact by fact: one upsert each, in a transaction with the inbox; each fact its own, and 50 facts of different keys sharing one. */
export const reactionsLive: Measure = async (bench) => {
  const { world, quick, say } = bench;
  const population: Population = { keys: KEYS, each: quick ? 15 : 60 };
  const facts = population.keys * population.each;
  const scene = await openScene(world, 'reactions');
  await fill(scene, population);
  const raw: number[] = [];
  const runs = new Map<number, Awaited<ReturnType<typeof once>>[]>([[1, []], [TOGETHER, []]]);
  for (let round = 0; round < (quick ? 1 : 3); round++) {
    raw.push(await upsertsAlone(bench, population, round));
    for (const [together, done] of runs) {
      done.push(await once(bench, scene, population, `${together}_${round}`, together));
      say(`reactions, ${together} a transaction: ${Math.round(perSecond(facts, done.at(-1)!.ms))} facts/s, upserts alone ${Math.round(perSecond(facts, raw.at(-1)!))}`);
    }
  }
  return [...runs].map(([together, done]) =>
    measured({
      name: together === 1 ? 'reactions-live' : 'reactions-together',
      value: perSecond(facts, median(done.map(({ ms }) => ms))),
      unit: 'facts/s',
      ceiling: perSecond(facts, median(raw)),
      ceilingName: CEILING_NAME,
      floor: FLOOR_FACTS_PER_SECOND,
      faults: done.flatMap(({ faults }) => faults),
      detail: { facts, keys: KEYS, concurrency: CONCURRENCY, together, transactions: median(done.map(({ transactions }) => transactions)), cpuSeconds: median(done.map(({ cpu }) => cpu)) },
    }),
  );
};

async function once({ world }: Bench, scene: Scene, population: Population, name: string, together: number) {
  const { databaseUrl, schemas, store } = await openDatabase(world, `reactions${name}`);
  await store.query(TABLE);
  const made = counting(scene.topic, { together });
  const { live, subscription, own } = await startReactions(made, { ...scene, databaseUrl, schemas, store }, `${scene.topic}.${name}`);
  const facts = population.keys * population.each;
  await until('the first fact', () => live.counts.handled > 0);
  const [started, already, before] = [performance.now(), live.counts.handled, process.cpuUsage()];
  await until('the last fact', () => live.counts.handled >= facts, 300_000);
  const ms = ((performance.now() - started) * facts) / (facts - already);
  const cpu = cpuSeconds(before);
  await subscription.stop();
  await own.close();
  const { rows } = await store.query<{ wrong: number; keys: number }>('select count(*) filter (where facts <> $1 or last <> $1)::integer as wrong, count(*)::integer as keys from handled', [population.each]);
  const faults = rows[0]!.wrong > 0 || rows[0]!.keys !== population.keys ? [`${rows[0]!.wrong} of ${rows[0]!.keys} keys have not each fact once and in order`] : [];
  return { ms, cpu, transactions: live.counts.transactions, faults };
}

/** All facts of the topic, the handler the same. @param handle runs before the effect. */
export function counting(topic: string, options: { together?: number; handle?: (key: string, tx: Tx) => void } = {}): Reactions {
  const made = reactions({ name: 'handled_by', from: 'beginning', concurrency: CONCURRENCY, together: options.together ?? 1 });
  for (const fact of [EmployeeCreated, EmployeeMoved, EmployeePersonalDetailsChanged, EmployeeTerminated]) {
    made.on({ ...fact, topic } as typeof EmployeeTerminated, async ({ key, meta }, tx) => {
      options.handle?.(key, tx);
      await tx.query(UPSERT, [key, meta.sequence], 'bench_upsert');
    });
  }
  return made;
}

/** As an app runs them: with connections of their own. */
export async function startReactions(made: Reactions, { databaseUrl, schemas, store, log }: Pick<Scene, 'databaseUrl' | 'schemas' | 'store' | 'log'>, group: string): Promise<{ live: LiveReactions; subscription: FactSubscription; own: Store }> {
  await migrateReactions(store);
  const own = new Store({ url: databaseUrl, applicationName: 'bench reactions', connections: CONCURRENCY + 2 });
  const live = new LiveReactions(made, own, new FactDecoder(made.facts, schemas));
  await live.prepare();
  const subscription = new FactSubscription({ name: made.name, group, topics: made.topics, log, target: live, freshness: new Freshness() });
  subscription.start();
  return { live, subscription, own };
}

/** What the database gives: each key's upserts one after another, on as many connections, one round trip each. @returns milliseconds. */
async function upsertsAlone({ world }: Bench, { keys, each }: Population, round: number): Promise<number> {
  const { databaseUrl, store } = await openDatabase(world, `upserts${round}`);
  await store.query(TABLE);
  const clients = Array.from({ length: CONCURRENCY }, () => new pg.Client({ connectionString: databaseUrl }));
  await Promise.all(clients.map((client) => client.connect()));
  const started = performance.now();
  await Promise.all(
    clients.map(async (client, lane) => {
      for (let sequence = 1; sequence <= each; sequence++) {
        for (let key = lane; key < keys; key += CONCURRENCY) await client.query({ name: 'upsert', text: UPSERT, values: [keyName(key), sequence] });
      }
    }),
  );
  const ms = performance.now() - started;
  await Promise.all(clients.map((client) => client.end()));
  return ms;
}

