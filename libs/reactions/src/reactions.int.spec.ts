import { FactlineError } from 'factline/kernel';
import { partitionOf } from 'factline/log';
import { until } from 'factline/testing';
import { OrderPaid, OrderPlaced, type Shop, type Site, fact, site } from './shop.spec.support.js';

let there: Site;
let shop: Shop;
beforeAll(async () => {
  there = await site();
});
afterAll(() => there.close());
beforeEach(async () => {
  shop = await there.shop();
});
afterEach(() => shop.close());

const series = (key: string, count: number) => Array.from({ length: count }, (_, at) => fact(key, at + 1));
const numbers = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

describe('reactions', () => {
  it('happen once for each fact, in the order of its key', async () => {
    const keys = Array.from({ length: 20 }, (_, at) => `o-${at}`);
    const records = numbers(15).flatMap((sequence) => keys.map((key) => fact(key, sequence)));
    await shop.publish(...records, ...records.slice(0, 40)); // the relay crashed and sends some again
    const live = shop.live(shop.journal());
    await shop.settled(shop.subscribe(live.reactions, live));
    for (const key of keys) expect(await shop.sequences(key)).toEqual(numbers(15));
    expect(live.counts).toMatchObject({ handled: 300, duplicates: 40 });
  });

  it('run keys of one partition beside each other', async () => {
    const running = new Set<string>();
    let most = 0;
    const first = fact('a', 1);
    const made = shop.reactions({ concurrency: 4 }).on(OrderPaid, async ({ key }) => {
      running.add(key);
      most = Math.max(most, running.size);
      await until('others', () => most >= 4);
      running.delete(key);
    });
    const same = Array.from({ length: 200 }, (_, at) => `k-${at}`).filter((key) => partitionOf(Buffer.from(key), 3) === partitionOf(first.key, 3)).slice(0, 8);
    await shop.publish(...same.map((key) => fact(key, 1)));
    await shop.settled(shop.subscribe(made));
    expect(most).toBe(4);
  });

  it('pass over what nobody selected, and still see a fact that is missing, also after a restart', async () => {
    await shop.publish(fact('a', 1), fact('a', 2, 'Noted'), fact('a', 3, 'Noted'));
    const first = shop.subscribe(shop.journal());
    await shop.settled(first);
    await first.stop();
    await shop.publish(fact('a', 5), fact('b', 1));
    await shop.settled(shop.subscribe(shop.journal()));
    expect(await shop.effects()).toEqual([{ key: 'a', sequence: 1, kind: 'Paid' }, { key: 'b', sequence: 1, kind: 'Paid' }]);
    expect(await shop.letters()).toEqual([{ key: 'a', sequence: 5, code: 'fact.sequence-gap' }]);
  });

  it('know after a restart what they had passed over: it is no gap', async () => {
    await shop.publish(fact('a', 1), fact('a', 2, 'Noted'), fact('a', 3, 'Noted'));
    const first = shop.subscribe(shop.journal());
    await shop.settled(first);
    await first.stop();
    await shop.publish(fact('a', 4));
    await shop.settled(shop.subscribe(shop.journal()));
    expect([await shop.sequences('a'), await shop.letters()]).toEqual([[1, 4], []]);
  });

  it('that are new begin where they say: with all facts, or with those from now on', async () => {
    await shop.publish(fact('a', 1), fact('b', 1));
    const now = shop.subscribe(shop.journal(undefined, { from: 'now' }));
    await until('it to be assigned', () => now.status.state === 'LIVE');
    expect(await shop.effects()).toEqual([]);
    await shop.publish(fact('a', 2));
    await shop.settled(now);
    expect(await shop.effects()).toEqual([{ key: 'a', sequence: 2, kind: 'Paid' }]);
    await now.stop();
    const later = await there.shop();
    await later.publish(fact('a', 1), fact('a', 2));
    await later.settled(later.subscribe(later.journal()));
    expect(await later.sequences('a')).toEqual([1, 2]);
    await later.close();
  });

  it('of a batch handler take many facts in one transaction, and single out the one that fails', async () => {
    const keys = Array.from({ length: 30 }, (_, at) => `o-${at}`);
    const made = shop.reactions().onBatch(OrderPaid, async (facts, tx) => {
      for (const { key, meta } of facts) {
        if (key === 'o-7' && meta.sequence === 2) throw new FactlineError({ code: 'spec.bad', kind: 'refused', message: 'this one' });
        await shop.note(tx, key, meta.sequence, 'Paid');
      }
    });
    await shop.publish(...numbers(4).flatMap((sequence) => keys.map((key) => fact(key, sequence))));
    const live = shop.live(made);
    await shop.settled(shop.subscribe(made, live));
    for (const key of keys) expect(await shop.sequences(key)).toEqual(key === 'o-7' ? [1] : [1, 2, 3, 4]);
    expect(await shop.letters()).toEqual([{ key: 'o-7', sequence: 2, code: 'spec.bad' }, { key: 'o-7', sequence: 3, code: null }, { key: 'o-7', sequence: 4, code: null }]);
    expect(live.counts.transactions).toBeLessThan(60);
  });

  it('of different keys can share a transaction, and the one that fails is singled out', async () => {
    const keys = Array.from({ length: 30 }, (_, at) => `o-${at}`);
    const made = shop.journal((key, sequence) => key === 'o-7' && sequence === 2 && Promise.reject(new FactlineError({ code: 'spec.bad', kind: 'refused', message: 'this one' })), { together: 20, concurrency: 2 });
    await shop.publish(...numbers(4).flatMap((sequence) => keys.map((key) => fact(key, sequence))));
    const live = shop.live(made);
    await shop.settled(shop.subscribe(made, live));
    for (const key of keys) expect(await shop.sequences(key)).toEqual(key === 'o-7' ? [1] : [1, 2, 3, 4]);
    expect(await shop.letters()).toHaveLength(3);
    expect(live.counts.transactions).toBeLessThan(80);
  });

  it('keep order between handlers of different facts of a key', async () => {
    const made = shop.reactions()
      .on(OrderPlaced, ({ key, meta }, tx) => shop.note(tx, key, meta.sequence, 'Placed'))
      .onBatch(OrderPaid, async (facts, tx) => {
        for (const { key, meta } of facts) await shop.note(tx, key, meta.sequence, 'Paid');
      });
    await shop.publish(...numbers(30).map((sequence) => fact('a', sequence, sequence % 3 === 0 ? 'Placed' : 'Paid')));
    await shop.settled(shop.subscribe(made));
    expect(await shop.sequences('a')).toEqual(numbers(30));
  });
});

