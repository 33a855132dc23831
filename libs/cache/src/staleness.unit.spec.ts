import { Cache, type CacheOptions } from './index.js';
import { Region } from './region.js';
import { Shop, type Item, changed, held, partitionOfKey, without } from './shop.spec.support.js';

/** Two keys of one partition, and one of the other. */
const [a, b, c] = ['a', ...['b', 'd', 'e', 'f', 'g', 'h'].filter((key) => partitionOfKey(key) === partitionOfKey('a')).slice(0, 1), ['b', 'd', 'e', 'f', 'g', 'h'].find((key) => partitionOfKey(key) !== partitionOfKey('a'))!] as [string, string, string];
const HERE = partitionOfKey(a);
const THERE = partitionOfKey(c);
const BOUND = 10_000;

let shop: Shop;
let started: Cache<Item>[];
beforeEach(() => {
  shop = new Shop();
  started = [];
});
afterEach(async () => {
  await Promise.all(started.map((cache) => cache.stop()));
});

async function follow(options: Partial<CacheOptions<Item>> = {}, keysOf: (key: string) => string[] = (key) => [key]): Promise<Cache<Item>> {
  const load = async (key: string) => shop.rows.get(key);
  const cache = new Cache<Item>({ name: 'items', load, source: shop.source, ttl: '1d', jitter: 0, staleAfter: BOUND, clock: shop.clock, random: () => 0, ...options }).on(changed, ({ key }) => keysOf(key));
  started.push(cache);
  await shop.follow(cache);
  return cache;
}

async function filled(options: Partial<CacheOptions<Item>> = {}): Promise<Cache<Item>> {
  for (const key of [a, b, c]) shop.write(key);
  const cache = await follow(options);
  shop.applyAll();
  await shop.watermark();
  for (const key of [a, b, c]) await cache.get(key);
  return cache;
}

const version = async (cache: Cache<Item>, key: string) => (await cache.get(key)).value?.version;

describe('facts', () => {
  it('evict the keys that they change, and no others', async () => {
    const cache = await filled();
    shop.write(a);
    await shop.settle();
    expect(await version(cache, a)).toBe(2);
    expect(cache.counts).toMatchObject({ invalidations: 1, loads: 4 });
    await version(cache, b);
    expect(cache.counts.loads).toBe(4);
  });

  it('may change keys of other names, and of other partitions', async () => {
    const cache = await follow({ keyOf: () => undefined, load: async () => ({ version: shop.written.length }) }, () => ['all']);
    await shop.settle();
    expect(await version(cache, 'all')).toBe(0);
    for (const key of [a, c]) {
      shop.write(key);
      await shop.settle();
      expect(await version(cache, 'all')).toBe(shop.written.length);
    }
  });

  it('F5: that create end a "there is none"', async () => {
    const cache = await follow();
    await shop.settle();
    expect(await cache.get(a)).toMatchObject({ value: undefined, stale: false });
    shop.write(a);
    await shop.settle();
    expect(await version(cache, a)).toBe(1);
  });

  it('that cannot be read drop all of their partition: nobody knows what they changed', async () => {
    const cache = await filled();
    shop.spoil(a);
    await shop.deliverAll();
    await shop.watermark();
    shop.ms += BOUND + 1;
    await shop.watermark();
    expect(cache.peek(a)).toMatchObject({ stale: true });
    expect(cache.peek(b)).toMatchObject({ stale: true });
    expect(cache.peek(c)).toMatchObject({ stale: false });
    expect(cache.counts.unreadable).toBe(1);
  });
});

describe('F4: a load that is late', () => {
  it('and began before the invalidation is not kept, says that it is stale, and is given to nobody who comes later', async () => {
    const [first, second] = [held<Item>(), held<Item>()];
    const loads = [first, second];
    shop.write(a);
    const cache = await follow({ load: () => loads.shift()!.promise });
    await shop.settle();
    const before = cache.get(a);
    await new Promise(setImmediate); // the source has said where it stands
    shop.write(a);
    await shop.settle();
    const after = cache.get(a);
    first.give({ version: 1 });
    expect(await before).toMatchObject({ value: { version: 1 }, stale: true });
    second.give({ version: 2 });
    expect(await after).toMatchObject({ value: { version: 2 }, stale: false });
    expect(cache.peek(a)).toMatchObject({ value: { version: 2 } });
  });

  it('and reads a read model that lags is not kept, until the read model has the fact', async () => {
    const cache = await filled();
    shop.write(a);
    await shop.deliverAll(); // the tail is ahead
    expect(await cache.get(a)).toMatchObject({ value: { version: 1 }, stale: true });
    expect(cache.peek(a)).toBeUndefined();
    shop.applyAll();
    expect(await cache.get(a)).toMatchObject({ value: { version: 2 }, stale: false });
    expect(cache.peek(a)).toMatchObject({ value: { version: 2 } });
  });

  it('control: a cache that does not compare keeps what is old, for as long as its TTL, and calls it fresh', async () => {
    await without(Region, 'knowsNewer', () => false, async () => {
      const cache = await filled();
      shop.write(a);
      await shop.deliverAll();
      await cache.get(a);
      await shop.settle();
      expect(await cache.get(a)).toMatchObject({ value: { version: 1 }, stale: false });
    });
  });
});

