import { until } from 'factline/testing';
import { accounts, closed, expected, keyIn, numbered, opened, paid, step } from './accounts.spec.support.js';
import { type Scene, type Site, lastSequences, site, waitingSession } from './site.spec.support.js';
import { projection } from './index.js';

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

const some = () => numbered(Array.from({ length: 12 }, (_, i) => step(`k-${i}`, 'Opened', i)).concat(Array.from({ length: 24 }, (_, i) => step(`k-${i % 12}`, 'Paid', i))));
const more = (kind: 'Paid' | 'Renamed' = 'Paid') => numbered(Array.from({ length: 6 }, (_, i) => step(`k-${i}`, kind, 100, 'Grace')), lastSequences(scene.history));

describe('the swap race: a live commit waits on the checkpoint while a swap is under way', () => {
  /** Facts staged and, of partition 0, one batch that the live build has not applied yet. */
  const raced = async () => {
    await scene.publish(some());
    const live = await scene.live();
    await scene.feed(live);
    const [checkpoint] = await scene.claim(live);
    const rebuild = await scene.rebuild();
    await rebuild.stage();
    const key = keyIn(0, 3);
    const [first, second] = numbered([step(key, 'Opened', 5), step(key, 'Paid', 5)]);
    await scene.publish([first!]);
    const late = await scene.read(0, checkpoint!.nextOffset);
    await scene.publish([second!]);
    return { live, rebuild, checkpoint: checkpoint!, late: { records: late, nextOffset: late.at(-1)!.offset + 1 } };
  };

  it('C18: is fenced: the old build is left, the new one untouched', async () => {
    const { live, rebuild, checkpoint, late } = await raced();
    const holder = await there.store.session();
    await holder.query('begin');
    await holder.query(`select from ${scene.name}_next.about for update`); // the swap has retired and renamed when it waits for this
    const swapping = rebuild.swap();
    await waitingSession(there.store, /\.about set generation/);
    const applying = live.apply(checkpoint, late);
    await waitingSession(there.store, /with moved as/);
    await holder.query('rollback');
    await holder.close();
    expect(await swapping).toMatchObject({ fromGeneration: 1, toGeneration: 2 });
    expect(await applying).toBe('fenced');
    expect(await scene.rows()).toEqual(expected(scene.history));
    expect(await scene.checkpoint(0, `${scene.name}_previous`)).toMatchObject({ generation: -1, next_offset: String(checkpoint.nextOffset) });
    await scene.feed(live);
    expect(await scene.rows()).toEqual(expected(scene.history));
  });

  it('control: locking the checkpoint instead of retiring it lets a late commit overwrite newer rows of the new build', async () => {
    const { rebuild, checkpoint, late } = await raced();
    await rebuild.stage(); // at the live position
    const swap = await there.store.session();
    const consumer = await there.store.session();
    // the new build is at the end of the log, as the real swap brings it there
    await scene.feed(await scene.live(accounts(scene.topic, { name: `${scene.name}_copy` })));
    await swap.query(`truncate ${scene.name}_next.${scene.name}`);
    await swap.query(`insert into ${scene.name}_next.${scene.name} select * from ${scene.name}_copy.${scene.name}_copy`);
    expect(await scene.rows(`${scene.name}_next`)).toEqual(expected(scene.history));

    await swap.query('begin');
    await swap.query(`select from ${scene.name}.checkpoint for update`);
    await swap.query(`alter schema ${scene.name} rename to ${scene.name}_previous`);
    await swap.query(`alter schema ${scene.name}_next rename to ${scene.name}`);
    await consumer.query('begin');
    const advance = `update ${scene.name}.checkpoint set next_offset = $2 where partition = 0 and next_offset = $1 and generation = 1`;
    const advancing = consumer.query(advance, [checkpoint.nextOffset, late.nextOffset]);
    await waitingSession(there.store, /set next_offset/);
    await swap.query('commit');
    expect((await advancing).rowCount).toBe(1); // the old checkpoint, found by its identity
    const { key } = late.records[0]!;
    await consumer.query(`update ${scene.name}.${scene.name} set balance = 5, payments = 0 where account_id = $1`, [key.toString()]); // the new table, found by its name
    await consumer.query('commit');
    await Promise.all([swap.close(), consumer.close()]);
    expect(await scene.rows()).not.toEqual(expected(scene.history));
  });

  it('a live model that moved on while the swap waited is caught up with first: no reader sees it go back', async () => {
    const { live, rebuild, checkpoint } = await raced();
    const [, other] = await scene.claim(live);
    const holder = await there.store.session();
    await holder.query('begin');
    await holder.query(`select from ${scene.name}.checkpoint where partition = $1 for update`, [checkpoint.partition]);
    const swapping = rebuild.swap();
    await waitingSession(there.store, /generation = -abs/);
    await scene.publish(numbered([step(keyIn(1, 3, 1), 'Opened', 3)]));
    const records = await scene.read(1, other!.nextOffset);
    expect(await live.apply(other!, { records, nextOffset: records.at(-1)!.offset + 1 })).not.toBe('fenced');
    await holder.query('rollback');
    await holder.close();
    await swapping;
    expect(await scene.rows()).toEqual(expected(scene.history));
  });

  it('a swap that does not get the checkpoint in two seconds lets go, tries again, and changes nothing until it does', async () => {
    const { rebuild } = await raced();
    const holder = await there.store.session();
    await holder.query('begin');
    await holder.query(`select from ${scene.name}.checkpoint for update`);
    const swapping = rebuild.swap();
    await waitingSession(there.store, /generation = -abs/);
    await until('it let go', async () => (await there.store.query("select from pg_stat_activity where query like '%generation = -abs%' and wait_event_type = 'Lock'")).rowCount === 0);
    expect(await (await scene.rebuild()).status()).toMatchObject({ live: { generation: 1 }, staged: { phase: 'staged' } });
    await waitingSession(there.store, /generation = -abs/);
    await holder.query('rollback');
    await holder.close();
    const swapped = await swapping;
    expect(swapped).toMatchObject({ toGeneration: 2 });
    expect(swapped.attempts).toBeGreaterThanOrEqual(2);
    expect(await scene.rows()).toEqual(expected(scene.history));
  });
});

