import { AsyncLocalStorage } from 'node:async_hooks';
import { FactlineError } from 'factline/kernel';
import { Cache, type CacheOptions } from './index.js';
import { FAILED_DELAY_MAX_MS, LOADS_WAITING } from './limits.js';
import { type Item, held } from './shop.spec.support.js';

const clock = { ms: 0, now: () => clock.ms, monotonic: () => clock.ms };
const TTL = 10_000;
const asked: string[] = [];
beforeEach(() => {
  clock.ms = 1_000_000;
  asked.length = 0;
});

const cacheOf = (options: Partial<CacheOptions<Item>> = {}) =>
  new Cache<Item>({
    name: 'items',
    load: async (key) => {
      asked.push(key);
      return { version: asked.length };
    },
    ttl: TTL,
    jitter: 0,
    clock,
    random: () => 0,
    ...options,
  });
const failing = (times: number, options: Partial<CacheOptions<Item>> = {}) =>
  cacheOf({
    load: async (key) => {
      asked.push(key);
      if (asked.length <= times) throw new FactlineError({ code: 'store.unavailable', kind: 'unavailable', message: 'away' });
      return { version: asked.length };
    },
    ...options,
  });
/** As a promise, whether it is there or not. */
const later = async (cache: Cache<Item>, key = 'a') => cache.get(key);
const versionOf = async (cache: Cache<Item>, key = 'a') => (await cache.get(key)).value?.version;

describe('coalescing', () => {
  it('F1: 1,000 callers of an expired hot key make one load, and all get its answer', async () => {
    const second = held<Item>();
    const loads = [Promise.resolve({ version: 1 }), second.promise];
    const cache = cacheOf({ load: () => loads[asked.push('a') - 1]! });
    await cache.get('a');
    clock.ms += TTL;
    const answers = Array.from({ length: 1_000 }, () => later(cache));
    second.give({ version: 2 });
    expect(new Set((await Promise.all(answers)).map(({ value }) => value?.version))).toEqual(new Set([2]));
    expect(asked).toHaveLength(2);
    expect(cache.counts).toMatchObject({ loads: 2, misses: 1_001, coalesced: 999 });
  });

  it('control: without it, they make 1,000', async () => {
    const cache = cacheOf();
    await Promise.all(Array.from({ length: 1_000 }, (_none, caller) => later(cache, `a ${caller}`)));
    expect(asked).toHaveLength(1_000);
  });

  it('answers what is there at once, without a promise', async () => {
    const cache = cacheOf();
    await cache.get('a');
    expect(cache.get('a')).toMatchObject({ value: { version: 1 }, stale: false, age: 0, asOf: new Date(clock.ms) });
    expect(cache.counts).toMatchObject({ hits: 1, loads: 1 });
  });

  it('a load belongs to no caller: it does not see the context of the one that came first', async () => {
    const context = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const cache = cacheOf({ load: async () => void seen.push(context.getStore()) as undefined });
    await context.run('a request', async () => later(cache));
    expect(seen).toEqual([undefined]);
  });

  it('whoever comes after an invalidation waits for another load, and all of them for one', async () => {
    const gates = [held<Item>(), held<Item>()];
    const cache = cacheOf({ load: () => gates[asked.push('a') - 1]!.promise });
    const before = cache.get('a');
    cache.invalidate('a');
    const after = Array.from({ length: 10 }, () => later(cache));
    gates[0]!.give({ version: 1 });
    expect(await before).toMatchObject({ value: { version: 1 }, stale: true });
    gates[1]!.give({ version: 2 });
    expect((await Promise.all(after)).every(({ value, stale }) => value?.version === 2 && !stale)).toBe(true);
    expect(asked).toHaveLength(2);
    expect(await versionOf(cache)).toBe(2);
    expect(cache.counts.overtaken).toBe(1);
  });
});

