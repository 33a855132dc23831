import { FactlineError } from 'factline/kernel';
import { partitionOf } from 'factline/log';
import { until } from 'factline/testing';
import { ReactionDeadLetters, handledIn, knownReactions } from './index.js';
import { type Shop, type Site, fact, site, writers } from './shop.spec.support.js';

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

const of = (key: string, offset: number) => handledIn(there.store, shop.name, { topic: 'orders', partition: partitionOf(Buffer.from(key), 3), offset, key });
const clock = async () => (await there.store.query<{ now: Date }>('select clock_timestamp() as now')).rows[0]!.now.getTime();

it('the subscriptions of a database are known with what they handle and where they began; a database that never had any has none', async () => {
  shop.subscribe(shop.journal(undefined, { from: 'now' }));
  const known = await until('it to be written down', async () => (await knownReactions(there.store)).find(({ name }) => name === shop.name));
  expect(known).toMatchObject({ since: 'now', facts: [{ factName: 'shop.Paid', topic: 'orders' }], createdAt: expect.any(Date) });
  expect(await knownReactions(there.at.store(await there.at.database('empty')))).toEqual([]);
});

it('of the last fact of a key the inbox says exactly when it was done, in the transaction of its effect', async () => {
  const before = await clock();
  await shop.publish(fact('a', 1));
  const first = shop.subscribe(shop.journal());
  await shop.settled(first);
  const between = await clock();
  const { done } = await of('a', 0);
  expect(done!.sequence).toBe(1);
  expect(done!.at!.getTime()).toBeGreaterThanOrEqual(before);
  expect(done!.at!.getTime()).toBeLessThanOrEqual(between);
  await shop.publish(fact('a', 2), fact('a', 3, 'Noted')); // the second passes by, and is written down with the checkpoint
  await shop.settled(first);
  await first.stop();
  const later = (await of('a', 0)).done!;
  expect(later.sequence).toBe(3);
  expect(later.at!.getTime()).toBeGreaterThanOrEqual(between);
  expect((await of('nobody', 0)).done).toBeUndefined();
});

it('a fact that failed waits, those of its key behind it, and what was given up says by whom', async () => {
  await shop.publish(fact('a', 1), fact('a', 2), fact('a', 3));
  await shop.settled(
    shop.subscribe(
      shop.journal((_key, sequence) => {
        if (sequence === 2) throw new FactlineError({ code: 'spec.bad', kind: 'refused', message: 'no' });
      }),
    ),
  );
  expect((await of('a', 0)).reached).toMatchObject({ letter: null });
  expect((await of('a', 1)).reached).toMatchObject({ letter: { code: 'spec.bad' } });
  expect((await of('a', 2)).reached).toMatchObject({ letter: { code: null }, failed: { offset: 1, code: 'spec.bad' } });
  await new ReactionDeadLetters(shop.name, there.store, shop.log, writers).purge({ all: true }, { reason: 'not ours', by: 'lea' });
  expect((await of('a', 1)).givenUp).toMatchObject({ by: 'lea', reason: 'not ours' });
  expect((await of('a', 0)).givenUp).toBeUndefined();
});

it('an inbox that an earlier version made is given the column, and says of old rows that it does not know', async () => {
  await shop.publish(fact('a', 1));
  const first = shop.subscribe(shop.journal());
  await shop.settled(first);
  await first.stop();
  await there.store.query(`alter table ${shop.name}.inbox drop column done_at`);
  await shop.live(shop.journal()).prepare();
  expect((await of('a', 0)).done).toEqual({ sequence: 1, at: null });
  await shop.publish(fact('a', 2), fact('b', 1));
  await shop.settled(shop.subscribe(shop.journal()));
  expect((await of('a', 1)).done).toEqual({ sequence: 2, at: expect.any(Date) });
  expect((await of('b', 0)).done).toEqual({ sequence: 1, at: expect.any(Date) });
});