describe('F3: when watermarks stop', () => {
  it('all is stale within the bound, and says how old it is', async () => {
    const cache = await filled();
    const asOf = new Date(shop.ms);
    shop.ms += BOUND;
    expect(cache.get(a)).toMatchObject({ stale: false, age: BOUND, asOf });
    shop.ms += 1;
    expect(await cache.get(a)).toMatchObject({ value: { version: 1 }, stale: true, age: BOUND + 1, asOf });
    expect(cache.status.regions.map(({ stale }) => stale)).toEqual([true, true]);
  });

  it('and go on, it is fresh again without a load: nothing was missed', async () => {
    const cache = await filled({ whenStale: 'bypass' });
    shop.ms += 10 * BOUND;
    await shop.watermark();
    expect(cache.get(a)).toMatchObject({ value: { version: 1 }, stale: false, age: 0 });
    expect(cache.counts.loads).toBe(3);
  });

  it('F9: of one partition alone, because its facts do not arrive, its keys turn stale and no others', async () => {
    const cache = await filled();
    shop.write(a);
    for (let second = 0; second <= BOUND / 1_000; second++) {
      shop.ms += 1_000;
      await shop.deliver(THERE);
      await shop.watermark();
    }
    expect([a, b, c].map((key) => cache.peek(key)!.stale)).toEqual([true, true, false]);
    expect(cache.status.regions.map(({ stale }) => stale)).toEqual([0, 1].map((partition) => partition === HERE));
    await shop.settle();
    expect(cache.peek(b)).toMatchObject({ stale: false });
  });

  it('serve-with-age answers what is there, and looks for something newer in the background, once a second', async () => {
    const cache = await filled();
    shop.ms += BOUND + 1;
    for (let reader = 0; reader < 100; reader++) expect(await cache.get(a)).toMatchObject({ value: { version: 1 }, stale: true });
    await new Promise(setImmediate);
    expect(cache.counts.loads).toBe(4);
    expect(cache.counts.staleServed).toBeGreaterThanOrEqual(100);
  });

  it('bypass asks the source, which may know better', async () => {
    const cache = await filled({ whenStale: 'bypass' });
    shop.ms += BOUND + 1;
    expect(await cache.get(a)).toMatchObject({ value: { version: 1 }, stale: true });
    shop.write(a);
    shop.applyAll();
    await shop.watermark(false); // the read model hears it, this process does not
    expect(await cache.get(a)).toMatchObject({ value: { version: 2 }, stale: false });
    expect(cache.counts.loads).toBe(5);
  });

  it('fail fails, at once and without a load, and says as of when', async () => {
    const cache = await filled({ whenStale: 'fail' });
    const asOfMs = shop.ms;
    shop.ms += BOUND + 1;
    await expect(cache.get(a)).rejects.toMatchObject({ code: 'cache.stale', kind: 'unavailable', details: { cache: 'items', asOfMs } });
    await expect(cache.get('never asked for')).rejects.toMatchObject({ code: 'cache.stale' });
    expect(cache.counts.loads).toBe(3);
    await shop.watermark();
    expect(await cache.get(a)).toMatchObject({ value: { version: 1 }, stale: false });
  });

  it('is noticed by the time that passed here, where this clock is behind that of the producer', async () => {
    const cache = await filled();
    const real = shop.ms;
    shop.clock.now = () => shop.ms - 3_600_000;
    expect(cache.peek(a)).toMatchObject({ stale: false, age: 0 });
    shop.ms = real + BOUND + 1;
    expect(cache.peek(a)).toMatchObject({ stale: true, age: BOUND + 1 });
  });
});

