import { FactlineError } from 'factline/kernel';
import { type TopicState, partitionOf } from 'factline/log';
import { Store } from 'factline/store';
import { until } from 'factline/testing';
import { type Shop, type Site, fact, site, unnumbered } from './shop.spec.support.js';

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

const away = () => Promise.reject(new FactlineError({ code: 'spec.away', kind: 'unavailable', message: 'away' }));
/** Keys of the partition of 'a'. */
const SAME = ['a', ...Array.from({ length: 400 }, (_, at) => `k-${at}`)].filter((key) => partitionOf(Buffer.from(key), 3) === partitionOf(Buffer.from('a'), 3)).slice(0, 30);

describe('who takes a partition over', () => {
  it('sees no gap where its former owner had passed over facts of a key and was handling the next', async () => {
    let [hangs, release] = [false, () => undefined as void];
    const first = shop.subscribe(shop.journal((_key, sequence) => sequence === 3 && new Promise<void>((resolve) => ([hangs, release] = [true, resolve]))));
    await shop.publish(fact('a', 1));
    await shop.settled(first);
    await shop.publish(fact(SAME[1]!, 1), fact('a', 2, 'Noted'), fact('a', 3));
    await until('the checkpoint behind the fact before', async () => hangs && (await there.store.query(`select from ${shop.name}.checkpoint where next_offset >= 2`)).rowCount === 1);
    const second = shop.live(shop.journal());
    const taker = shop.subscribe(second.reactions, second, `${shop.name}.second`);
    await until('it to meet the fact', async () => (await shop.letters()).length > 0 || (await there.store.query('select from pg_stat_activity where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0')).rowCount > 0);
    release();
    await shop.settled(taker);
    expect([await shop.sequences('a'), await shop.letters()]).toEqual([[1, 3], []]);
  });

  it('is not disturbed by what failed as its former owner stopped: that one tries nothing more', async () => {
    let [tries, release] = [0, () => undefined as void];
    const first = shop.subscribe(shop.journal(() => (tries++, new Promise<void>((resolve) => (release = resolve)).then(away))));
    await shop.publish(fact('a', 1));
    await until('the handler', () => tries === 1);
    const stopped = first.stop();
    release();
    await stopped;
    const second = shop.subscribe(shop.journal(), undefined, `${shop.name}.second`);
    await shop.settled(second);
    expect([tries, await shop.sequences('a')]).toEqual([1, [1]]);
  });

  it('does not open the breaker for keys that failed with the former one', async () => {
    const keys = SAME.slice(0, 6);
    const tried = new Set<string>();
    await shop.publish(...keys.map((key) => fact(key, 1)));
    const live = shop.live(shop.journal((key) => (tried.add(key), away())));
    for (let owner = 0; owner < 3; owner++) {
      tried.clear();
      const subscription = shop.subscribe(live.reactions, live);
      await until('all keys to have failed', () => tried.size === keys.length && subscription.status.trouble !== undefined);
      expect(subscription.status.trouble).toMatchObject({ code: 'spec.away' });
      await subscription.stop();
    }
  });

  it('finds an inbox that was set back, and says what is missing rather than trying for ever', async () => {
    const subscription = shop.subscribe(shop.journal());
    await shop.publish(fact('a', 1));
    await shop.settled(subscription);
    await there.store.query(`delete from ${shop.name}.inbox`); // a standby that lacked the last commits was promoted
    await shop.publish(fact('a', 2));
    await shop.settled(subscription);
    expect(await shop.letters()).toEqual([{ key: 'a', sequence: 2, code: 'fact.sequence-gap' }]);
  });
});

describe('facts that share a transaction', () => {
  it('are in effect once when the answer to their commit is lost', async () => {
    const store = new LossyStore({ url: there.url, applicationName: `${shop.name} lossy`, connections: 6 });
    shop.onClose(() => store.close());
    await shop.publish(...[1, 2, 3].flatMap((sequence) => SAME.map((key) => fact(key, sequence))));
    const live = shop.live(shop.journal((key, sequence) => void (store.loses ||= sequence === 1 && key === SAME[9]), { together: 20, concurrency: 1 }), store);
    await shop.settled(shop.subscribe(live.reactions, live));
    expect(store.lost).toBe(1);
    for (const key of SAME) expect(await shop.sequences(key)).toEqual([1, 2, 3]);
  });

  it('do not wait for one of them whose dependency is away', async () => {
    const calls = new Map<string, number>();
    const others = SAME.filter((key) => key !== SAME[9]);
    await shop.publish(...SAME.map((key) => fact(key, 1)));
    const made = shop.journal((key) => (calls.set(key, (calls.get(key) ?? 0) + 1), key === SAME[9] && away()), { together: 20, concurrency: 1 });
    shop.subscribe(made);
    await until('the others', async () => (await shop.effects()).length === others.length);
    expect(Math.max(...others.map((key) => calls.get(key)!))).toBeLessThanOrEqual(3);
    expect(await shop.letters()).toEqual([]);
  });
});

it('an error that says nothing is tried three times also after an outage', async () => {
  let tries = 0;
  await shop.publish(fact('a', 1));
  await shop.settled(shop.subscribe(shop.journal(() => ++tries < 6 && (tries < 4 ? away() : Promise.reject(new TypeError('boom'))))));
  expect([tries, await shop.sequences('a'), await shop.letters()]).toEqual([6, [1], []]);
});

it('a fact that nobody numbered is a dead letter; taken for a fact it would set its key back, and what came before would happen again', async () => {
  await shop.publish(fact('a', 1), fact('a', 2), { key: Buffer.from('a'), value: unnumbered('a') }, fact('a', 1), fact('a', 3));
  const subscription = shop.subscribe(shop.journal());
  await shop.settled(subscription);
  expect([await shop.sequences('a'), (await shop.letters())[0]]).toEqual([[1, 2], { key: 'a', sequence: 0, code: 'fact.without-sequence' }]);
  await shop.publish(fact('a', 3, 'Noted'), fact('a', 4));
  await shop.settled(subscription);
  expect((await shop.letters()).map(({ sequence }) => sequence)).toEqual([0, 3, 3, 4]); // the first 3 waits as well: nothing of the key goes past it; the repeated 1 was done before, and waits for nothing
});

it('a partition that is added to a known topic is read from its first fact, whatever a new subscription begins with', async () => {
  const { reactions } = shop.live(shop.journal(undefined, { from: 'now' }));
  const live = shop.live(reactions);
  const state = (name: string, ...ends: number[]) => ({ name, id: name, partitions: ends.map((end) => ({ start: 0, end })) }) as TopicState;
  const claim = async (topics: TopicState[]) => (await live.claim(topics, topics.flatMap(({ name, partitions }) => partitions.map((_, partition) => ({ topic: name, partition }))))).map(({ topic, partition, nextOffset }) => `${topic}[${partition}] ${nextOffset}`).toSorted();
  expect(await claim([state('orders', 5)])).toEqual(['orders[0] 5']);
  expect(await claim([state('orders', 7, 3), state('returns', 4)])).toEqual(['orders[0] 5', 'orders[1] 0', 'returns[0] 4']);
});

/** A commit that happens, and whose answer does not arrive. */
class LossyStore extends Store {
  loses = false;
  lost = 0;

  override async transaction<T>(...args: Parameters<Store['transaction']>): Promise<T> {
    const result = (await super.transaction(...args)) as T;
    if (!this.loses || this.lost > 0) return result;
    this.lost++;
    throw new FactlineError({ code: 'store.outcome-unknown', kind: 'unavailable', retry: false, message: 'lost' });
  }
}
