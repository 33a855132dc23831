import { FactlineError, pause } from 'factline/kernel';
import type { OutgoingRecord } from 'factline/log';
import { Rebuild } from 'factline/projections';
import { until } from 'factline/testing';
import { type Population, factMaker } from '../employees.js';
import { tableFaults } from '../gates.js';
import { recordsOf } from '../history.js';
import { projectionModule, projectionOf } from '../live.js';
import { type Measure, measured, median, percentile, rounded } from '../measurement.js';
import { startChild } from '../processes/child.js';
import type { LiveAppArgument } from '../processes/live-app.js';
import type { ReadersArgument, ReadersResult } from '../processes/readers.js';
import { PARTITIONS, type Scene, fill, openScene } from '../scene.js';

const READERS = 4;
const FACTS_PER_SECOND = 750;
const WRITE_EVERY_MS = 20;
const SETTLE_MS = 300;
/** A build that cannot catch up with the live model must not hold up the run: no longer than this for one, and none is begun after the second. */
const STAGE_WITHIN_MS = 20_000;
const BEGIN_WITHIN_MS = 40_000;
const CAUGHT_UP_MS = 30_000;
const FLOOR_MS = 20;

/** A staged build made live while readers read without a pause and facts keep coming: how long writers were held, and whether any read failed. */
export const swap: Measure = async ({ world, quick, say }) => {
  const population: Population = { keys: quick ? 5_000 : 20_000, each: 5 };
  const scene = await openScene(world, 'swap');
  await fill(scene, population);
  const addresses = { kafka: world.kafka, registryUrl: world.registryUrl, databaseUrl: scene.databaseUrl, topic: scene.topic };
  const app = startChild<{ facts: number; fenced: number }>('live-app', { ...addresses, group: `${scene.topic}.app` } satisfies LiveAppArgument);
  world.onClose(app.finish);
  await app.ready;
  const readers = startChild<ReadersResult>('readers', { databaseUrl: scene.databaseUrl, readers: READERS, keys: population.keys } satisfies ReadersArgument);
  world.onClose(readers.finish);
  await readers.ready;
  const traffic = startTraffic(scene, population);
  world.onClose(traffic.stop);
  const { swaps, stageMs, tooFast } = await swapRepeatedly(scene, addresses, quick ? 3 : 7, say);
  const upTo = await traffic.stop();
  const read = await readers.finish();
  const expected = population.keys * population.each + traffic.facts();
  await until('the live model to have everything', () => reached(scene, expected), CAUGHT_UP_MS);
  const { fenced } = await app.finish();
  const faults = await tableFaults(scene.store, 'payees.payees', population, upTo);
  if (swaps.length === 0) faults.push(`no staged build caught up with the live model (${tooFast} swaps gave up)`);
  return [
    measured({
      name: 'swap',
      value: median(swaps.map(({ heldMs }) => heldMs)),
      unit: 'ms',
      ceiling: await renameOnly(scene),
      ceilingName: 'three schema renames in one round trip',
      floor: FLOOR_MS,
      faults,
      detail: {
        maxMs: rounded(percentile(swaps.map(({ heldMs }) => heldMs), 100)),
        wholeCallMs: rounded(median(swaps.map(({ wholeMs }) => wholeMs))),
        stageUnderTrafficMs: rounded(stageMs),
        swaps: swaps.length,
        gaveUp: tooFast,
        attempts: swaps.reduce((sum, { attempts }) => sum + attempts, 0),
        factsPerSecondMeanwhile: FACTS_PER_SECOND,
        refusedCommits: fenced,
      },
    }),
    measured({
      name: 'failed-reads',
      value: read.failed,
      unit: 'count',
      ceiling: null,
      floor: 0,
      faults: [...(read.failed > 0 ? read.failures : []), ...(read.backwards > 0 ? [`${read.backwards} reads went back in time`] : []), ...(read.reads < 1_000 ? ['hardly any reads'] : [])],
      detail: { reads: read.reads, readers: READERS, p99Ms: rounded(read.p99Ms), maxMs: rounded(read.maxMs) },
    }),
  ];
};

