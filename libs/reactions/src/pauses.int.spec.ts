import { Pauses } from 'factline/consumer';
import { FactDecoder } from 'factline/contracts';
import { FactlineError } from 'factline/kernel';
import { until } from 'factline/testing';
import { ReactionDeadLetters, Redriver } from './index.js';
import { type Shop, type Site, fact, site, writers } from './shop.spec.support.js';

let there: Site;
let shop: Shop;
let pauses: Pauses;
beforeAll(async () => {
  there = await site();
  pauses = new Pauses(there.store);
});
afterAll(() => there.close());
beforeEach(async () => {
  shop = await there.shop();
});
afterEach(() => shop.close());

const why = { reason: 'the mail server moves', by: 'lea' };

describe('paused reactions', () => {
  it('run no handler, in any process and after a restart, until they are resumed; then each fact once, in order', async () => {
    await shop.publish(fact('a', 1));
    const first = shop.subscribe(shop.journal());
    await shop.settled(first);
    await pauses.pause(shop.name, why);
    await until('it to be paused', () => first.status.state === 'PAUSED');
    expect(first.status).toMatchObject({ trouble: { code: 'consumer.paused', reason: 'lea paused it: the mail server moves', advice: expect.stringContaining(`factline resume ${shop.name} --app`) as string }, stalled: false });
    await shop.publish(fact('a', 2), fact('a', 3), fact('b', 1));
    await first.stop();
    const second = shop.subscribe(shop.journal());
    await until('the next process to know what waits', () => second.status.lag === 3);
    expect([second.status.state, await shop.effects()]).toEqual(['PAUSED', [{ key: 'a', sequence: 1, kind: 'Paid' }]]);
    await pauses.resume(shop.name, { by: 'tom' });
    await shop.settled(second);
    expect([await shop.sequences('a'), await shop.sequences('b')]).toEqual([[1, 2, 3], [1]]);
    expect((await there.store.query('select reason, paused_by, resumed_by from factline.pause where subscription = $1', [shop.name])).rows).toEqual([{ reason: why.reason, paused_by: 'lea', resumed_by: 'tom' }]);
  });

  it('control: another subscription of the same database goes on', async () => {
    const other = await there.shop();
    await other.live(other.journal()).prepare();
    await pauses.pause(other.name, why);
    await shop.publish(fact('a', 1));
    await shop.settled(shop.subscribe(shop.journal()));
    expect(await shop.sequences('a')).toEqual([1]);
    await other.close();
  });

  it('that failed are not re-driven before they are resumed', async () => {
    let works = false;
    const live = shop.live(shop.journal(() => { if (!works) throw new FactlineError({ code: 'spec.bad', kind: 'refused', message: 'no' }); }));
    await shop.publish(fact('a', 1));
    await shop.settled(shop.subscribe(live.reactions, live));
    works = true;
    await pauses.pause(shop.name, why);
    const letters = new ReactionDeadLetters(shop.name, there.store, shop.log, writers);
    const { id } = await letters.requeue({ all: true }, { by: 'lea' });
    const redriver = new Redriver({ reactions: live.reactions, inbox: live.inbox, store: there.store, log: shop.log, decoder: new FactDecoder(live.reactions.facts, writers) });
    for (let step = 0; step < 5; step++) expect(await redriver.step()).toBeGreaterThan(0);
    expect([(await letters.redrive(id))!.state, await shop.effects()]).toEqual(['running', []]);
    await pauses.resume(shop.name, { by: 'lea' });
    for (let step = 0; step < 5; step++) await redriver.step();
    expect([(await letters.redrive(id))!.state, await shop.sequences('a')]).toEqual(['done', [1]]);
  });
});

describe('a pause', () => {
  it('is one at a time: the second operator hears of the first, and who ended it', async () => {
    await shop.live(shop.journal()).prepare();
    await pauses.pause(shop.name, why);
    await expect(pauses.pause(shop.name, { reason: 'me too', by: 'tom' })).rejects.toMatchObject({ code: 'pause.paused', message: expect.stringContaining('by lea since') as string });
    const ended = await Promise.allSettled([pauses.resume(shop.name, { by: 'ann' }), pauses.resume(shop.name, { by: 'bob' })]);
    expect(ended.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    await expect(pauses.resume(shop.name, { by: 'tom' })).rejects.toMatchObject({ code: 'pause.not-paused', message: expect.stringMatching(/(ann|bob) resumed it/) as string });
  });

  it('of what is no subscription is refused', async () => {
    await expect(pauses.pause('nobody', why)).rejects.toMatchObject({ code: 'pause.subscription-unknown', kind: 'not-found' });
  });
});
