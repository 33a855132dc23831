import type { FactSubscription } from 'factline/consumer';
import { FactDecoder } from 'factline/contracts';
import { FactlineError } from 'factline/kernel';
import { partitionOf } from 'factline/log';
import { Store } from 'factline/store';
import { until } from 'factline/testing';
import { type LiveReactions, ReactionDeadLetters, Redriver } from './index.js';
import { OrderPaid, type Shop, type Site, fact, site, writers } from './shop.spec.support.js';

let there: Site;
let shop: Shop;
/** `key/sequence` that fail now. */
const bad = new Set<string>();
beforeAll(async () => {
  there = await site();
});
afterAll(() => there.close());
beforeEach(async () => {
  shop = await there.shop();
  bad.clear();
});
afterEach(() => shop.close());

const journal = () =>
  shop.journal((key, sequence) => {
    if (bad.has(`${key}/${sequence}`)) throw new FactlineError({ code: 'spec.bad', kind: 'refused', message: `${key}/${sequence} is refused` });
  });
const letters = () => new ReactionDeadLetters(shop.name, there.store, shop.log, writers);
const redriver = (live: LiveReactions, store = there.store) => new Redriver({ reactions: live.reactions, inbox: live.inbox, store, log: shop.log, decoder: new FactDecoder(live.reactions.facts, writers) });
const by = { by: 'spec' };

async function blocked(...facts: string[]): Promise<{ live: LiveReactions; subscription: FactSubscription }> {
  for (const each of facts) bad.add(each);
  const live = shop.live(journal());
  const subscription = shop.subscribe(live.reactions, live);
  await shop.settled(subscription);
  return { live, subscription };
}

/** Runs what was asked for to its end. */
async function ended(redrive: { id: string }, live: LiveReactions) {
  const worker = redriver(live);
  for (let steps = 0; steps < 1_000 && (await letters().redrive(redrive.id))!.state === 'running'; steps++) await worker.step();
  return (await letters().redrive(redrive.id))!;
}

