import { consumeRaw } from '../ceilings.js';
import type { Population } from '../employees.js';
import { tableFaults } from '../gates.js';
import { startLive } from '../live.js';
import { type Bench, type Measure, type Measurement, cpuSeconds, measured, median, perSecond } from '../measurement.js';
import { foldByHand } from '../peers/kafkajs-unnest.js';
import { upsertWithNest } from '../peers/nest-serverkafka.js';
import { type Scene, fill, openDatabase, openScene } from '../scene.js';

const FLOOR_FACTS_PER_SECOND = 100_000;
const CEILING_NAME = 'kafkajs consumption without work';

/** A backlog folded into a Postgres table by the live subscription, each fact in effect once, from the assignment to the last commit. */
export const projectionLive: Measure = async (bench) => {
  const { world, quick, say } = bench;
  const population: Population = quick ? { keys: 30_000, each: 5 } : { keys: 100_000, each: 5 };
  const scene = await openScene(world, 'live');
  say(`projection-live: writing ${population.keys * population.each} facts`);
  const { facts, bytesPerFact } = await fill(scene, population);
  const rounds = quick ? 1 : 3;
  const runs: Awaited<ReturnType<typeof once>>[] = [];
  const raw: number[] = [];
  for (let round = 0; round < rounds; round++) {
    raw.push((await consumeRaw(world.kafka, scene.topic, () => undefined)).ms);
    runs.push(await once({ ...scene, ...(await openDatabase(world, `live${round}`)) }, population, round));
    say(`projection-live: ${Math.round(perSecond(facts, runs.at(-1)!.ms))} facts/s, kafkajs without work ${Math.round(perSecond(facts, raw.at(-1)!))}`);
  }
  const ceiling = perSecond(facts, median(raw));
  const peers = bench.peers ? await peersOf(bench, scene, population, ceiling) : [];
  const byHand = peers.find(({ name }) => name === 'peer-kafkajs-unnest');
  const ours = measured({
    name: 'projection-live',
    value: perSecond(facts, median(runs.map(({ ms }) => ms))),
    unit: 'facts/s',
    ceiling,
    ceilingName: CEILING_NAME,
    floor: FLOOR_FACTS_PER_SECOND,
    faults: runs.flatMap(({ faults }) => faults),
    detail: {
      facts,
      keys: population.keys,
      bytesPerFact: Math.round(bytesPerFact),
      rounds,
      joinMs: Math.round(median(runs.map(({ joinMs }) => joinMs))),
      transactions: median(runs.map(({ transactions }) => transactions)),
      cpuSeconds: median(runs.map(({ cpu }) => cpu)),
      ...(byHand && { byHandFactsPerSecond: byHand.value }),
    },
  });
  return [ours, ...peers];
};

async function once(scene: Scene, population: Population, round: number) {
  const started = performance.now();
  const before = process.cpuUsage();
  const live = await startLive(scene, `${scene.topic}.${round}`);
  const ended = await live.committed(population.keys * population.each);
  const cpu = cpuSeconds(before);
  const { transactions } = live.subscription.status.counts;
  await live.stop();
  return {
    ms: ended - live.assignedAt(),
    joinMs: live.assignedAt() - started,
    transactions,
    cpu,
    faults: await tableFaults(scene.store, 'payees.payees', population),
  };
}

/** Nest commits message by message, so it gets a backlog that it can finish in a time that one waits for. */
async function peersOf({ world, quick, say }: Bench, scene: Scene, population: Population, ceiling: number): Promise<Measurement[]> {
  say('peer-kafkajs-unnest: folding by hand');
  const facts = population.keys * population.each;
  const hand = await openDatabase(world, 'byhand');
  const byHand = await foldByHand(hand.databaseUrl, world.kafka, scene.topic, scene.schemas);
  const small: Population = { keys: quick ? 3_000 : 10_000, each: 5 };
  const nestScene = await openScene(world, 'nest');
  await fill(nestScene, small);
  say(`peer-nest-serverkafka: ${small.keys * small.each} facts, one upsert each`);
  const nest = await upsertWithNest(nestScene.databaseUrl, world.kafka, nestScene.topic, small.keys * small.each, nestScene.schemas);
  return [
    measured({
      name: 'peer-kafkajs-unnest',
      value: perSecond(facts, byHand.ms),
      unit: 'facts/s',
      ceiling,
      ceilingName: CEILING_NAME,
      faults: await tableFaults(hand.store, 'payees_by_hand', population),
      detail: { facts, joinMs: Math.round(byHand.joinMs), transactions: byHand.transactions },
    }),
    measured({
      name: 'peer-nest-serverkafka',
      value: perSecond(small.keys * small.each, nest.ms),
      unit: 'facts/s',
      ceiling,
      ceilingName: CEILING_NAME,
      faults: await tableFaults(nestScene.store, 'payees_nest', small),
      detail: { facts: small.keys * small.each, partitionsConsumedConcurrently: nest.concurrency },
    }),
  ];
}