describe('drift', () => {
  const byHand = async () => {
    await there.store.query(`update ${scene.name}.${scene.name} set balance = 999999, note = 'by hand' where account_id = 'k-3'`);
    await there.store.query(`delete from ${scene.name}.${scene.name} where account_id = 'k-4'`);
  };

  it('is found with key, columns and both values, and repaired key by key while a consumer that remembers the wrong rows goes on', async () => {
    await scene.publish(some());
    await scene.feed(await scene.live());
    await byHand();
    const subscription = scene.subscribe(await scene.live());
    await scene.publish(more());
    await scene.caughtUp(subscription);
    const rebuild = await scene.rebuild();
    await rebuild.stage();
    const [k3, k4] = [expected(scene.history).get('k-3')!, expected(scene.history).get('k-4')!];
    const found = await rebuild.verify();
    expect(found).toMatchObject({ equal: false, liveRows: 11, rebuiltRows: 12, differingBuckets: 2 });
    expect([...found.differences].toSorted((a, b) => (a.key < b.key ? -1 : 1))).toEqual([
      { key: 'k-3', live: { ...k3, balance: 999_999 + 100, note: 'by hand' }, rebuilt: k3, columns: ['balance', 'note'] },
      { key: 'k-4', live: null, rebuilt: k4, columns: Object.keys(k4) },
    ]);
    expect(await rebuild.rebuildKey('k-3')).toMatchObject({ outcome: 'written', facts: 4 });
    expect(await rebuild.rebuildKey('k-4')).toMatchObject({ outcome: 'written' });
    expect(await rebuild.rebuildKey('k-5')).toMatchObject({ outcome: 'unchanged' });
    expect(await rebuild.rebuildKey('k-unknown')).toMatchObject({ outcome: 'absent', facts: 0 });
    expect(await scene.rows()).toEqual(expected(scene.history));
    await scene.publish(more());
    await scene.settled(subscription);
    expect(await rebuild.verify()).toMatchObject({ equal: true, differences: [] });
  });

  it('control: a consumer that is not fenced by the repair writes the wrong row that it remembers back', async () => {
    await scene.publish(some());
    await scene.feed(await scene.live());
    await byHand();
    const live = await scene.live();
    const partition = scene.partitionOf('k-3');
    let checkpoint = (await scene.claim(live))[partition]!;
    const applyMore = async () => {
      await scene.publish(more());
      const records = await scene.read(partition, checkpoint.nextOffset);
      const applied = await live.apply(checkpoint, { records, nextOffset: records.at(-1)!.offset + 1 });
      if (applied !== 'fenced') checkpoint = applied;
      return applied;
    };
    await applyMore();
    await (await scene.rebuild()).rebuildKey('k-3');
    const right = expected(scene.history).get('k-3')!;
    expect((await scene.rows()).get('k-3')).toEqual(right);
    await there.store.query(`update ${scene.name}.checkpoint set epoch = epoch - 1 where partition = $1`, [partition]); // as if the repair had only locked it
    expect(await applyMore()).not.toBe('fenced');
    expect((await scene.rows()).get('k-3')).toMatchObject({ balance: 999_999 + 200 });
    expect(right.balance).toBeLessThan(999_999);
  });

  it('of one key cannot be repaired in a build of other code, or where nothing is live', async () => {
    await scene.publish(some());
    await expect((await scene.rebuild()).rebuildKey('k-1')).rejects.toMatchObject({ code: 'projection.outdated' });
    await scene.close();
    await scene.live();
    await expect((await scene.rebuild()).rebuildKey('k-1')).rejects.toMatchObject({ code: 'rebuild.nothing-live' });
    await scene.close();
    await scene.feed(await scene.live());
    const newer = await scene.rebuild({ projection: accounts(scene.topic, { name: scene.name, version: 2 }) });
    await expect(newer.rebuildKey('k-1')).rejects.toMatchObject({ code: 'projection.outdated', advice: expect.stringContaining('factline replay run') });
  });

  it('a deleted key is deleted again by its repair', async () => {
    await scene.publish(numbered([step('a', 'Opened'), step('a', 'Closed')]));
    await scene.feed(await scene.live());
    await there.store.query(`insert into ${scene.name}.${scene.name} (account_id, owner, balance, payments, factline_sequence) values ('a', 'ghost', 1, 1, 1)`);
    expect(await (await scene.rebuild()).rebuildKey('a')).toMatchObject({ outcome: 'deleted' });
    expect((await scene.rows()).size).toBe(0);
  });
});