describe('re-driving', () => {
  it('C9: handles the facts of a blocked key in order, each once, and unblocks it; other subscriptions see nothing of it', async () => {
    await shop.publish(...[1, 2, 3, 4].flatMap((sequence) => [fact('a', sequence), fact('b', sequence)]));
    const { live, subscription } = await blocked('a/2');
    bad.clear();
    const redrive = await letters().requeue({ all: true }, by);
    expect(redrive).toMatchObject({ state: 'running', keys: 1 });
    expect(await ended(redrive, live)).toMatchObject({ state: 'done', tried: 1, failed: 0, facts: 3 });
    expect(await shop.sequences('a')).toEqual([1, 2, 3, 4]);
    await shop.publish(fact('a', 5));
    await shop.settled(subscription);
    expect([await shop.sequences('a'), await shop.letters()]).toEqual([[1, 2, 3, 4, 5], []]);
  });

  it('sees no gap behind facts that had been passed over when the key was blocked', async () => {
    await shop.publish(fact('a', 1));
    const { live, subscription } = await blocked('a/3');
    await shop.publish(fact('a', 2, 'Noted'), fact('a', 3));
    await shop.settled(subscription);
    bad.clear();
    expect(await ended(await letters().requeue({ key: 'a' }, by), live)).toMatchObject({ state: 'done', failed: 0 });
    expect(await shop.sequences('a')).toEqual([1, 3]);
  });

  it('goes up to the next fact that fails; that one and those behind it wait, with the new reason', async () => {
    await shop.publish(...[1, 2, 3, 4].map((sequence) => fact('a', sequence)));
    const { live } = await blocked('a/1');
    bad.clear();
    bad.add('a/3');
    expect(await ended(await letters().requeue({ key: 'a' }, by), live)).toMatchObject({ state: 'done', tried: 1, failed: 1, facts: 2 });
    expect(await shop.sequences('a')).toEqual([1, 2]);
    expect(await shop.letters()).toEqual([{ key: 'a', sequence: 3, code: 'spec.bad' }, { key: 'a', sequence: 4, code: null }]);
  });

  it('tries one key first, and leaves the others alone when it fails again', async () => {
    const keys = ['a', 'b', 'c', 'd'];
    await shop.publish(...keys.map((key) => fact(key, 1)));
    const { live } = await blocked(...keys.map((key) => `${key}/1`));
    expect(await ended(await letters().requeue({ all: true }, by), live)).toMatchObject({ state: 'stopped', tried: 1, failed: 1, outcome: expect.stringContaining('spec.bad') as string });
    expect(await shop.letters()).toHaveLength(4);
    bad.clear();
    expect(await ended(await letters().requeue({ all: true }, by), live)).toMatchObject({ state: 'done', tried: 4, failed: 0 });
  });

  it('goes on where it was after a crash at any fact, and does nothing twice', async () => {
    await shop.publish(...[1, 2, 3, 4, 5].map((sequence) => fact('a', sequence)));
    const { live } = await blocked('a/1');
    bad.clear();
    const redrive = await letters().requeue({ all: true }, by);
    for (let step = 0; step < 2; step++) await redriver(live).step(); // each in a process of its own
    const holder = await there.store.session();
    await holder.query('begin');
    await holder.query('lock table journal in exclusive mode');
    const dying = redriver(live).step().catch((error: unknown) => error);
    const pid = await until('its transaction waits', async () => (await there.store.query<{ pid: number }>("select pid from pg_stat_activity where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0")).rows[0]?.pid);
    await holder.query('select pg_terminate_backend($1)', [pid]);
    expect(await dying).toMatchObject({ kind: 'unavailable' });
    await holder.query('rollback');
    await holder.close();
    expect(await shop.sequences('a')).toEqual([1, 2]);
    expect(await ended(redrive, live)).toMatchObject({ state: 'done', facts: 5 });
    expect(await shop.sequences('a')).toEqual([1, 2, 3, 4, 5]);
  });

  it('by two processes at once is done once, in order', async () => {
    await shop.publish(...[1, 2, 3].flatMap((sequence) => ['a', 'b', 'c'].map((key) => fact(key, sequence))));
    const { live } = await blocked('a/1', 'b/1', 'c/1');
    bad.clear();
    const redrive = await letters().requeue({ all: true }, by);
    const both = [redriver(live), redriver(live)];
    for (let steps = 0; (await letters().redrive(redrive.id))!.state === 'running' && steps < 200; steps++) await Promise.all(both.map((each) => each.step().catch(() => 0)));
    for (const key of ['a', 'b', 'c']) expect(await shop.sequences(key)).toEqual([1, 2, 3]);
    expect(await letters().redrive(redrive.id)).toMatchObject({ state: 'done', facts: 9, tried: 3 });
  });

  it('says of a fact that the log has no more that it is gone, and goes on with other keys; what was given up needs no log', async () => {
    const same = ['a', ...Array.from({ length: 50 }, (_, at) => `k-${at}`)].filter((key) => partitionOf(Buffer.from(key), 3) === partitionOf(Buffer.from('a'), 3)).slice(0, 3);
    const [gone, other, givenUp] = same as [string, string, string];
    await shop.publish(fact(gone, 1), fact(givenUp, 1), fact(givenUp, 2), fact(other, 1), fact(givenUp, 3));
    const { live } = await blocked(...same.map((key) => `${key}/1`));
    const [first, second] = await letters().read(givenUp);
    await letters().purge({ key: givenUp, offset: second!.letter.offset }, { reason: 'not ours', by: 'lea' });
    await expect(letters().edit({ key: givenUp, offset: second!.letter.offset }, { data: { orderId: givenUp, cents: 1 } }, { reason: 'late', by: 'lea' })).rejects.toMatchObject({ code: 'dead-letters.given-up' });
    await letters().purge({ key: givenUp, offset: first!.letter.offset }, { reason: 'not ours', by: 'lea' });
    shop.broker.retainFrom('orders', partitionOf(Buffer.from('a'), 3), 3);
    bad.clear();
    expect(await ended(await letters().requeue({ all: true }, { ...by, canary: 0, stopAt: 1 }), live)).toMatchObject({ state: 'done', tried: 3, failed: 1 });
    expect(await shop.letters()).toEqual([{ key: gone, sequence: 1, code: 'dead-letters.gone' }]);
    expect([await shop.sequences(other), await shop.sequences(givenUp)]).toEqual([[1], [3]]);
  });

  it('handles nothing but the fact that failed: another one at its place in a topic that was made anew is not it', async () => {
    await shop.publish(fact('a', 1));
    const { live, subscription } = await blocked('a/1');
    await subscription.stop();
    shop.broker.recreate('orders');
    await shop.publish(fact('a', 1, 'Paid', 99));
    bad.clear();
    expect(await ended(await letters().requeue({ all: true }, by), live)).toMatchObject({ failed: 1 });
    expect([await shop.effects(), await shop.letters()]).toEqual([[], [{ key: 'a', sequence: 1, code: 'dead-letters.gone' }]]);
  });

  it('by a process that was stopped before its transaction changes nothing that another one has done, nor another re-drive', async () => {
    await shop.publish(...['a', 'b'].flatMap((key) => [fact(key, 1), fact(key, 2)]));
    const { live } = await blocked('a/1', 'b/1');
    const late = async () => {
      const store = new HeldStore({ url: there.url, applicationName: `${shop.name} late`, connections: 2 });
      shop.onClose(() => store.close());
      const stepped = redriver(live, store).step();
      await until('its transaction', () => store.held);
      return async () => (store.release(), await stepped);
    };
    const first = await letters().requeue({ key: 'a' }, { ...by, canary: 0, stopAt: 1 });
    const stepLate = await late();
    expect(await ended(first, live)).toMatchObject({ tried: 1, failed: 1 });
    bad.clear();
    await stepLate();
    expect([await letters().redrive(first.id), await shop.sequences('a')]).toMatchObject([{ tried: 1, failed: 1, facts: 0 }, []]);
    const second = await letters().requeue({ key: 'a' }, by);
    const stepLater = await late();
    await letters().cancel(second.id);
    const third = await letters().requeue({ key: 'b' }, by);
    await stepLater();
    expect(await ended(third, live)).toMatchObject({ state: 'done', tried: 1, facts: 2 });
    expect([await shop.sequences('a'), await shop.sequences('b')]).toEqual([[], [1, 2]]);
  });

  it('while facts of the key keep coming loses none and doubles none', async () => {
    await shop.publish(fact('a', 1), fact('a', 2));
    const { live, subscription } = await blocked('a/1');
    bad.clear();
    const worker = redriver(live);
    const redrive = await letters().requeue({ all: true }, by);
    worker.start();
    for (let sequence = 3; sequence <= 40; sequence++) await shop.publish(fact('a', sequence));
    await until('the end', async () => (await letters().redrive(redrive.id))!.state === 'done');
    await shop.settled(subscription);
    if ((await shop.letters()).length > 0) {
      const rest = await letters().requeue({ all: true }, by);
      worker.wake();
      await until('the rest', async () => (await letters().redrive(rest.id))!.state === 'done');
    }
    await worker.stop();
    expect(await shop.sequences('a')).toEqual(Array.from({ length: 40 }, (_, at) => at + 1));
  });

  it('C10: asks for a filter, and runs one at a time', async () => {
    await shop.publish(fact('a', 1), fact('b', 1));
    await blocked('a/1', 'b/1');
    await expect(letters().requeue({}, by)).rejects.toMatchObject({ code: 'dead-letters.filter' });
    const first = await letters().requeue({ key: 'a' }, by);
    await expect(letters().requeue({ key: 'b' }, { by: 'lea' })).rejects.toMatchObject({ code: 'dead-letters.running', message: expect.stringContaining('spec') as string });
    expect(await letters().cancel(first.id)).toBe(true);
    expect((await letters().redrive(first.id))!.state).toBe('cancelled');
  });
});