async function swapRepeatedly(scene: Scene, addresses: { kafka: readonly string[]; registryUrl: string; databaseUrl: string }, count: number, say: (text: string) => void) {
  const connections = { databaseUrl: addresses.databaseUrl, kafka: { brokers: addresses.kafka }, registryUrl: addresses.registryUrl };
  const rebuild = await Rebuild.open({ projection: await projectionOf(scene.topic), connections, module: projectionModule(scene.topic) });
  const swaps: { heldMs: number; wholeMs: number; attempts: number }[] = [];
  const stages: number[] = [];
  const begun = performance.now();
  let tooFast = 0;
  try {
    while (swaps.length < count && performance.now() - begun < BEGIN_WITHIN_MS) {
      await pause(SETTLE_MS);
      const staging = performance.now();
      if (!(await endsWithin(rebuild.stage(), STAGE_WITHIN_MS))) break;
      stages.push(performance.now() - staging);
      const started = performance.now();
      const done = await rebuild.swap().catch(ignoreTooFast);
      if (!done) tooFast++;
      else swaps.push({ heldMs: done.heldMs, wholeMs: performance.now() - started, attempts: done.attempts });
      say(done ? `swap: held ${done.heldMs.toFixed(1)} ms, ${done.attempts} attempts` : 'swap: the live model was too fast');
    }
  } finally {
    await rebuild.close();
  }
  return { swaps, stageMs: median(stages), tooFast };
}

/** What is given up ends when its database does. */
async function endsWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  const end = new AbortController();
  const late = pause(ms, end.signal).then(() => false);
  work.catch(() => undefined);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    end.abort();
  }
}

/** A swap that gave up changed nothing and may be tried again; it is counted. */
function ignoreTooFast(error: unknown): undefined {
  if (error instanceof FactlineError && error.code === 'rebuild.live-too-fast') return undefined;
  throw error;
}

/** Facts at a steady rate, straight to the log, keys in turn. `stop` answers how many facts each key has got in all. */
function startTraffic({ log, topic, idOf }: Scene, population: Population): { facts(): number; stop(): Promise<(key: number) => number> } {
  const fact = factMaker(topic, PARTITIONS, population);
  const records = recordsOf({ partitions: PARTITIONS, keys: population.keys, from: population.each + 1, to: Number.MAX_SAFE_INTEGER, idOf, fact })[Symbol.iterator]();
  let written = 0;
  let running = true;
  const loop = (async () => {
    const publisher = await log.publisher();
    const started = performance.now();
    while (running) {
      const due = Math.floor(((performance.now() - started) / 1_000) * FACTS_PER_SECOND) - written;
      const byPartition = Array.from({ length: PARTITIONS }, (): OutgoingRecord[] => []);
      for (let count = 0; count < due; count++) {
        const { partition, key, value } = records.next().value!;
        byPartition[partition]!.push({ key, value });
      }
      await Promise.all(byPartition.flatMap((of, partition) => (of.length > 0 ? [publisher.send(topic, partition, of)] : [])));
      written += due;
      await pause(WRITE_EVERY_MS);
    }
    await publisher.close();
  })();
  return {
    facts: () => written,
    stop: async () => {
      running = false;
      await loop;
      return (key) => population.each + Math.floor(written / population.keys) + (key < written % population.keys ? 1 : 0);
    },
  };
}

async function reached({ store }: Scene, facts: number): Promise<boolean> {
  const { rows } = await store.query<{ offsets: number }>('select sum(next_offset)::double precision as offsets from payees.checkpoint');
  return rows[0]!.offsets >= facts;
}

async function renameOnly({ store }: Scene): Promise<number> {
  const times: number[] = [];
  const session = await store.session();
  await session.query('create schema rename_a; create schema rename_b');
  for (let round = 0; round < 5; round++) {
    const started = performance.now();
    await session.query('begin; alter schema rename_a rename to rename_c; alter schema rename_b rename to rename_a; alter schema rename_c rename to rename_b; commit');
    times.push(performance.now() - started);
  }
  await session.close();
  return median(times);
}
