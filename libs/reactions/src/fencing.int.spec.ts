import { FactlineError } from 'factline/kernel';
import { Store } from 'factline/store';
import { until } from 'factline/testing';
import type { LiveReactions } from './index.js';
import { OrderPaid, type Shop, type Site, fact, site } from './shop.spec.support.js';

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

const KEYS = Array.from({ length: 12 }, (_, at) => `o-${at}`);
const numbers = (count: number) => Array.from({ length: count }, (_, at) => at + 1);
const history = (each: number) => numbers(each).flatMap((sequence) => KEYS.map((key) => fact(key, sequence)));
const everyKeyOnce = async (each: number) => {
  for (const key of KEYS) expect(await shop.sequences(key)).toEqual(numbers(each));
};

/** A process of its own: its own connections, which can be cut. */
function processOf(name: string): { store: Store; cut(): Promise<void> } {
  const store = new Store({ url: there.url, applicationName: name, connections: 6 });
  shop.onClose(() => store.close());
  return { store, cut: async () => void (await there.store.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [name])) };
}

describe('each effect happens once, in order', () => {
  it.each([1, 20])('C2: when two processes believe they own all partitions, and take them from each other again and again; %i facts share a transaction', async (together) => {
    const both = ['one', 'other'].map((name) => shop.live(shop.journal(undefined, { together }), processOf(`${shop.name} ${name}`).store));
    for (const records of [history(8), history(16).slice(8 * KEYS.length), history(24).slice(16 * KEYS.length)]) await shop.publish(...records);
    // Groups of their own: nobody tells them that the other is there. Each claim fences the other off, which claims again.
    const subscriptions = both.map((live, at) => shop.subscribe(live.reactions, live, `${shop.name}.${at}`));
    await shop.settled(subscriptions[0]!);
    await everyKeyOnce(24);
    expect(subscriptions.reduce((sum, { status }) => sum + status.counts.fenced, 0) + both.reduce((sum, { counts }) => sum + counts.overtaken + counts.duplicates, 0)).toBeGreaterThan(0);
  });

  it('C1: when connections are cut at any moment, commits among them whose answer is lost', async () => {
    const { store, cut } = processOf(`${shop.name} cut`);
    const live: LiveReactions = shop.live(shop.journal(), store);
    await shop.publish(...history(40));
    const subscription = shop.subscribe(live.reactions, live);
    for (let reached = 0; reached < 0.9 * 40 * KEYS.length; ) {
      const before = reached;
      reached = await until('some progress', async () => {
        const { length } = await shop.effects();
        return length > before + 20 || length >= 0.9 * 40 * KEYS.length ? length : undefined;
      });
      await cut();
    }
    await shop.settled(subscription);
    await everyKeyOnce(40);
    expect(await shop.letters()).toEqual([]);
  });

  it('when a handler fails after its effect', async () => {
    const failed = new Set<string>();
    const fails = (key: string, sequence: number) => {
      if (sequence % 3 !== 0 || failed.has(`${key}/${sequence}`)) return;
      failed.add(`${key}/${sequence}`);
      throw new Error('after the effect');
    };
    const made = shop.reactions().on(OrderPaid, async ({ key, meta }, tx) => {
      await shop.note(tx, key, meta.sequence, 'Paid');
      fails(key, meta.sequence);
    });
    await shop.publish(...history(6));
    await shop.settled(shop.subscribe(made));
    await everyKeyOnce(6);
  });

  it('control: an effect outside the transaction happens again', async () => {
    let failed = false;
    const made = shop.reactions().on(OrderPaid, async ({ key, meta }) => {
      await there.store.transaction((apart) => shop.note(apart, key, meta.sequence, 'Paid'));
      if (!failed && (failed = true)) throw new Error('after the effect');
    });
    await shop.publish(fact('o-0', 1));
    await shop.settled(shop.subscribe(made));
    expect(await shop.sequences('o-0')).toEqual([1, 1]);
  });
});

