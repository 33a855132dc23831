import { type Fact, FactDecoder, FactEncoder, factIdOf, withSequence } from 'factline/contracts';
import { FactlineError, pause } from 'factline/kernel';
import { partitionOf } from 'factline/log';
import { LiveReactions, ReactionDeadLetters, Redriver, migrateReactions } from 'factline/reactions';
import { until } from 'factline/testing';
import { type Population, factMaker, keyName } from '../employees.js';
import { type Bench, type Measure, measured, median, percentile } from '../measurement.js';
import { PARTITIONS, type Scene, fill, openDatabase, openScene } from '../scene.js';
import { KEYS, TABLE, counting, startReactions } from './reactions.js';

const FACTS_PER_SECOND = 1_000;
const TICK_MS = 20;
/** 1 % of the keys. */
const BLOCKED_EVERY = 100;
const SLOWER_PERCENT = 10;
const REDRIVE_OFF_PERCENT = 5;
const REDRIVE_KEYS_PER_SECOND = 20;

const refused = () => new FactlineError({ code: 'bench.refused', kind: 'refused', message: 'blocked for the benchmark' });
const blocksOf = (key: string) => Number(key.slice(2)) % BLOCKED_EVERY === 3;

/** How much later facts of other keys are handled while 1 % of the keys is blocked, at a steady rate, from being sent to the commit. */
export const blockedKeys: Measure = async (bench) => {
  const { quick, say } = bench;
  const [free, blocked]: [number[], number[]] = [[], []];
  for (let round = 0; round < (quick ? 1 : 3); round++) {
    free.push(await p99(bench, `free${round}`, false));
    blocked.push(await p99(bench, `blocked${round}`, true));
    say(`blocked-keys: p99 ${free.at(-1)!.toFixed(1)} ms without, ${blocked.at(-1)!.toFixed(1)} ms with`);
  }
  return [
    measured({
      name: 'blocked-keys-slow-others',
      value: Math.max(0, (median(blocked) / median(free) - 1) * 100),
      unit: '%',
      ceiling: null,
      floor: SLOWER_PERCENT,
      faults: [],
      detail: { factsPerSecond: FACTS_PER_SECOND, keys: KEYS, p99Ms: median(blocked), p99WithoutMs: median(free) },
    }),
  ];
};

async function p99(bench: Bench, name: string, blocks: boolean): Promise<number> {
  const { world, quick } = bench;
  const scene = await openScene(world, name);
  const database = await openDatabase(world, `keys_${name}`);
  await database.store.query(TABLE);
  const sentAt = new Map<string, number>();
  const seen = new Map<string, number>();
  const times: number[] = [];
  const made = counting(scene.topic, {
    handle: (key, tx) => {
      if (blocks && blocksOf(key)) throw refused();
      const sequence = (seen.get(key) ?? 0) + 1;
      seen.set(key, sequence);
      tx.onCommit(() => times.push(performance.now() - sentAt.get(`${key}/${sequence}`)!));
    },
  });
  const running = await startReactions(made, { ...scene, ...database }, `${scene.topic}.app`);
  await until('the assignment', () => running.subscription.status.partitions.length === PARTITIONS);
  const seconds = quick ? 4 : 12;
  await steadily({ ...scene, ...database }, seconds, sentAt);
  const others = [...sentAt.keys()].filter((each) => !(blocks && blocksOf(each.split('/')[0]!))).length;
  await until('all other keys', () => times.length >= others, 60_000);
  await running.subscription.stop();
  await running.own.close();
  return percentile(times.slice(FACTS_PER_SECOND), 99); // the first second warms up
}

