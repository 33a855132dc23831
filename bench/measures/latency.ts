import { until } from 'factline/testing';
import type { Population } from '../employees.js';
import { tableFaults, topicFaults } from '../gates.js';
import { type Bench, type Measure, type Measurement, measured, percentile, rounded } from '../measurement.js';
import { Observer } from '../observer.js';
import { startChild } from '../processes/child.js';
import type { LiveAppArgument } from '../processes/live-app.js';
import type { Committed, WriterArgument } from '../processes/writer.js';
import { PARTITIONS, type Scene, openDatabase, openScene, openTopic } from '../scene.js';

const RATES = [8, 500, 1_000];
const WARM_UP = { rate: 100, seconds: 1.5, measured: false };
/** Rows looked for in the read model, a second at most: more would be a load of its own. */
const LOOKED_FOR_PER_SECOND = 50;
const ARRIVAL_MS = 30_000;
const FLOORS_MS: Readonly<Record<number, number>> = { 50: 30, 99: 250 };
const CEILING_NAME = 'kafkajs producer.send right after the commit, to a follower';

interface Latencies {
  /** From the answer to COMMIT. */
  toTopic: number[];
  toReadable: number[];
  /** From the moment the transaction was due. */
  dueToReadable: number[];
}

/** How long after its commit a fact is on the topic, and readable in another app's table, at three rates of an open load. */
export const latency: Measure = async (bench) => {
  const results: Measurement[] = [];
  for (const rate of RATES) results.push(...(await atRate(bench, rate)));
  return results;
};

async function atRate({ world, quick, say }: Bench, rate: number): Promise<Measurement[]> {
  const phases = [WARM_UP, { rate, seconds: quick ? 3 : 30, measured: true }];
  const scene = await openScene(world, `latency-${rate}`);
  await scene.store.query('create table business (id bigint generated always as identity primary key, employee_id text not null, note text not null, amount bigint not null)');
  const addresses = { kafka: world.kafka, registryUrl: world.registryUrl, databaseUrl: scene.databaseUrl };
  const rawTopic = await openTopic(world, scene.log, `latency-${rate}-raw`);
  const raw = await observe(scene, { ...addresses, topic: rawTopic, way: 'raw', phases, tellEvery: Number.MAX_SAFE_INTEGER });
  const reading = await openDatabase(world, `latency-${rate}-read`);
  const appArgument: LiveAppArgument = { ...addresses, databaseUrl: reading.databaseUrl, topic: scene.topic, group: `${scene.topic}.app` };
  const app = startChild('live-app', appArgument);
  world.onClose(app.finish);
  await app.ready;
  const tellEvery = Math.max(1, Math.floor(rate / LOOKED_FOR_PER_SECOND));
  const ours = await observe(scene, { ...addresses, topic: scene.topic, way: 'outbox', phases, tellEvery }, reading.store);
  await app.finish();
  const population: Population = { keys: ours.transactions, each: Number.MAX_SAFE_INTEGER };
  const once = new Map(ours.keys.map((key) => [key, 1]));
  const faults = [...ours.faults, ...(await topicFaults(world.kafka, scene.topic, once)), ...(await tableFaults(reading.store, 'payees.payees', population, () => 1))];
  const { toTopic, toReadable, dueToReadable } = ours.latencies;
  say(`latency at ${rate}/s: topic p50 ${percentile(toTopic, 50).toFixed(1)} ms, readable p50 ${percentile(toReadable, 50).toFixed(1)} ms, raw ${percentile(raw.latencies.toTopic, 50).toFixed(1)} ms`);
  const figure = (name: string, percent: number, values: number[], floor?: number) =>
    measured({
      name: `${name}-p${percent}@${rate}`,
      value: percentile(values, percent),
      unit: 'ms',
      ceiling: percentile(raw.latencies.toTopic, percent),
      ceilingName: CEILING_NAME,
      ...(floor !== undefined && { floor }),
      faults,
      detail: {
        samples: values.length,
        maxMs: rounded(Math.max(...values)),
        ...(name === 'commit-to-readable' && { dueToReadableMs: rounded(percentile(dueToReadable, percent)) }),
      },
    });
  return [50, 99].flatMap((percent) => [figure('commit-to-topic', percent, toTopic), figure('commit-to-readable', percent, toReadable, FLOORS_MS[percent])]);
}

async function observe({ log, world }: Scene, argument: WriterArgument, reading?: Scene['store']): Promise<{ latencies: Latencies; transactions: number; keys: string[]; faults: string[] }> {
  const observer = new Observer(log, argument.topic, PARTITIONS, reading);
  world.onClose(() => observer.stop());
  const writer = startChild<Committed[]>('writer', argument, ({ key }: Committed) => observer.want(key));
  world.onClose(writer.finish);
  await writer.ready;
  const total = argument.phases.reduce((sum, { rate, seconds }) => sum + Math.ceil(rate * seconds), 0);
  const seconds = argument.phases.reduce((sum, phase) => sum + phase.seconds, 0);
  const arrived = until('all facts to arrive', () => observer.onTopic.size >= total && observer.waiting === 0, seconds * 1_000 + ARRIVAL_MS);
  await Promise.race([arrived, writer.result]).catch((error: Error) => error); // what is missing is told by the gates
  const committed = await writer.finish();
  const faults = await observer.stop();
  const seen = committed.filter(({ measured: counts }) => counts);
  const toTopic = seen.flatMap(({ key, committedAt }) => positive(observer.onTopic.get(key), committedAt));
  const toReadable = seen.flatMap(({ key, committedAt }) => positive(observer.readable.get(key), committedAt));
  const dueToReadable = seen.flatMap(({ key, scheduledAt }) => positive(observer.readable.get(key), scheduledAt));
  if (toTopic.length < seen.length) faults.push(`${seen.length - toTopic.length} facts never arrived`);
  return { latencies: { toTopic, toReadable, dueToReadable }, transactions: committed.length, keys: committed.map(({ key }) => key), faults };
}

/** A follower may see a fact before the writer's process gets to see the answer to its COMMIT: that is no time. */
function positive(seenAt: number | undefined, since: number): number[] {
  return seenAt === undefined ? [] : [Math.max(0, seenAt - since)];
}