describe('editing', () => {
  it('handles other data in the place of the original, which is kept with the difference, the reason and who', async () => {
    const seen: number[] = [];
    const made = shop.reactions().on(OrderPaid, async ({ data, key, meta }, tx) => {
      if (data.cents < 0) throw new FactlineError({ code: 'spec.negative', kind: 'invalid', message: 'below zero' });
      seen.push(data.cents);
      await shop.note(tx, key, meta.sequence, 'Paid');
    });
    await shop.publish(fact('a', 1, 'Paid', -5), fact('a', 2, 'Paid', 7));
    const live = shop.live(made);
    await shop.settled(shop.subscribe(made, live));
    const [waiting] = await letters().read('a');
    expect(waiting).toMatchObject({ fact: { data: { cents: -5 } }, edited: undefined });
    const place = { key: 'a', offset: waiting!.letter.offset };
    await expect(letters().edit(place, { data: { orderId: 'a', cents: 'five' } }, { reason: 'sign', by: 'lea' })).rejects.toMatchObject({ code: 'fact.invalid', details: { path: 'cents' } });
    expect(await letters().edit(place, { data: { orderId: 'a', cents: 5 } }, { reason: 'sign', by: 'lea' })).toEqual([{ path: 'cents', from: -5, to: 5 }]);
    expect((await ended(await letters().requeue({ key: 'a' }, by), live)).facts).toBe(2);
    expect(seen).toEqual([5, 7]);
    const { rows } = await there.store.query('select original, data, difference, reason, edited_by from factline.edited_fact where subscription = $1', [shop.name]);
    expect(rows).toEqual([{ original: { orderId: 'a', cents: -5 }, data: { orderId: 'a', cents: 5 }, difference: [{ path: 'cents', from: -5, to: 5 }], reason: 'sign', edited_by: 'lea' }]);
  });

  it('gives a record that cannot be read a meaning', async () => {
    const torn = fact('a', 2);
    await shop.publish(fact('a', 1), { ...torn, value: torn.value.subarray(0, torn.value.length - 1) }, fact('a', 3));
    const { live } = await blocked();
    expect(await shop.letters()).toEqual([{ key: 'a', sequence: 2, code: 'fact.undecodable' }, { key: 'a', sequence: 3, code: null }]);
    const [waiting] = await letters().read('a');
    const place = { key: 'a', offset: waiting!.letter.offset };
    await expect(letters().edit(place, { data: {} }, { reason: 'torn', by: 'lea' })).rejects.toMatchObject({ code: 'dead-letters.not-selected' });
    await letters().edit(place, { fact: 'shop.Paid', data: { orderId: 'a', cents: 1 } }, { reason: 'torn', by: 'lea' });
    expect(await ended(await letters().requeue({ all: true }, by), live)).toMatchObject({ state: 'done', facts: 2 });
    expect(await shop.sequences('a')).toEqual([1, 2, 3]);
  });
});

