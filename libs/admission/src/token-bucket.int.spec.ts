import type { Executor, Store } from 'factline/store';
import { type World, until, world } from 'factline/testing';
import { type Rate, TokenBucket, type TokenBucketOptions, migrateAdmission } from './index.js';
import { LEASE_SHARE } from './limits.js';
import { MemoryBucket } from './memory-bucket.js';

let at: World;
let url: string;
let store: Store;
beforeAll(async () => {
  at = await world();
  url = await at.database('admission');
  store = at.store(url);
  await migrateAdmission(store);
});
afterAll(() => at.close());

let names = 0;
const buckets: TokenBucket[] = [];
afterEach(async () => {
  for (const bucket of buckets.splice(0)) await bucket.close();
});

/** Buckets of one name, as so many processes would have them, each with connections of its own. */
function processes(count: number, options: Pick<TokenBucketOptions, 'rate'> & Partial<TokenBucketOptions>): TokenBucket[] {
  const name = `bucket ${++names}`;
  const opened = Array.from({ length: count }, () => new TokenBucket({ store: at.store(url), name, ...options }));
  buckets.push(...opened);
  return opened;
}

const slow: Rate = { count: 1, per: '1h' };
const inTurn = async (count: number, take: (index: number) => Promise<{ granted: boolean }>) => {
  let granted = 0;
  for (let index = 0; index < count; index++) granted += (await take(index)).granted ? 1 : 0;
  return granted;
};
const tokensOf = async (key: string, bucket: TokenBucket) =>
  (await store.query<{ tokens: number }>('select tokens from factline.token_bucket where bucket = $1 and key = $2', [bucket.name, key])).rows[0]?.tokens;

describe('several processes', () => {
  it('grant one burst together, whoever is asked', async () => {
    const [one, two, three] = processes(3, { rate: slow, burst: 20 });
    expect(await inTurn(60, (index) => [one!, two!, three!][index % 3]!.take('client'))).toBe(20);
    expect(await one!.take('another client')).toMatchObject({ granted: true, remaining: 19 });
  });

  it('of which each has a bucket in memory grant a burst each (control: what a shared bucket is for)', async () => {
    const alone = Array.from({ length: 3 }, () => new MemoryBucket({ perMs: 1 / 3_600_000, burst: 20 }, 0));
    expect(await inTurn(60, async (index) => alone[index % 3]!.take(1, index))).toBe(60);
  });

  it('never grant more than rate * time + burst under load, by the clock of the database, and not much less', async () => {
    const rate = 500;
    const burst = 100;
    const opened = processes(4, { rate: { count: rate, per: '1s' }, burst });
    const clock = async () => (await store.query<{ now: number }>('select extract(epoch from clock_timestamp())::float8 as now')).rows[0]!.now;
    const begun = await clock();
    let granted = 0;
    const ended = async () => (await clock()) - begun > 1.5;
    let over = false;
    const callers = opened.flatMap((bucket) =>
      Array.from({ length: 8 }, async () => {
        while (!over) {
          const taken = await bucket.take('hot');
          if (taken.granted) granted += 1;
          else await new Promise(setImmediate);
        }
      }),
    );
    await until('the time is over', ended);
    over = true;
    await Promise.all(callers);
    const seconds = (await clock()) - begun;
    expect(granted).toBeLessThanOrEqual(burst + rate * seconds);
    expect(granted).toBeGreaterThan(burst + rate * 0.5); // goodput, far below what an idle machine gives: it shows that the bound is not kept by granting nothing
  });

  it('share out a burst exactly when all ask at once', async () => {
    const opened = processes(4, { rate: slow, burst: 100 });
    const taken = await Promise.all(opened.flatMap((bucket) => Array.from({ length: 50 }, () => bucket.take('client'))));
    await Promise.all(opened.map((bucket) => bucket.close()));
    const granted = taken.filter((one) => one.granted).length;
    expect(granted).toBeLessThanOrEqual(100);
    expect(granted).toBeGreaterThanOrEqual(100 - 3 * 100 * LEASE_SHARE);
    expect(await tokensOf('client', opened[0]!)).toBeCloseTo(100 - granted, 1);
  });
});