describe('how long an entry lives', () => {
  it('is the TTL less a random part of it', async () => {
    const cache = cacheOf({ jitter: 0.5, random: () => 0.5 }); // 7.5 s
    await cache.get('a');
    clock.ms += 7_499;
    expect(cache.get('a')).toMatchObject({ value: { version: 1 } });
    clock.ms += 1;
    expect(await versionOf(cache)).toBe(2);
  });

  it('F5: a "there is none" is kept for a shorter time, and creation ends it', async () => {
    const items = new Map<string, Item>();
    const cache = cacheOf({ load: async (key) => (asked.push(key), items.get(key)), negativeTtl: 1_000 });
    expect(await cache.get('a')).toMatchObject({ value: undefined, stale: false });
    expect(cache.get('a')).toMatchObject({ value: undefined });
    items.set('a', { version: 7 });
    cache.invalidate('a');
    expect(await versionOf(cache)).toBe(7);
    await cache.get('b');
    clock.ms += 1_000;
    await cache.get('b');
    expect(asked).toEqual(['a', 'a', 'b', 'b']);
  });

  it('F7: is bounded: the least recently used has to go', async () => {
    const cache = cacheOf({ maxEntries: 100 });
    for (let key = 0; key < 1_000; key++) {
      await cache.get(`k${key}`);
      await cache.get('hot');
    }
    expect(cache.status).toMatchObject({ entries: 100, counts: { evictions: 1_001 - 100 } });
    expect(asked.filter((key) => key === 'hot')).toHaveLength(1);
  });

  it('is loaded early, in the background, by one of its readers: the sooner the slower the load', async () => {
    const random = { next: 0 };
    const slow = async () => {
      asked.push('a');
      clock.ms += 100;
      return { version: asked.length };
    };
    const cache = cacheOf({ load: slow, random: () => random.next });
    await cache.get('a'); // takes 100 ms
    clock.ms += TTL - 150;
    expect(cache.get('a')).toMatchObject({ value: { version: 1 } });
    expect(asked).toHaveLength(1); // -100 ms * ln(1 - 0) = 0: not yet
    random.next = 0.9; // 230 ms before its time
    expect(cache.get('a')).toMatchObject({ value: { version: 1 }, stale: false });
    await new Promise(setImmediate);
    expect(cache.counts).toMatchObject({ early: 1, loads: 2 });
    expect(await versionOf(cache)).toBe(2);
  });

  it('is not loaded early when there is time left', async () => {
    const cache = cacheOf({ random: () => 0.999_999 });
    await cache.get('a');
    clock.ms += TTL / 2;
    await cache.get('a');
    expect(cache.counts).toMatchObject({ early: 0, loads: 1 });
  });
});

describe('a load that fails', () => {
  it('F8: is not kept: its callers get the failure, for a bounded time, and then it is tried again', async () => {
    const cache = failing(1);
    await expect(cache.get('a')).rejects.toMatchObject({ code: 'store.unavailable' });
    await expect(cache.get('a')).rejects.toMatchObject({ code: 'store.unavailable' });
    expect(asked).toHaveLength(1);
    clock.ms += FAILED_DELAY_MAX_MS;
    expect(await versionOf(cache)).toBe(2);
  });

  it('is tried again less and less often, at least every 2 s', async () => {
    const cache = failing(1_000);
    for (let second = 0; second < 60; second++) {
      await expect(cache.get('a')).rejects.toMatchObject({ code: 'store.unavailable' });
      clock.ms += 500;
    }
    expect(asked.length).toBeGreaterThanOrEqual(15);
    expect(asked.length).toBeLessThan(40);
  });

  it('leaves what has expired, marked stale, where that is wanted', async () => {
    for (const [whenStale, expected] of [['serve-with-age', { value: { version: 1 }, stale: true, age: TTL }], ['bypass', undefined], ['fail', undefined]] as const) {
      const cache = failing(1_000, { whenStale, load: async () => (asked.push('a') === 1 ? { version: 1 } : Promise.reject(new Error('away'))) });
      asked.length = 0;
      await cache.get('a');
      clock.ms += TTL;
      const answer = cache.get('a');
      if (expected) expect(await answer).toMatchObject(expected);
      else await expect(answer).rejects.toThrow('away');
    }
  });

  it('ends at its deadline, and what it finds later is dropped', async () => {
    const late = held<Item>();
    const cache = cacheOf({ load: () => (asked.push('a') === 1 ? late.promise : Promise.resolve({ version: 2 })), loadTimeout: 5 });
    await expect(cache.get('a')).rejects.toMatchObject({ code: 'cache.load-timeout', kind: 'unavailable' });
    late.give({ version: 1 });
    clock.ms += FAILED_DELAY_MAX_MS;
    expect(await versionOf(cache)).toBe(2);
    expect(cache.peek('a')).toMatchObject({ value: { version: 2 } });
  });
});