describe('a dead letter', () => {
  it('is not made of a fact that was done before its key was blocked, and is read again after a crash', async () => {
    const bad = (_key: string, sequence: number) => {
      if (sequence === 3) throw new FactlineError({ code: 'spec.refused', kind: 'refused', message: 'no' });
    };
    await shop.publish(...[1, 2, 3, 4].map((sequence) => fact('a', sequence)));
    const first = shop.subscribe(shop.journal(bad));
    await shop.settled(first);
    await first.stop();
    // A crash before the checkpoint followed: the database knows the effects and the dead letters.
    await there.store.query(`update ${shop.name}.checkpoint set next_offset = 0, last_offset = null, last_fact_id = null`);
    await shop.settled(shop.subscribe(shop.journal(bad)));
    expect(await shop.letters()).toEqual([{ key: 'a', sequence: 3, code: 'spec.refused' }, { key: 'a', sequence: 4, code: null }]);
    expect(await shop.sequences('a')).toEqual([1, 2]);
  });

  it('whose commit had no answer keeps its fact, also when the handler would take it now', async () => {
    const store = new AnswerlessStore({ url: there.url, applicationName: `${shop.name} answerless`, connections: 6 });
    shop.onClose(() => store.close());
    const live = shop.live(
      shop.journal(() => {
        if (store.losing) return;
        store.losing = 1; // the next transaction is that of the dead letter
        throw new FactlineError({ code: 'spec.refused', kind: 'refused', message: 'refused, and repaired at once' });
      }),
      store,
    );
    await shop.publish(fact('o-1', 1), fact('o-1', 2));
    await shop.settled(shop.subscribe(live.reactions, live));
    expect(store.losing).toBe(2);
    expect([await shop.sequences('o-1'), await shop.letters()]).toEqual([[], [{ key: 'o-1', sequence: 1, code: 'spec.refused' }, { key: 'o-1', sequence: 2, code: null }]]);
  });

  it('is written by the owner of the partition alone: a former one that comes back late writes none', async () => {
    let release: () => void = () => undefined;
    const store = new HeldStore({ url: there.url, applicationName: `${shop.name} slow`, connections: 6 });
    shop.onClose(() => store.close());
    const slow = shop.live(
      shop.journal(() => {
        store.held ??= new Promise((resolve) => (release = resolve)); // stops between the failure and the dead letter
        throw new FactlineError({ code: 'spec.refused', kind: 'refused', message: 'refused, too late' });
      }),
      store,
    );
    await shop.publish(fact('o-1', 1));
    const first = shop.subscribe(slow.reactions, slow, `${shop.name}.slow`);
    await until('the slow one to have failed', () => store.held !== undefined);
    const quick = shop.live(shop.journal(), processOf(`${shop.name} quick`).store);
    const second = shop.subscribe(quick.reactions, quick, `${shop.name}.quick`);
    await shop.settled(second);
    release();
    await until('the slow one to be told', () => first.status.counts.fenced > 0);
    expect([await shop.sequences('o-1'), await shop.letters()]).toEqual([[1], []]);
  });
});

/** Once told to, it loses the answer to one commit. */
class AnswerlessStore extends Store {
  losing = 0;

  override async transaction<T>(...args: Parameters<Store['transaction']>): Promise<T> {
    const loses = this.losing === 1;
    if (loses) this.losing = 2;
    const result = (await super.transaction(...args)) as T;
    if (loses) throw new FactlineError({ code: 'store.outcome-unknown', kind: 'unavailable', retry: false, message: 'no answer' });
    return result;
  }
}

/** A process that is stopped before its next transaction. */
class HeldStore extends Store {
  held: Promise<void> | undefined;

  override async transaction<T>(...args: Parameters<Store['transaction']>): Promise<T> {
    await this.held;
    return (await super.transaction(...args)) as T;
  }
}
