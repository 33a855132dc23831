import { readCheckpoints } from 'factline/consumer';
import { FactDecoder } from 'factline/contracts';
import { until } from 'factline/testing';
import { accounts, keyIn, numbered, step, writers } from './accounts.spec.support.js';
import { DeadLetters, appliedIn } from './index.js';
import { type Scene, type Site, site } from './site.spec.support.js';

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

const marks = async () => (await there.store.query<{ partition: number; next_offset: string }>(`select partition, next_offset from ${scene.name}.progress_mark order by answered_at, partition`)).rows.map(({ partition, next_offset: at }) => `${partition}:${at}`);
const at = async (offset: number, partition = 0, versions = [scene.projection]) => appliedIn(there.store, versions, { topic: scene.topic, partition, offset });
const record = async (live: Awaited<ReturnType<Scene['live']>>, moved = true) => live.recordAsOf((await readCheckpoints(there.store, scene.name)).map((checkpoint) => ({ checkpoint, asOfMs: null, moved })));
/** So many accounts, all in partition 0. */
const accountsIn = (first: number, count: number) => numbered(Array.from({ length: count }, (_, nth) => step(keyIn(0, scene.partitions, first + nth), 'Opened')));

describe('what a build knows of a place in the log', () => {
  it('before anything was read: no build, then a build that has read nothing of it', async () => {
    expect(await at(0)).toEqual([]);
    await scene.live();
    expect(await at(0)).toMatchObject([{ build: 'live', generation: 1, version: 1, outdated: false, reached: undefined, purged: undefined }]);
  });

  it('says by marks between which moments the checkpoint passed it, on the clock of the database', async () => {
    const clock = async () => (await there.store.query<{ now: Date }>('select clock_timestamp() as now')).rows[0]!.now;
    const live = await scene.live();
    await scene.publish(accountsIn(0, 2));
    await scene.feed(live);
    await record(live);
    const began = await clock();
    await until('another second: a mark takes the place of another of the same second', async () => (await clock()).getTime() - began.getTime() > 1_000);
    const before = await clock();
    await scene.publish(accountsIn(2, 3));
    await scene.feed(live);
    const after = await clock();
    await record(live);
    const [build] = await at(3);
    const { notYetAt, passedBy, nextOffset, lastOffset, movedAt } = build!.reached!;
    expect([nextOffset, lastOffset]).toEqual([5, 4]);
    expect(notYetAt!.getTime()).toBeLessThanOrEqual(before.getTime());
    expect(passedBy!.getTime()).toBeGreaterThanOrEqual(after.getTime());
    expect(movedAt.getTime()).toBeGreaterThanOrEqual(before.getTime());
    expect(movedAt.getTime()).toBeLessThanOrEqual(after.getTime());
    expect((await at(1))[0]!.reached).toMatchObject({ notYetAt: null, passedBy: expect.any(Date) });
    expect((await at(9))[0]!.reached).toMatchObject({ notYetAt: expect.any(Date), passedBy: null });
  });

  it('a mark is what the table holds: one of another generation marks nothing, and one that did not move writes none', async () => {
    const live = await scene.live();
    await scene.publish(accountsIn(0, 2));
    const [checkpoint] = await scene.feed(live);
    await record(live, false);
    await live.recordAsOf([{ checkpoint: { ...checkpoint!, generation: 7 }, asOfMs: 5_000, moved: true }]);
    expect(await marks()).toEqual([]);
    expect((await there.store.query<{ as_of: Date | null }>(`select as_of from ${scene.name}.checkpoint where partition = 0`)).rows).toEqual([{ as_of: null }]);
    await live.recordAsOf([{ checkpoint: { ...checkpoint!, nextOffset: 99 }, asOfMs: 5_000, moved: true }]); // the control; what the caller believes of the offset does not count
    expect(await marks()).toEqual(['0:2']);
    expect((await there.store.query<{ as_of: Date | null }>(`select as_of from ${scene.name}.checkpoint where partition = 0`)).rows).toEqual([{ as_of: new Date(5_000) }]);
  });

  it('other code makes it outdated; of several versions one has to fit', async () => {
    await scene.live();
    const newer = accounts(scene.topic, { name: scene.name, version: 2 });
    expect(await at(0, 0, [newer])).toMatchObject([{ version: 1, outdated: true }]);
    expect(await at(0, 0, [newer, scene.projection])).toMatchObject([{ version: 1, outdated: false }]);
  });

  it('a dead letter, the facts behind it, and what was given up', async () => {
    const live = await scene.live();
    const [first, ...rest] = numbered([step(keyIn(0, scene.partitions, 0), 'Opened'), step(keyIn(0, scene.partitions, 0), 'Paid'), step(keyIn(0, scene.partitions, 0), 'Paid'), step(keyIn(0, scene.partitions, 1), 'Opened')]);
    await scene.publish([first!, { ...rest[0]!, sequence: 5 }, { ...rest[1]!, sequence: 6 }, rest[2]!]);
    await scene.feed(live);
    expect((await at(0))[0]!.reached).toMatchObject({ letter: null, failed: null });
    expect((await at(1))[0]!.reached).toMatchObject({ letter: { offset: 1, code: 'fact.sequence-gap' }, failed: { offset: 1 } });
    expect((await at(2))[0]!.reached).toMatchObject({ letter: { offset: 2, code: null }, failed: { offset: 1, code: 'fact.sequence-gap' } });
    expect((await at(3))[0]!.reached).toMatchObject({ letter: null, nextOffset: 4 });
    await new DeadLetters(scene.projection, there.store, new FactDecoder(scene.projection.facts, writers), scene.log).purge({ all: true }, { reason: 'not ours', by: 'lea' });
    expect(await at(2)).toMatchObject([{ purged: { by: 'lea', reason: 'not ours', at: expect.any(Date) }, reached: { letter: null } }]);
  });

  it('of tables that an earlier version made, which kept no marks', async () => {
    const live = await scene.live();
    await scene.publish(accountsIn(0, 1));
    await scene.feed(live);
    await there.store.query(`drop table ${scene.name}.progress_mark`);
    expect((await at(0))[0]!.reached).toMatchObject({ nextOffset: 1, notYetAt: null, passedBy: null });
    await live.prepare(); // what the next start does
    await record(live);
    expect((await at(0))[0]!.reached).toMatchObject({ passedBy: expect.any(Date) });
  });
});
