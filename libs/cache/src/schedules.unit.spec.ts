import fc from 'fast-check';
import { simulationRuns, simulationTimeoutMs } from 'factline/testing/simulation';
import { Cache, type WhenStale } from './index.js';
import { Region } from './region.js';
import { type Item, PARTITIONS, Shop, changed, held, without } from './shop.spec.support.js';

const KEYS = ['a', 'b', 'c'];
const BOUND = 8_000;
const RUNS = 300;
const CONTROL_RUNS = 3_000;

type Step =
  | { do: 'write' | 'get' | 'invalidate'; key: string }
  | { do: 'apply' | 'deliver'; partition: number; facts: number }
  | { do: 'lose'; partition: number }
  | { do: 'let a load read' | 'let a load end' }
  | { do: 'pass time'; ms: number }
  | { do: 'watermark'; heard: boolean }
  | { do: 'clear' };

const key = fc.constantFrom(...KEYS);
const partition = fc.nat(PARTITIONS - 1);
const step = fc.oneof<fc.WeightedArbitrary<Step>[]>(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const), key }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('get' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('invalidate' as const), key }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('apply' as const, 'deliver' as const), partition, facts: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), partition }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('let a load read' as const, 'let a load end' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pass time' as const), ms: fc.constantFrom(10, 3_000, BOUND) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('watermark' as const), heard: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const) }) },
);
const plan = fc.record({ steps: fc.array(step, { minLength: 5, maxLength: 60 }), whenStale: fc.constantFrom<WhenStale>('serve-with-age', 'bypass', 'fail'), lags: fc.boolean(), maxEntries: fc.constantFrom<number>(1, 100) });
/** One key, whose loads end at once, and a tail that loses its place. */
const gaps = fc
  .array(fc.constantFrom<Step[]>(...([[{ do: 'write', key: 'a' }], [{ do: 'get', key: 'a' }, { do: 'let a load read' }, { do: 'let a load end' }], [0, 1].map((at) => ({ do: 'apply', partition: at, facts: 3 })), [0, 1].map((at) => ({ do: 'lose', partition: at })), [{ do: 'watermark', heard: true }]] as Step[][])), { minLength: 5, maxLength: 20 })
  .map((steps) => ({ steps: steps.flat(), whenStale: 'serve-with-age' as const, lags: true, maxEntries: 100 }));
type Plan = typeof plan extends fc.Arbitrary<infer P> ? P : never;

/** What an answer must not do, whatever the order of things. */
async function play({ steps, whenStale, lags, maxEntries }: Plan): Promise<string[]> {
  const shop = new Shop();
  const faults: string[] = [];
  const reads: (() => void)[] = [];
  const ends: (() => void)[] = [];
  const load = async (of: string): Promise<Item | undefined> => {
    const [read, end] = [held<void>(), held<void>()];
    reads.push(() => read.give());
    await read.promise;
    const row = lags ? shop.rows.get(of) : shop.version(of) === 0 ? undefined : { version: shop.version(of) };
    ends.push(() => end.give());
    await end.promise;
    return row && { ...row };
  };
  const cache = new Cache<Item>({ name: 'items', load, ...(lags && { source: shop.source }), whenStale, maxEntries, staleAfter: BOUND, clock: shop.clock, concurrentLoads: 2, ttl: '20s' }).on(changed, (fact) => [fact.key]);
  const asking: Promise<void>[] = [];
  const ask = async (of: string) => {
    const seen = shop.seen.get(of) ?? 0;
    const answer = await Promise.resolve(cache.get(of)).catch((error: { code?: string }) => (error.code === 'cache.stale' ? undefined : Promise.reject(error as Error)));
    if (!answer) return;
    const got = answer.value?.version ?? 0;
    const { asOfMs, stale } = answer;
    if (asOfMs !== null && got < shop.version(of, asOfMs)) faults.push(`${of} is ${got}, and was ${shop.version(of, asOfMs)} at the as-of time`);
    if (!stale && got < seen) faults.push(`${of} is ${got} and not stale, and ${seen} was seen before`);
    if (!stale && asOfMs === null) faults.push(`${of} is not stale as of an unknown time`);
  };
  await shop.follow(cache);
  for (const each of steps) {
    if (each.do === 'write') shop.write(each.key);
    else if (each.do === 'get') asking.push(ask(each.key));
    else if (each.do === 'invalidate') cache.invalidate(each.key);
    else if (each.do === 'apply') shop.apply(each.partition, each.facts);
    else if (each.do === 'deliver') await shop.deliver(each.partition, each.facts);
    else if (each.do === 'lose') await shop.lose(each.partition);
    else if (each.do === 'let a load read') reads.shift()?.();
    else if (each.do === 'let a load end') ends.shift()?.();
    else if (each.do === 'pass time') shop.ms += each.ms;
    else if (each.do === 'watermark') await shop.watermark(each.heard);
    else cache.clear();
    await new Promise(setImmediate);
  }
  const asked = Promise.all(asking).then(() => true);
  while (!(await Promise.race([asked, new Promise<false>((resolve) => setImmediate(() => resolve(false)))]))) {
    reads.shift()?.();
    ends.shift()?.();
  }
  while (reads.length > 0 || ends.length > 0 || cache.status.loading > 0) {
    reads.shift()?.();
    ends.shift()?.();
    await new Promise(setImmediate);
  }
  await cache.stop();
  return faults;
}

it('INV-11, INV-12: whatever the order of facts, loads and readers, nothing up to the as-of time is missing, and what misses a fact that was seen says that it is stale', async () => {
  await fc.assert(fc.asyncProperty(plan, async (each) => expect(await play(each)).toEqual([])), simulationRuns(RUNS));
  await fc.assert(fc.asyncProperty(gaps, async (each) => expect(await play(each)).toEqual([])), simulationRuns(RUNS / 3));
}, simulationTimeoutMs());

describe('control: the schedules find', () => {
  const controls: [name: string, broken: { prototype: object }, method: string, instead: unknown, of: fc.Arbitrary<Plan>][] = [
    ['loads that are kept although a fact changed the key meanwhile, or before the source had it', Region, 'knowsNewer', () => false, plan],
    ['what was loaded behind the begin of the tail, and vouched for', Region, 'vouchesFor', () => true, plan],
    ['a gap that breaks nothing', Region, 'broken', () => undefined, gaps],
  ];
  it.each(controls)('%s', async (_name, broken, method, instead, of) => {
    let failed = false;
    await without(broken, method as never, instead, async () => {
      ({ failed } = await fc.check(fc.asyncProperty(of, async (each) => expect(await play(each)).toEqual([])), { numRuns: CONTROL_RUNS, endOnFailure: true }));
    });
    expect(failed).toBe(true);
  }, simulationTimeoutMs());
});