describe('a fact whose handler fails', () => {
  it('C7: blocks its key and nothing else; later facts of the key wait in order', async () => {
    await shop.publish(...series('a', 3), ...series('b', 3));
    const bad = () => {
      throw new FactlineError({ code: 'spec.refused', kind: 'refused', message: 'no' });
    };
    await shop.settled(shop.subscribe(shop.journal((key, sequence) => key === 'a' && sequence === 2 && bad())));
    expect(await shop.sequences('a')).toEqual([1]);
    expect(await shop.sequences('b')).toEqual([1, 2, 3]);
    expect(await shop.letters()).toEqual([{ key: 'a', sequence: 2, code: 'spec.refused' }, { key: 'a', sequence: 3, code: null }]);
  });

  it('with an error that says nothing is tried three times, with its effects undone each time', async () => {
    let tries = 0;
    const made = shop.reactions().on(OrderPaid, async ({ key, meta }, tx) => {
      await shop.note(tx, key, meta.sequence, 'Paid');
      if (++tries < 3) throw new TypeError('boom');
    });
    await shop.publish(fact('a', 1));
    await shop.settled(shop.subscribe(made));
    expect([tries, await shop.sequences('a'), await shop.letters()]).toEqual([3, [1], []]);
  });

  it('C6: because of something that is away is tried for as long as it takes, and never becomes a dead letter', async () => {
    let tries = 0;
    const away = new FactlineError({ code: 'spec.away', kind: 'unavailable', message: 'away' });
    await shop.publish(fact('a', 1), fact('b', 1));
    const subscription = shop.subscribe(shop.journal((key) => key === 'a' && ++tries < 8 && Promise.reject(away)));
    await shop.settled(subscription);
    expect([tries, await shop.effects(), await shop.letters()]).toEqual([8, [{ key: 'b', sequence: 1, kind: 'Paid' }, { key: 'a', sequence: 1, kind: 'Paid' }], []]);
  });

  it('C8: in too many keys opens the breaker: nothing more is parked, and it closes by itself when things work', async () => {
    const keys = Array.from({ length: 40 }, (_, at) => `o-${at}`);
    let broken = true;
    await shop.publish(...keys.map((key) => fact(key, 1)));
    const subscription = shop.subscribe(shop.journal(() => broken && Promise.reject(new FactlineError({ code: 'spec.bug', kind: 'internal', message: 'a bug' }))));
    await until('the breaker', () => subscription.status.state === 'PAUSED');
    expect(subscription.status.trouble).toMatchObject({ code: 'consumer.breaker', reason: expect.stringContaining('spec.bug') as string });
    expect(subscription.status.stalled).toBe(false);
    await until('those that were under way', async () => (await shop.letters()).length === 10);
    broken = false;
    await until('the rest', async () => (await shop.effects()).length === 30);
    await until('the end of it', () => subscription.status.state === 'BLOCKED-KEYS');
    expect(await shop.letters()).toHaveLength(10);
  });

  it('by not ending is rolled back, and tried again', async () => {
    let tries = 0;
    let aborted = false;
    const made = shop.reactions({ timeout: 100 }).on(OrderPaid, async ({ key, meta }, tx, { signal }) => {
      await shop.note(tx, key, meta.sequence, 'Paid');
      if (++tries === 1) await new Promise((resolve) => signal.addEventListener('abort', () => resolve((aborted = true))));
    });
    await shop.publish(fact('a', 1));
    await shop.settled(shop.subscribe(made));
    expect([tries, aborted, await shop.sequences('a')]).toEqual([2, true, [1]]);
  });

  it('C13: because its sequence was used by another fact is not handled, and is not taken for a duplicate', async () => {
    await shop.publish(fact('a', 1), fact('a', 1), fact('a', 2));
    await shop.settled(shop.subscribe(shop.journal()));
    expect(await shop.sequences('a')).toEqual([1]);
    expect((await shop.letters())[0]).toEqual({ key: 'a', sequence: 1, code: 'fact.sequence-reused' });
  });
});