describe('giving up', () => {
  it('a fact lets those behind it be handled, and is written down; nothing brings it back', async () => {
    await shop.publish(...[1, 2, 3].map((sequence) => fact('a', sequence)));
    const { live, subscription } = await blocked('a/1');
    const [first] = await letters().read('a');
    expect(await letters().purge({ key: 'a', offset: first!.letter.offset }, { reason: 'not ours', by: 'lea' })).toEqual({ keys: 1, facts: 1 });
    expect(await ended(await letters().requeue({ all: true }, by), live)).toMatchObject({ state: 'done', facts: 2 });
    expect(await shop.sequences('a')).toEqual([2, 3]);
    await shop.publish(fact('a', 4));
    await shop.settled(subscription);
    expect(await shop.sequences('a')).toEqual([2, 3, 4]);
  });

  it('one behind others does not drop them: it is left out when its turn comes', async () => {
    await shop.publish(...[1, 2, 3, 4].map((sequence) => fact('a', sequence)));
    const { live } = await blocked('a/1');
    const third = (await letters().read('a'))[2]!;
    await letters().purge({ key: 'a', offset: third.letter.offset }, { reason: 'not ours', by: 'lea' });
    expect(await shop.letters()).toHaveLength(4);
    bad.clear();
    await ended(await letters().requeue({ all: true }, by), live);
    expect([await shop.sequences('a'), await shop.letters()]).toEqual([[1, 2, 4], []]);
  });
});

/** A process that is stopped before its next transaction. */
class HeldStore extends Store {
  held = false;
  release: () => void = () => undefined;
  readonly #released = new Promise<void>((resolve) => (this.release = resolve));

  override async transaction<T>(...args: Parameters<Store['transaction']>): Promise<T> {
    this.held = true;
    await this.#released;
    return (await super.transaction(...args)) as T;
  }
}
