import fc from 'fast-check';
import { FactlineError } from 'factline/kernel';
import { simulationRuns } from 'factline/testing/simulation';
import { HandClock, SimulatedBuckets } from './database.spec.support.js';
import { TokenBucket, type TokenBucketOptions } from './index.js';
import { BUCKET_KEYS, LEASE_SHARE, UNAVAILABLE_PAUSE_MS } from './limits.js';

const open: TokenBucket[] = [];
afterEach(async () => {
  for (const bucket of open.splice(0)) await bucket.close();
});

function world(processes: number, options: Partial<TokenBucketOptions> = {}) {
  const clock = new HandClock();
  const database = new SimulatedBuckets(clock);
  const buckets = Array.from({ length: processes }, () => new TokenBucket({ store: database, name: 'b', rate: { count: 10, per: '1s' }, burst: 100, clock, ...options }));
  open.push(...buckets);
  return { clock, database, buckets };
}

it.each([{ count: 0, per: '1s' }, { count: -1, per: '1s' }, { count: 1, per: 0 }, { count: Number.NaN, per: '1s' }] as const)('%j is no rate', (rate) => {
  expect(() => world(1, { rate })).toThrow(expect.objectContaining({ code: 'admission.rate', kind: 'configuration' }));
});

it('grants in any stretch of time at most rate * time + burst, and what the processes held when it began', async () => {
  const step = fc.record({ process: fc.nat(2), tokens: fc.integer({ min: 1, max: 30 }), afterMs: fc.oneof(fc.constant(0), fc.nat(50), fc.nat(5_000)), together: fc.integer({ min: 1, max: 5 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async (steps) => {
      const { clock, buckets } = world(3);
      const begun = clock.time;
      const grants: { at: number; tokens: number }[] = [];
      for (const { process, tokens, afterMs, together } of steps) {
        clock.time += afterMs;
        const taken = await Promise.all(Array.from({ length: together }, () => buckets[process]!.take('k', tokens)));
        for (const { granted } of taken) if (granted) grants.push({ at: clock.time, tokens });
      }
      for (const [index, first] of grants.entries()) {
        const within = (until: number) => grants.slice(index).filter(({ at }) => at <= until).reduce((sum, grant) => sum + grant.tokens, 0);
        const held = first.at === begun ? 0 : 3 * 100 * LEASE_SHARE;
        for (const last of grants.slice(index)) expect(within(last.at)).toBeLessThanOrEqual(100 + held + (last.at - first.at) * 0.01 + 1e-6);
      }
    }),
    simulationRuns(100),
  );
});

it('remembers a bounded number of keys, and gives back what it held of those that it forgets', async () => {
  const { database, clock, buckets } = world(1);
  for (let index = 0; index < 20; index++) {
    clock.time += 1;
    await buckets[0]!.take('first');
  }
  expect(database.rows.get('b/first')!.tokens).toBeLessThan(80);
  for (let index = 0; index < BUCKET_KEYS; index++) await buckets[0]!.take(`k${index}`);
  await buckets[0]!.close();
  expect(Math.round(database.rows.get('b/first')!.tokens)).toBe(80);
});

it('leaves a database alone that did not answer, and asks it again a little later', async () => {
  const { database, clock, buckets } = world(1);
  database.fault = new FactlineError({ code: 'store.unavailable', kind: 'unavailable', message: 'away' });
  expect(await buckets[0]!.take('k')).toMatchObject({ granted: true, remaining: 99 });
  database.fault = undefined;
  expect(await buckets[0]!.take('k', 99)).toMatchObject({ granted: true, remaining: 0 });
  expect(await buckets[0]!.take('k')).toMatchObject({ granted: false, retryAfterMs: 100 });
  expect(database.takes).toEqual([]);
  clock.time += UNAVAILABLE_PAUSE_MS;
  expect(await buckets[0]!.take('k', 50)).toMatchObject({ granted: true, remaining: 50 });
  expect(database.takes).toHaveLength(1);
});

it('does not wait for an answer that comes too late, and gives its tokens back', async () => {
  const { database, buckets } = world(1, { whenUnavailable: 'closed' });
  let answer!: () => void;
  database.answerAfter = new Promise((resolve) => (answer = resolve));
  expect(await buckets[0]!.take('k', 60)).toMatchObject({ granted: false });
  expect(database.rows.get('b/k')!.tokens).toBe(40);
  answer();
  await buckets[0]!.close();
  expect(database.rows.get('b/k')!.tokens).toBe(100);
});

it('passes on what is no outage', async () => {
  const { database, buckets } = world(1);
  database.fault = new FactlineError({ code: 'store.table-unknown', kind: 'configuration', message: 'no table' });
  await expect(Promise.all([buckets[0]!.take('k'), buckets[0]!.take('k')])).rejects.toMatchObject({ code: 'store.table-unknown' });
});