describe('what was loaded before the tail stood', () => {
  it('holds as of its load and no longer, and is loaded again', async () => {
    shop.write(a);
    shop.applyAll();
    await shop.watermark();
    const cache = new Cache<Item>({ name: 'items', load: async (key) => shop.rows.get(key), source: shop.source, staleAfter: BOUND, clock: shop.clock }).on(changed, ({ key }) => [key]);
    started.push(cache);
    expect(await cache.get(a)).toMatchObject({ value: { version: 1 }, stale: false });
    shop.write(a); // nobody is there to see it
    await shop.follow(cache);
    shop.ms += BOUND + 1;
    await shop.settle();
    expect(cache.peek(a)).toMatchObject({ value: { version: 1 }, stale: true });
    await cache.get(a);
    await new Promise(setImmediate);
    expect(cache.get(a)).toMatchObject({ value: { version: 2 }, stale: false });
  });

  it('from a read model that is behind the begin of the tail is not vouched for either', async () => {
    shop.write(a);
    shop.write(a);
    shop.apply(HERE, 1);
    const cache = await follow(); // stands behind both facts
    await shop.watermark();
    expect(await cache.get(a)).toMatchObject({ value: { version: 1 }, asOf: null, stale: true });
    shop.ms += BOUND;
    await shop.watermark();
    expect(cache.peek(a)).toMatchObject({ stale: true });
    shop.applyAll();
    await cache.get(a);
    await new Promise(setImmediate);
    expect(cache.get(a)).toMatchObject({ value: { version: 2 }, stale: false });
  });
});

describe('a tail that was cut', () => {
  it('and goes on where it was, missed nothing', async () => {
    const cache = await filled();
    shop.write(a);
    shop.ms += BOUND + 1; // nothing comes
    expect(cache.peek(b)).toMatchObject({ stale: true });
    await shop.settle();
    expect(cache.peek(a)).toBeUndefined();
    expect(cache.peek(b)).toMatchObject({ stale: false });
    expect(cache.counts.gaps).toBe(0);
  });

  it('F2: and lost its place does not vouch for what was there, until it is read again; other partitions stay', async () => {
    const cache = await filled();
    shop.write(a); // lost to the tail
    shop.applyAll();
    await shop.lose(HERE);
    shop.ms += BOUND + 1;
    await shop.watermark();
    expect([a, b, c].map((key) => cache.peek(key)!.stale)).toEqual([true, true, false]);
    expect(cache.counts.gaps).toBe(1);
    await cache.get(a);
    await new Promise(setImmediate);
    expect(cache.get(a)).toMatchObject({ value: { version: 2 }, stale: false });
  });
});

describe('a read model', () => {
  it('of which the key is blocked holds as of the block, whatever comes later', async () => {
    const cache = await filled();
    const asOfMs = shop.ms;
    shop.blocked = new Map([[a, asOfMs]]);
    shop.write(a);
    await shop.deliverAll();
    shop.applied[HERE]!++; // past the parked fact
    shop.ms += BOUND;
    await shop.watermark();
    expect(await cache.get(a)).toMatchObject({ value: { version: 1 }, stale: true, asOf: new Date(asOfMs) });
    expect(await cache.get(b)).toMatchObject({ stale: false });
  });

  it('of which another build went live is another source', async () => {
    const cache = await filled();
    shop.build = 2;
    shop.write(a);
    await shop.settle();
    await cache.get(a);
    expect(cache.peek(b)).toBeUndefined();
  });

  it('of another incarnation of the topic is not vouched for', async () => {
    const cache = await filled();
    cache.clear();
    shop.topicId = 'second';
    await cache.get(a);
    shop.ms += BOUND + 1;
    await shop.watermark();
    expect(cache.peek(a)).toMatchObject({ stale: true });
  });
});

it('a source that is the truth itself holds what the log holds: an entry is as of its load, then as of the tail', async () => {
  const cache = await follow({ source: undefined, load: async (key) => ({ version: shop.version(key) }) } as Partial<CacheOptions<Item>>);
  shop.write(a);
  expect(await cache.get(a)).toMatchObject({ value: { version: 1 }, age: 0, stale: false });
  await shop.deliverAll(); // the fact comes after its effect: one load too many
  expect(await cache.get(a)).toMatchObject({ value: { version: 1 } });
  shop.ms += BOUND + 1;
  await shop.watermark();
  expect(cache.get(a)).toMatchObject({ stale: false, age: 0 });
  expect(cache.counts.loads).toBe(2);
});