describe('loads at once', () => {
  it('F6: are as many as allowed, however many keys are asked for', async () => {
    const gate = held<Item>();
    let [running, most] = [0, 0];
    const load = async () => {
      most = Math.max(most, ++running);
      const item = await gate.promise;
      running--;
      return item;
    };
    const cache = cacheOf({ load, concurrentLoads: 4 });
    const answers = Array.from({ length: 100 }, (_none, key) => later(cache, `k${key}`));
    expect(cache.status.loading).toBe(4);
    gate.give({ version: 1 });
    await Promise.all(answers);
    expect(most).toBe(4);
    expect(cache.status.loading).toBe(0);
  });

  it('are refused when too many wait, and a refused key is loaded later', async () => {
    const gate = held<Item>();
    const cache = cacheOf({ load: () => gate.promise, concurrentLoads: 1 });
    const answers = Array.from({ length: LOADS_WAITING + 1 }, (_none, key) => later(cache, `k${key}`));
    await expect(cache.get('one more')).rejects.toMatchObject({ code: 'cache.crowded', kind: 'unavailable' });
    gate.give({ version: 1 });
    await Promise.all(answers);
    clock.ms += FAILED_DELAY_MAX_MS;
    expect(await versionOf(cache, 'one more')).toBe(1);
  });

  it('of which one hangs keep their turn until it ends: no more than allowed are under way', async () => {
    const stuck = held<Item>();
    const cache = cacheOf({ load: (key) => (key === 'stuck' ? stuck.promise : Promise.resolve({ version: 1 })), concurrentLoads: 1, loadTimeout: 5 });
    await expect(cache.get('stuck')).rejects.toMatchObject({ code: 'cache.load-timeout' });
    await expect(cache.get('a')).rejects.toMatchObject({ code: 'cache.load-timeout' });
    stuck.give({ version: 1 });
    clock.ms += FAILED_DELAY_MAX_MS;
    expect(await versionOf(cache)).toBe(1);
  });
});

describe('a warm-up', () => {
  const many = (sizes: number[]): Partial<CacheOptions<Item>> => ({
    loadMany: async (keys) => {
      sizes.push(keys.length);
      return new Map(keys.map((key) => [key, { version: 0 }]));
    },
  });

  it('loads many keys at a time, until the cache is full', async () => {
    const sizes: number[] = [];
    const cache = cacheOf({ ...many(sizes), maxEntries: 1_200 });
    async function* keys() {
      for (let key = 0; key < 5_000; key++) yield `k${key}`;
    }
    expect(await cache.warm(keys())).toBe(1_200);
    expect(sizes).toEqual([500, 500, 200]);
    expect(cache.get('k7')).toMatchObject({ value: { version: 0 } });
    expect(asked).toEqual([]);
  });

  it('is shared by callers, and overtaken by an invalidation like any load', async () => {
    const gate = held<ReadonlyMap<string, Item>>();
    const cache = cacheOf({ loadMany: () => gate.promise });
    const warming = cache.warm(['a', 'b']);
    await new Promise(setImmediate);
    const caller = cache.get('b');
    cache.invalidate('a');
    gate.give(new Map([['a', { version: 8 }], ['b', { version: 9 }]]));
    await warming;
    expect(await caller).toMatchObject({ value: { version: 9 } });
    expect(cache.peek('a')).toBeUndefined();
    expect(asked).toEqual([]);
  });

  it('without loadMany takes the loads that are allowed', async () => {
    const cache = cacheOf();
    expect(await cache.warm(['a', 'b', 'a'])).toBe(3);
    expect(asked.toSorted()).toEqual(['a', 'b']);
  });
});

it('emptied, it loads again, and what is under way is not kept', async () => {
  const cache = cacheOf();
  await cache.get('a');
  const under = cache.get('b');
  cache.clear();
  await under;
  expect(cache.status.entries).toBe(0);
  expect(await versionOf(cache)).toBe(3);
});

it('says all that is wrong with its options at once', () => {
  const wrong = { jitter: 2, maxEntries: 0, concurrentLoads: 1.5, staleAfter: '1s', whenStale: 'never' } as unknown as Partial<CacheOptions<Item>>;
  let thrown: unknown;
  try {
    cacheOf(wrong);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ code: 'cache.options', kind: 'configuration' });
  expect((thrown as FactlineError).details['faults']).toHaveLength(5);
});
