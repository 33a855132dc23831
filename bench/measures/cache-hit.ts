import { Cache } from 'factline/cache';
import { WATERMARK_TOPIC } from 'factline/contracts';
import { memoryLog } from 'factline/log';
import { until } from 'factline/testing';
import { EmployeeCreated } from '../../apps/payroll/src/contracts.generated.js';
import { keyName } from '../employees.js';
import { type Measure, measured, median, perSecond, rounded } from '../measurement.js';
import { PARTITIONS } from '../scene.js';

const FLOOR_HITS_PER_SECOND = 2_000_000;
const KEYS = 10_000;

/** A hit with its as-of time, of a key whose partition is followed, over more keys than a processor's nearest cache holds; against Map.get. */
export const cacheHit: Measure = async ({ quick, say }) => {
  const topic = 'bench.cache';
  const log = memoryLog();
  await log.createTopics([{ name: topic, partitions: PARTITIONS }, { name: WATERMARK_TOPIC, partitions: 1 }]);
  const cache = new Cache<{ name: string }>({ name: 'bench', load: async (key) => ({ name: key }), staleAfter: '1h', ttl: '1d', maxEntries: KEYS }).on({ ...EmployeeCreated, topic }, ({ key }) => [key]);
  cache.start({ log, writers: { byId: () => Promise.reject(new Error('nothing is stated')) } });
  const publisher = await log.publisher();
  const mark = { topic, asOf: Date.now(), epoch: 1, offsets: Array.from({ length: PARTITIONS }, () => 0) };
  await publisher.send(WATERMARK_TOPIC, 0, [{ key: Buffer.from(topic), value: Buffer.from(JSON.stringify(mark)) }]);
  await until('the watermark', () => cache.status.regions.length === PARTITIONS && cache.status.regions.every(({ stale }) => !stale));
  const keys = Array.from({ length: KEYS }, (_none, at) => keyName(at));
  const map = new Map<string, { name: string }>();
  for (const key of keys) map.set(key, (await cache.get(key)).value!);
  const { hits } = cache.counts;
  const rates: Record<'cache' | 'map', number[]> = { cache: [], map: [] };
  const [rounds, turns] = quick ? [8, 50] : [30, 100];
  for (let round = 0; round < rounds; round++) {
    rates.cache.push(rateOf((key) => (cache.get(key) as { value: { name: string } }).value, keys, turns));
    rates.map.push(rateOf((key) => map.get(key)!, keys, turns));
  }
  const faults = [
    ...(cache.counts.hits - hits === rounds * turns * KEYS ? [] : [`${cache.counts.hits - hits} hits of ${rounds * turns * KEYS}`]),
    ...keys.flatMap((key) => (cache.peek(key)?.value?.name === key && cache.peek(key)?.stale === false ? [] : [`${key} is not there as it was loaded`])),
  ];
  await cache.stop();
  await log.close();
  const [hit, raw] = [median(rates.cache.slice(2)), median(rates.map.slice(2))]; // the first rounds compile
  say(`cache-hit: ${Math.round(hit)} hits/s, Map.get ${Math.round(raw)}`);
  return [
    measured({
      name: 'cache-hit',
      value: hit,
      unit: 'hits/s',
      ceiling: raw,
      ceilingName: 'Map.get of the same keys',
      floor: FLOOR_HITS_PER_SECOND,
      faults,
      detail: { keys: KEYS, rounds, nanosecondsPerHit: rounded(1e9 / hit) },
    }),
  ];
};

let sink = 0;

function rateOf(get: (key: string) => { name: string }, keys: readonly string[], turns: number): number {
  const started = performance.now();
  for (let turn = 0; turn < turns; turn++) for (const key of keys) sink += get(key).name.length; // a result that nobody uses may not be computed
  return sink > 0 ? perSecond(turns * keys.length, performance.now() - started) : 0;
}