describe('another version of the code', () => {
  /** Drops a column, adds one, and means something else by balance. */
  const second = () =>
    projection({ name: scene.name, version: 2, key: 'account_id', columns: { account_id: 'text', balance: 'bigint', times: 'integer' } })
      .on(opened(scene.topic), (_row, { key, data }) => ({ account_id: key, balance: 10 * data.cents, times: 1 }))
      .on(paid(scene.topic), (row, { data }) => row && { ...row, balance: row.balance + 10 * data.cents, times: row.times + 1 })
      .on(closed(scene.topic), () => null);
  const total = async () => (await there.store.query<{ total: number }>(`select sum(balance)::double precision as total from ${scene.name}.${scene.name}`)).rows[0]!.total;
  const cents = () => [...expected(scene.history).values()].reduce((sum, { balance }) => sum + balance, 0);

  it('waits as OUTDATED and serves; goes on by itself after the swap to it; the former version is OUTDATED then, and goes on after a roll-back', async () => {
    await scene.publish(some());
    const one = scene.subscribe(await scene.live());
    await scene.settled(one);
    const twoStore = there.at.store(there.url);
    const two = await scene.live(second(), twoStore);
    const other = scene.subscribe(two, undefined, `${scene.group}.2`);
    await until('version 2 waits', () => other.status.state === 'OUTDATED');
    expect(other.status.trouble).toMatchObject({ code: 'projection.outdated', advice: expect.stringContaining(`factline replay run ${scene.name}`) });
    expect(await total()).toBe(cents());
    const rebuild = await scene.rebuild({ projection: second() });
    await rebuild.stage();
    expect(await rebuild.verify()).toMatchObject({ equal: false });
    await rebuild.swap();
    await scene.publish(more());
    await until('version 1 is outdated', () => one.status.state === 'OUTDATED');
    await until('version 2 goes on', async () => other.status.state === 'LIVE' && (await total()) === 10 * cents());
    expect(await rebuild.rollback()).toMatchObject({ behind: true });
    await scene.publish(more());
    await scene.settled(one);
    await until('version 2 is outdated', () => other.status.state === 'OUTDATED');
  });
});

describe('what depends on the live tables', () => {
  it('views refuse the swap by name, since they would go on reading the old build', async () => {
    await scene.publish(some());
    await scene.feed(await scene.live());
    await there.store.query(`create view ${scene.name}_rich as select * from ${scene.name}.${scene.name} where balance > 1000`);
    const rebuild = await scene.rebuild();
    await rebuild.stage();
    await expect(rebuild.swap()).rejects.toMatchObject({ code: 'rebuild.views', kind: 'refused', message: expect.stringContaining(`${scene.name}_rich`) });
    await there.store.query(`drop view ${scene.name}_rich`);
    await rebuild.swap();
  });

  it('grants on the schema and the table survive swap and roll-back', async () => {
    const reader = `${there.at.name}_reader`;
    await there.store.query(`create role ${reader}`);
    try {
      await scene.publish(some());
      await scene.feed(await scene.live());
      await there.store.query(`grant usage on schema ${scene.name} to ${reader}; grant select on ${scene.name}.${scene.name} to ${reader}`);
      const rebuild = await scene.rebuild();
      const reads = () =>
        there.store.transaction(async (tx) => {
          await tx.query(`set local role ${reader}`);
          return (await tx.query(`select from ${scene.name}.${scene.name}`)).rowCount;
        });
      expect(await reads()).toBe(12);
      await rebuild.stage();
      await expect(there.store.transaction(async (tx) => {
        await tx.query(`set local role ${reader}`);
        await tx.query(`select from ${scene.name}_next.${scene.name}`);
      })).rejects.toMatchObject({ code: 'store.forbidden' }); // control: a build that is not live has no grants
      await rebuild.swap();
      expect(await reads()).toBe(12);
      await rebuild.rollback();
      expect(await reads()).toBe(12);
    } finally {
      await there.store.query(`drop owned by ${reader}; drop role ${reader}`);
    }
  });
});
