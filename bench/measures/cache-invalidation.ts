import { Cache } from 'factline/cache';
import { until } from 'factline/testing';
import { EmployeeCreated } from '../../apps/payroll/src/contracts.generated.js';
import { keyName } from '../employees.js';
import { topicFaults } from '../gates.js';
import { type Measure, measured, percentile, rounded } from '../measurement.js';
import { Observer } from '../observer.js';
import { sharedNow, startChild } from '../processes/child.js';
import type { Committed, WriterArgument } from '../processes/writer.js';
import { PARTITIONS, openScene } from '../scene.js';

const CHANGES_PER_SECOND = 500;
const FLOOR_P99_MS = 100;
const WARM_UP = { rate: 100, seconds: 1.5, measured: false };
const ARRIVAL_MS = 30_000;

/** From the answer to COMMIT in the producer to the moment the key is out of another process's cache, at 500 changes a second; against a follower that only notes when a fact is on the topic. */
export const cacheInvalidation: Measure = async ({ world, quick, say }) => {
  const phases = [WARM_UP, { rate: CHANGES_PER_SECOND, seconds: quick ? 5 : 30, measured: true }];
  const scene = await openScene(world, 'cache-invalidation');
  await scene.store.query('create table business (id bigint generated always as identity primary key, employee_id text not null, note text not null, amount bigint not null)');
  const total = phases.reduce((sum, { rate, seconds }) => sum + rate * seconds, 0);
  const evictedAt = new Map<string, number>();
  function* keysOf({ key }: { key: string }) {
    yield key;
    evictedAt.set(key, sharedNow()); // asked for more, so the key is evicted
  }
  const cache = new Cache<object>({ name: 'bench', load: async () => ({}), maxEntries: total, ttl: '1d' }).on({ ...EmployeeCreated, topic: scene.topic }, keysOf);
  cache.start({ log: scene.log, writers: scene.schemas });
  world.onClose(() => cache.stop());
  await until('the tail to stand', () => cache.status.regions.length === PARTITIONS && cache.status.regions.every(({ topic }) => topic === scene.topic));
  await cache.warm(Array.from({ length: total }, (_none, at) => keyName(at)));
  const warmed = cache.status.entries;
  const observer = new Observer(scene.log, scene.topic, PARTITIONS);
  world.onClose(() => observer.stop());
  const argument: WriterArgument = { kafka: world.kafka, registryUrl: world.registryUrl, databaseUrl: scene.databaseUrl, topic: scene.topic, way: 'outbox', phases, tellEvery: Number.MAX_SAFE_INTEGER };
  const writer = startChild<Committed[]>('writer', argument);
  world.onClose(writer.finish);
  await writer.ready;
  const seconds = phases.reduce((sum, phase) => sum + phase.seconds, 0);
  const arrived = until('all keys to be evicted', () => evictedAt.size >= total && observer.onTopic.size >= total, seconds * 1_000 + ARRIVAL_MS);
  await Promise.race([arrived, writer.result]).catch((error: Error) => error); // what is missing is told by the gate
  const committed = await writer.finish();
  const counted = committed.filter(({ measured: counts }) => counts);
  const delays = (seen: ReadonlyMap<string, number>) => counted.flatMap(({ key, committedAt }) => (seen.has(key) ? [Math.max(0, seen.get(key)! - committedAt)] : []));
  const [toEvicted, toTopic] = [delays(evictedAt), delays(observer.onTopic)];
  const left = committed.filter(({ key }) => cache.peek(key)).length;
  const faults = [
    ...(await observer.stop()),
    ...(warmed === total ? [] : [`${warmed} of ${total} keys were cached before`]),
    ...(left === 0 ? [] : [`${left} changed keys are still cached`]),
    ...(cache.counts.gaps + cache.counts.unreadable === 0 ? [] : ['the tail lost its place']),
    ...(await topicFaults(world.kafka, scene.topic, new Map(committed.map(({ key }) => [key, 1])))),
  ];
  say(`cache-invalidation: evicted p50 ${percentile(toEvicted, 50).toFixed(1)} ms, p99 ${percentile(toEvicted, 99).toFixed(1)} ms, on the topic p99 ${percentile(toTopic, 99).toFixed(1)} ms`);
  return [50, 99].map((percent) =>
    measured({
      name: `cache-invalidation-p${percent}`,
      value: percentile(toEvicted, percent),
      unit: 'ms',
      ceiling: percentile(toTopic, percent),
      ceilingName: 'the same facts at a follower that only notes the time',
      ...(percent === 99 && { floor: FLOOR_P99_MS }),
      faults,
      detail: { samples: toEvicted.length, changesPerSecond: CHANGES_PER_SECOND, maxMs: rounded(Math.max(...toEvicted)) },
    }),
  );
};
