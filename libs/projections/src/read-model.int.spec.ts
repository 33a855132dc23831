import { Freshness } from 'factline/consumer';
import type { RecordBatch } from 'factline/log';
import { until } from 'factline/testing';
import { ReadModel } from './index.js';
import { numbered, step } from './accounts.spec.support.js';
import { type Scene, type Site, lastSequences, site } from './site.spec.support.js';

let there: Site;
let scene: Scene;
beforeAll(async () => {
  there = await site();
});
afterAll(() => there.close());
beforeEach(async () => {
  scene = await there.scene();
});
afterEach(() => scene.close());

const token = (key: string, sequence: number, topic = scene.topic) => ({ topic, key, sequence });

describe('read your writes', () => {
  it('waits until the fact is applied, in this process and in any other', async () => {
    const live = await scene.live();
    const subscription = scene.subscribe(live);
    const here = new ReadModel(scene.projection, scene.store, undefined, { live, subscription, partitions: () => scene.partitions });
    const elsewhere = new ReadModel(scene.projection, there.at.store(scene.url));
    let waiting = 2;
    const both = Promise.all([here, elsewhere].map((model) => model.waitFor(token('a', 2), 10_000).then(() => waiting--)));
    await scene.publish(numbered([step('a', 'Opened')]));
    await scene.settled(subscription);
    expect(waiting).toBe(2);
    await scene.publish(numbered([step('a', 'Paid')], lastSequences(scene.history)));
    await both;
    expect((await scene.rows()).get('a')).toMatchObject({ payments: 1 });
  });

  it('is satisfied by a deletion, and by a fact that later ones followed', async () => {
    await scene.publish(numbered([step('a', 'Opened'), step('a', 'Closed'), step('b', 'Opened'), step('b', 'Paid'), step('b', 'Paid')]));
    await scene.feed(await scene.live());
    const model = new ReadModel(scene.projection, scene.store);
    await model.waitFor(token('a', 2), 0);
    await model.waitFor(token('b', 2), 0);
  });

  it('says read.not-yet at the deadline', async () => {
    await scene.live();
    const model = new ReadModel(scene.projection, scene.store);
    await expect(model.waitFor(token('a', 1), 30)).rejects.toMatchObject({ code: 'read.not-yet', kind: 'unavailable', retry: true, retryAfterMs: 1_000 });
  });

  it('does not wait for a topic that the projection does not read', async () => {
    await new ReadModel(scene.projection, scene.store).waitFor(token('a', 1, 'another.topic'), 0);
  });

  it('knows facts that make no row only where their partition is read', async () => {
    const live = await scene.live();
    const subscription = scene.subscribe(live);
    await scene.publish(numbered([step('a', 'Opened'), step('a', 'Audited')]));
    const here = new ReadModel(scene.projection, scene.store, undefined, { live, subscription, partitions: () => scene.partitions });
    await here.waitFor(token('a', 2), 10_000);
    await expect(new ReadModel(scene.projection, scene.store).waitFor(token('a', 2), 30)).rejects.toMatchObject({ code: 'read.not-yet' });
  });
});

describe('as-of', () => {
  const mark = (asOf: number, ...offsets: number[]): RecordBatch => ({
    topic: 'watermarks',
    partition: 0,
    records: [{ offset: 0, key: Buffer.from('k'), timestamp: 0, value: Buffer.from(JSON.stringify({ topic: scene.topic, asOf, epoch: 1, offsets })) }],
    nextOffset: 1,
    endOffset: 1,
  });

  it('is null until every partition is known, then the oldest, and survives a restart, a swap and a repair', async () => {
    await scene.publish(numbered([step('a', 'Opened')]));
    const ends = (await scene.log.describe([scene.topic]))[0]!.partitions.map(({ end }) => end);
    const freshness = new Freshness();
    const subscription = scene.subscribe(await scene.live(), freshness);
    await scene.settled(subscription);
    const asOf = async () => (await new ReadModel(scene.projection, scene.store).asOf())?.getTime() ?? null;
    expect(await asOf()).toBeNull();
    freshness.observe(mark(1_000, ...ends.slice(0, 2)));
    await until('two of three are written', async () => (await scene.store.query(`select from ${scene.name}.checkpoint where as_of is not null`)).rowCount === 2);
    expect(await asOf()).toBeNull();
    freshness.observe(mark(2_000, ...ends));
    await until('all are written', async () => (await asOf()) === 2_000);

    const rebuild = await scene.rebuild();
    await rebuild.stage();
    await rebuild.swap();
    expect(await asOf()).toBe(2_000);
    freshness.observe(mark(3_000, ...ends));
    await until('the new generation’s rises without a fact', async () => (await asOf()) === 3_000);

    await rebuild.rebuildKey('a');
    freshness.observe(mark(4_000, ...ends));
    await until('it rises after a repair', async () => (await asOf()) === 4_000);
    await subscription.stop();
    expect(await asOf()).toBe(4_000);
  });

  it('is answered from memory for a fifth of a second', async () => {
    await scene.feed(await scene.live());
    const clock = { ms: 0, now: () => 0, monotonic: () => clock.ms };
    const model = new ReadModel(scene.projection, scene.store, clock);
    expect(await model.asOf()).toBeNull();
    await scene.store.query(`update ${scene.name}.checkpoint set as_of = to_timestamp(1)`);
    clock.ms = 199;
    expect(await model.asOf()).toBeNull();
    clock.ms = 200;
    expect((await model.asOf())?.getTime()).toBe(1_000);
  });
});