/** One fact after another of each key, at the rate, sent straight to the log. */
async function steadily(scene: Scene, seconds: number, sentAt: Map<string, number>): Promise<void> {
  const each = Math.ceil((FACTS_PER_SECOND * seconds) / KEYS);
  const make = factMaker(scene.topic, PARTITIONS, { keys: KEYS, each: each + 1 });
  const encoder = new FactEncoder();
  const publisher = await scene.log.publisher();
  const started = performance.now();
  for (let sent = 0; sent < KEYS * each; ) {
    const due = Math.min(KEYS * each, Math.floor(((performance.now() - started) / 1_000) * FACTS_PER_SECOND));
    const byPartition = new Map<number, { key: Buffer; value: Buffer }[]>();
    for (; sent < due; sent++) {
      const [key, sequence] = [sent % KEYS, Math.floor(sent / KEYS) + 1];
      const fact: Fact = make(key, sequence);
      const record = { key: Buffer.from(fact.key), value: withSequence(encoder.encode(fact, scene.idOf(fact.type)).value, sequence) };
      const partition = partitionOf(record.key, PARTITIONS);
      byPartition.set(partition, [...(byPartition.get(partition) ?? []), record]);
      sentAt.set(`${keyName(key)}/${sequence}`, performance.now());
    }
    await Promise.all([...byPartition].map(([partition, records]) => publisher.send(scene.topic, partition, records)));
    await pause(TICK_MS);
  }
  await publisher.close();
}

/** Whether a re-drive keeps the rate it was asked for. */
export const redriveRate: Measure = async ({ world, quick, say }) => {
  const keys = quick ? 40 : 200;
  const population: Population = { keys, each: 1 };
  const scene = await openScene(world, 'redrive');
  await fill(scene, population);
  const database = await openDatabase(world, 'redriving');
  await database.store.query(TABLE);
  await migrateReactions(database.store);
  const made = counting(scene.topic);
  const live = new LiveReactions(made, database.store, new FactDecoder(made.facts, database.schemas));
  await live.prepare();
  const letters = new ReactionDeadLetters(made.name, database.store, scene.log, database.schemas);
  // The breaker lets nobody park so many at once: the benchmark writes them down as the subscription would, one after another.
  await database.store.query(`insert into ${made.name}.dead_letter (topic, partition, record_offset, key, fact_id, code, sequence) select * from unnest($1::text[], $2::integer[], $3::bigint[], $4::text[], $5::bytea[], $6::text[], $7::bigint[])`, await columnsOf(scene, keys));
  const asked = await letters.requeue({ all: true }, { rate: REDRIVE_KEYS_PER_SECOND, by: 'bench' });
  const redriver = new Redriver({ reactions: made, inbox: live.inbox, store: database.store, log: scene.log, decoder: new FactDecoder(made.facts, database.schemas) });
  redriver.start();
  await until('its end', async () => (await letters.redrive(asked.id))!.state !== 'running', 120_000);
  await redriver.stop();
  const { rows } = await database.store.query<{ ms: number }>('select extract(epoch from max(tried_at) - min(tried_at))::double precision * 1000 as ms from factline.redrive_key where redrive = $1', [asked.id]);
  const { ms } = rows[0]!;
  const ended = (await letters.redrive(asked.id))!;
  const expectedMs = ((ended.keys - 1) / REDRIVE_KEYS_PER_SECOND) * 1_000;
  say(`redrive-rate: ${ended.tried} keys in ${Math.round(ms)} ms, asked for ${Math.round(expectedMs)} ms`);
  return [
    measured({
      name: 'redrive-rate-off-by',
      value: Math.abs(ms / expectedMs - 1) * 100,
      unit: '%',
      ceiling: null,
      floor: REDRIVE_OFF_PERCENT,
      faults: ended.state === 'done' && ended.failed === 0 ? [] : [`it ended as ${ended.state}: ${ended.outcome ?? ''}`],
      detail: { keys: ended.keys, keysPerSecond: REDRIVE_KEYS_PER_SECOND, tookMs: Math.round(ms) },
    }),
  ];
};

/** The first fact of each key, as a letter. */
async function columnsOf({ log, topic }: Scene, keys: number): Promise<unknown[][]> {
  const [state] = await log.describe([topic]);
  const rows: [string, number, number, string, Buffer, string, number][] = [];
  const known = new Set<string>();
  await log.read({
    topic,
    ranges: state!.partitions.map(({ start, end }, partition) => ({ partition, from: start, to: end })).filter(({ from, to }) => to > from),
    batch: ({ partition, records }) => {
      for (const { key, offset, value } of records) {
        const name = key.toString();
        if (known.has(name) || known.size >= keys) continue;
        known.add(name);
        rows.push([topic, partition, offset, name, Buffer.from(factIdOf(value)), 'bench.refused', 1]);
      }
    },
  });
  return [0, 1, 2, 3, 4, 5, 6].map((column) => rows.map((row) => row[column]));
}