describe('a process', () => {
  const counted = () => {
    let statements = 0;
    const executor: Executor = {
      query: (text, values, name) => {
        statements += 1;
        return store.query(text, values, name);
      },
    };
    return { executor, statements: () => statements };
  };

  it('asks the database far less often than a hot key is taken', async () => {
    const { executor, statements } = counted();
    const [bucket] = processes(1, { store: executor, rate: slow, burst: 100_000 });
    expect(await inTurn(5_000, () => bucket!.take('hot'))).toBe(5_000);
    expect(statements()).toBeLessThan(500);
  });

  it('asks once for takes that come together, and not at all once it knows that nothing is left', async () => {
    const { executor, statements } = counted();
    const [bucket] = processes(1, { store: executor, rate: slow, burst: 100 });
    const taken = await Promise.all(Array.from({ length: 150 }, () => bucket!.take('client')));
    expect(taken.map((one) => one.granted)).toEqual([...Array(100).fill(true), ...Array(50).fill(false)]);
    expect(statements()).toBe(1);
    expect(await inTurn(100, () => bucket!.take('client'))).toBe(0);
    expect(statements()).toBe(1);
  });

  it('gives back what it does not use, while it runs and when it ends', async () => {
    const [bucket] = processes(1, { rate: slow, burst: 1_000 });
    await inTurn(50, () => bucket!.take('client'));
    expect(await tokensOf('client', bucket!)).toBeLessThan(950);
    await until('the lease is back', async () => Math.round((await tokensOf('client', bucket!)) ?? 0) === 950);
    await inTurn(50, () => bucket!.take('client'));
    await bucket!.close();
    expect(Math.round((await tokensOf('client', bucket!)) ?? 0)).toBe(900);
    await expect(bucket!.take('client')).rejects.toMatchObject({ code: 'admission.closed' });
  });

  it('says when tokens will be there, and they are', async () => {
    const [bucket] = processes(1, { rate: { count: 20, per: '1s' }, burst: 2 });
    await bucket!.take('client', 2);
    const refused = await bucket!.take('client', 2);
    if (refused.granted) throw new Error('granted from an empty bucket');
    expect(refused.retryAfterMs).toBeGreaterThan(0);
    expect(refused.retryAfterMs).toBeLessThanOrEqual(100);
    await until('there are tokens again', async () => (await bucket!.take('client', 2)).granted);
  });

  it.each([
    ['an empty key', ''],
    ['a key with NUL', 'a\0b'],
    ['half a surrogate pair', '\ud800'],
    ['the other half', '\udc00'],
    ['a very long key', 'ä'.repeat(10_000)],
    ['SQL as a key', "'; drop table factline.token_bucket; --"],
  ])('knows %s from others', async (_name, key) => {
    const [one, two] = processes(2, { rate: slow, burst: 1 });
    expect((await one!.take(key)).granted).toBe(true);
    expect((await two!.take(key)).granted).toBe(false);
    expect((await two!.take(`${key}.`)).granted).toBe(true);
  });

  it('refuses a cost that can never be met', async () => {
    const [bucket] = processes(1, { rate: slow, burst: 10 });
    await expect(bucket!.take('client', 11)).rejects.toMatchObject({ code: 'admission.cost', kind: 'configuration' });
    await expect(bucket!.take('client', 0)).rejects.toMatchObject({ code: 'admission.cost' });
    await expect(bucket!.take('client', Number.NaN)).rejects.toMatchObject({ code: 'admission.cost' });
  });
});

describe('a database that does not answer', () => {
  const away = (whenUnavailable?: 'open' | 'closed') => {
    const address = new URL(url);
    address.port = '1';
    return processes(2, { store: at.store(address.href), rate: slow, burst: 10, ...(whenUnavailable && { whenUnavailable }) });
  };

  it('leaves each process with the rate for itself (open)', async () => {
    const [one, two] = away();
    expect(await inTurn(40, (index) => [one!, two!][index % 2]!.take('client'))).toBe(20);
  });

  it('or grants nothing (closed)', async () => {
    const [one, two] = away('closed');
    expect(await inTurn(40, (index) => [one!, two!][index % 2]!.take('client'))).toBe(0);
    expect(await one!.take('client')).toMatchObject({ granted: false, retryAfterMs: 1_000 });
  });

  it('is not what a missing table is: that is said', async () => {
    const empty = await at.database('empty');
    const [bucket] = processes(1, { store: at.store(empty), rate: slow });
    await expect(bucket!.take('client')).rejects.toMatchObject({ code: 'store.table-unknown', kind: 'configuration' });
  });
});

/** A provider takes five mails at once of us, and one a minute after that, from all our processes together. */
const mailsOf = (store: Store) => new TokenBucket({ store, name: 'mails', rate: { count: 1, per: '1m' }, burst: 5, whenUnavailable: 'closed' });

/** @returns milliseconds after which it is worth trying again; 0 when it is sent. */
async function send(mails: TokenBucket, provider: string, deliver: () => Promise<void>): Promise<number> {
  const taken = await mails.take(provider);
  if (!taken.granted) return taken.retryAfterMs;
  await deliver();
  return 0;
}

it('keeps a rate towards others as well', async () => {
  const mails = mailsOf(store);
  buckets.push(mails);
  let delivered = 0;
  const waits: number[] = [];
  for (let index = 0; index < 6; index++) waits.push(await send(mails, 'provider', () => Promise.resolve(void (delivered += 1))));
  expect(delivered).toBe(5);
  expect(waits.slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
  expect(waits[5]).toBeGreaterThan(30_000);
});
