import kafkajs from 'kafkajs';
import { migrateOutbox } from 'factline/outbox';
import { until } from 'factline/testing';
import { accounts, expected, keyIn, numbered, paid, recordOf, schemaIdOfKind, step, withDuplicates } from './accounts.spec.support.js';
import { type Scene, type Site, lastSequences, site } from './site.spec.support.js';
import { type RebuildProgress, projection } from './index.js';
import { connect } from './rebuild/connections.js';

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

const keys = Array.from({ length: 30 }, (_, i) => `k-${i}`);
const some = () => numbered([...keys.map((key, i) => step(key, 'Opened', i)), ...keys.flatMap((key, i) => [step(key, 'Paid', i), step(key, i % 7 ? 'Renamed' : 'Closed', 0, `n ${i}\t`)])]);
const kafka = () => new kafkajs.Kafka({ brokers: [...there.at.kafka], clientId: there.at.name, logLevel: kafkajs.logLevel.NOTHING });
const connectionsOf = () => ({ databaseUrl: there.url, kafka: { brokers: there.at.kafka }, registryUrl: there.at.registryUrl });
/** Facts of a partition before `offset` are gone, as after retention. */
const removeBefore = async (partition: number, offset: number) => {
  const admin = kafka().admin();
  await admin.connect();
  await admin.fetchTopicOffsets(scene.topic); // loads the metadata that the next call needs
  await admin.deleteTopicRecords({ topic: scene.topic, partitions: [{ partition, offset: String(offset) }] });
  await admin.disconnect();
};

describe('a rebuild', () => {
  it('stages, verifies, swaps, rolls back and drops, while the model is fed and read without an error or an empty answer', async () => {
    await scene.publish(withDuplicates(some(), [[3, 4], [50, 10]]));
    const subscription = scene.subscribe(await scene.live());
    await scene.settled(subscription);
    const { restarts } = subscription.status.counts; // a broker that has just started is asked twice for the group's coordinator
    const reading = new AbortController();
    const counts: number[] = [];
    const readers = Array.from({ length: 4 }, async () => {
      while (!reading.signal.aborted) {
        const { rows } = await there.store.query<{ count: number }>(`select count(*)::integer as count from ${scene.name}.${scene.name}`, [], `count_${scene.name}`);
        counts.push(rows[0]!.count);
      }
    });
    const rebuild = await scene.rebuild();
    expect(await rebuild.preflight()).toMatchObject({ plan: { generation: 2, topic: scene.topic, facts: scene.history.length + 2 } });
    expect(await rebuild.stage()).toMatchObject({ rows: expected(scene.history).size, facts: scene.history.length + 2, resumed: 0 });
    await scene.publish(numbered([step('k-1', 'Paid', 5), step('k-2', 'Paid', 6)], lastSequences(scene.history)));
    await scene.settled(subscription);
    expect(await rebuild.verify()).toMatchObject({ equal: true, liveRows: expected(scene.history).size, rebuiltRows: expected(scene.history).size, differences: [] });
    expect(await rebuild.swap()).toMatchObject({ fromGeneration: 1, toGeneration: 2 });
    await scene.publish(numbered([step('k-1', 'Paid', 7), step('k-9', 'Paid', 8)], lastSequences(scene.history)));
    await scene.settled(subscription);
    expect(await rebuild.status()).toMatchObject({ live: { generation: 2, current: true }, previous: { generation: 1 }, staged: { phase: 'swapped' } });
    expect(await rebuild.rollback()).toMatchObject({ fromGeneration: 2, toGeneration: 3, behind: false });
    await scene.publish(numbered(keys.map((key) => step(key, 'Paid', 9)), lastSequences(scene.history)));
    await scene.settled(subscription);
    expect([await rebuild.drop('staged'), await rebuild.drop('staged'), await rebuild.drop('previous')]).toEqual([true, false, false]);
    reading.abort();
    await Promise.all(readers);
    expect(Math.min(...counts)).toBe(expected(scene.history).size);
    expect(subscription.status.counts.restarts).toBe(restarts);
  });

  it('of a model that nothing is live of becomes the live one', async () => {
    await scene.publish(some());
    const rebuild = await scene.rebuild();
    await rebuild.stage();
    await expect(rebuild.verify()).rejects.toMatchObject({ code: 'rebuild.nothing-live' });
    expect(await rebuild.swap()).toMatchObject({ fromGeneration: 0, toGeneration: 1 });
    expect(await scene.rows()).toEqual(expected(scene.history));
    await scene.publish(numbered([step('k-1', 'Paid', 5)], lastSequences(scene.history)));
    await scene.settled(scene.subscribe(await scene.live()));
  });

  it('knows what was deleted: a late duplicate does not bring it back in the new generation either', async () => {
    const history = numbered([step('a', 'Opened'), step('b', 'Opened'), step('a', 'Closed')]);
    await scene.publish(history);
    await scene.feed(await scene.live());
    const rebuild = await scene.rebuild();
    await rebuild.stage();
    await rebuild.swap();
    expect(await scene.deletions()).toEqual(new Map([['a', 2]]));
    await scene.publish(history.slice(0, 1));
    await scene.feed(await scene.live());
    expect(await scene.rows()).toEqual(expected(history));
  });

  it('C17: goes on where it was interrupted, and does the rest only', async () => {
    const interrupt = new AbortController();
    const folded: number[] = [];
    const interrupted = accounts(scene.topic, {
      name: scene.name,
      onFold: (key) => {
        folded.push(scene.partitionOf(key));
        if (scene.partitionOf(key) === 2) interrupt.abort(new Error('interrupted'));
      },
    });
    await scene.publish(some());
    await expect((await scene.rebuild({ projection: interrupted, abort: interrupt.signal })).stage()).rejects.toThrow('interrupted');
    await scene.close();
    expect((await there.store.query(`select from ${scene.name}_next.checkpoint`)).rowCount).toBe(2);
    folded.length = 0;
    await scene.publish(numbered([step('k-1', 'Paid', 5)], lastSequences(scene.history)));
    const rebuild = await scene.rebuild({ projection: interrupted });
    expect(await rebuild.stage()).toMatchObject({ resumed: 2, rows: [...expected(scene.history).keys()].filter((key) => scene.partitionOf(key) === 2).length });
    expect(new Set(folded)).toEqual(new Set([2]));
    expect(await scene.rows(`${scene.name}_next`)).toEqual(expected(scene.history));
    expect(await rebuild.stage()).toMatchObject({ resumed: 3, rows: 0, factsPerSecond: 0 });
    expect(await scene.rows(`${scene.name}_next`)).toEqual(expected(scene.history));
  });

  it('starts anew when the code changed since it was interrupted', async () => {
    await scene.publish(some());
    await (await scene.rebuild()).stage();
    await scene.close();
    const newer = accounts(scene.topic, { name: scene.name, version: 2 });
    expect(await (await scene.rebuild({ projection: newer })).stage()).toMatchObject({ resumed: 0, plan: { version: 2 } });
  });

  it.each([1, 3, 7])('in several passes, with %d rows in memory, gives the same table', async (rowsInMemory) => {
    await scene.publish(some());
    const rebuild = await scene.rebuild({ rowsInMemory });
    expect(await rebuild.stage()).toMatchObject({ rows: expected(scene.history).size });
    expect(await scene.rows(`${scene.name}_next`)).toEqual(expected(scene.history));
    await scene.feed(await scene.live());
    expect(await rebuild.verify()).toMatchObject({ equal: true });
  });

  it('that does not fit in the most passes says so, and leaves nothing loaded', async () => {
    await scene.publish(some());
    await expect((await scene.rebuild({ rowsInMemory: 0 })).stage()).rejects.toMatchObject({ code: 'rebuild.memory' });
    expect((await scene.rows(`${scene.name}_next`)).size).toBe(0);
  });

  it('C19: steps over the offsets of aborted transactions: they are no gap', async () => {
    const key = keyIn(0, 3);
    const facts = numbered([step(key, 'Opened'), step(key, 'Paid', 2), step(key, 'Paid', 3)]);
    const producer = kafka().producer({ transactionalId: scene.name, maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    for (const fact of facts) {
      for (const end of ['abort', 'commit'] as const) {
        const transaction = await producer.transaction();
        await transaction.send({ topic: scene.topic, messages: [{ ...recordOf(fact), partition: 0 }] });
        await transaction[end]();
      }
      scene.history.push(fact);
    }
    await producer.disconnect();
    const subscription = scene.subscribe(await scene.live());
    await scene.settled(subscription);
    const rebuild = await scene.rebuild();
    await rebuild.stage();
    expect(await scene.rows(`${scene.name}_next`)).toEqual(expected(facts));
    expect(await rebuild.verify()).toMatchObject({ equal: true });
    await rebuild.swap();
    await scene.publish(numbered([step(key, 'Paid', 4)], lastSequences(facts)));
    await scene.settled(subscription);
  });
});

describe('a history that is not whole is refused', () => {
  it('when the log does not begin at zero', async () => {
    await scene.publish(some());
    await removeBefore(1, 2);
    const rebuild = await scene.rebuild();
    const expectedError = { code: 'rebuild.history-incomplete', kind: 'integrity', message: expect.stringContaining('partition 1 starts at offset 2') };
    await expect(rebuild.preflight()).rejects.toMatchObject(expectedError);
    await expect(rebuild.stage()).rejects.toMatchObject(expectedError);
    expect((await rebuild.status()).staged).toBeUndefined();
  });

  it('when the topic is another one than the live model was fed from', async () => {
    await scene.publish(some());
    await scene.feed(await scene.live());
    await scene.log.deleteTopics([scene.topic]);
    await scene.log.createTopics([{ name: scene.topic, partitions: 3 }]);
    await expect((await scene.rebuild()).stage()).rejects.toMatchObject({ code: 'rebuild.history-incomplete', message: expect.stringContaining('deleted and created again') });
  });

  it('B11: when a fact of a key is missing, as after compaction', async () => {
    await scene.publish(some().filter(({ key, sequence }) => key !== 'k-4' || sequence !== 2));
    await expect((await scene.rebuild()).stage()).rejects.toMatchObject({ code: 'fact.sequence-gap', kind: 'integrity', details: { expected: 2, sequence: 3 } });
  });
});

describe('a fact that cannot be folded', () => {
  it('blocks its key in the staged build as well, and is told', async () => {
    await scene.publish(some());
    await scene.publishRaw(0, [{ key: Buffer.from('x'), value: Buffer.from('{"not":"a fact", "but": "long enough"}') }]);
    await scene.publish(numbered(Array.from({ length: 40 }, () => step(keyIn(0, 3), 'Audited')))); // its partition is the one that the estimate is made from
    const rebuild = await scene.rebuild();
    expect(await rebuild.preflight()).toMatchObject({ estimateMs: expect.any(Number) as number });
    expect(await rebuild.stage()).toMatchObject({ blockedKeys: 1 });
    expect(await scene.rows(`${scene.name}_next`)).toEqual(expected(scene.history));
  });
});

describe('what a rebuild refuses', () => {
  it('a second one of the same projection at a time, and says who holds it', async () => {
    await scene.publish(some());
    const first = await scene.rebuild();
    await first.stage();
    const second = await scene.rebuild();
    const { rows } = await there.store.query<{ pid: number }>("select pid from pg_locks where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())");
    expect(rows).toHaveLength(1);
    for (const attempt of [() => second.stage(), () => second.verify(), () => second.swap(), () => second.rollback(), () => second.drop('staged'), () => second.rebuildKey('k-1')]) {
      await expect(attempt()).rejects.toMatchObject({ code: 'rebuild.running', kind: 'conflict', message: expect.stringContaining(`session ${rows[0]!.pid}, factline replay`) });
    }
    expect(await second.status()).toMatchObject({ staged: { phase: 'staged' } });
    await first.close();
    await until('the lock is given back', () => second.drop('staged').catch(() => false));
  });

  it('steps without what they need', async () => {
    await scene.publish(some());
    await scene.feed(await scene.live());
    const rebuild = await scene.rebuild();
    await expect(rebuild.verify()).rejects.toMatchObject({ code: 'rebuild.nothing-staged', advice: expect.stringContaining(`factline replay stage ${scene.name}`) });
    await expect(rebuild.swap()).rejects.toMatchObject({ code: 'rebuild.nothing-staged' });
    await expect(rebuild.rollback()).rejects.toMatchObject({ code: 'rebuild.nothing-previous' });
    await rebuild.stage();
    await rebuild.swap();
    await expect(rebuild.swap()).rejects.toMatchObject({ code: 'rebuild.nothing-staged' });
    await rebuild.stage();
    await expect(rebuild.rollback()).rejects.toMatchObject({ code: 'rebuild.staged-exists', advice: expect.stringContaining('--staged') });
  });

  it('a projection of several topics, before anything is opened', async () => {
    const several = projection({ name: scene.name, version: 1, key: 'id', columns: { id: 'text' } }).on(paid('a'), () => null).on({ ...paid('b'), factName: 'other' }, () => null);
    await expect(scene.rebuild({ projection: several })).rejects.toMatchObject({ code: 'projection.several-topics' });
  });

  it('a topic that does not exist', async () => {
    const nowhere = accounts(`${there.at.name}.nowhere`, { name: scene.name });
    await expect((await scene.rebuild({ projection: nowhere })).stage()).rejects.toMatchObject({ code: 'log.topic-unknown' });
  });

  it('a database without the shared tables, and leaves no connection behind', async () => {
    const databaseUrl = await there.at.database('bare');
    const name = new URL(databaseUrl).pathname.slice(1);
    await there.store.query(`create role factline_replay_${name}`);
    await expect(scene.rebuild({ connections: { ...connectionsOf(), databaseUrl } })).rejects.toMatchObject({ code: 'store.table-unknown', advice: expect.stringContaining('migrate') });
    await until('no connection is left', async () => (await there.store.query('select from pg_stat_activity where datname = $1', [name])).rowCount === 0, 5_000);
    await expect(scene.rebuild({ connections: { ...connectionsOf(), databaseUrl: databaseUrl.replace(name, 'no_such_database') } })).rejects.toMatchObject({ code: 'store.database-unknown' });
  });
});

describe('progress', () => {
  it('is told and written, from nothing to all, with the rate and each partition', async () => {
    await scene.publish(some());
    const told: RebuildProgress[] = [];
    const rebuild = await scene.rebuild({ onProgress: (progress) => told.push(progress) });
    await rebuild.stage();
    const all = scene.history.length;
    expect(told[0]).toMatchObject({ phase: 'stage', facts: 0, totalFacts: all, etaMs: null });
    expect(told.at(-1)).toMatchObject({ facts: all, totalFacts: all, etaMs: 0, factsPerSecond: expect.any(Number) });
    expect(told.at(-1)!.partitions.every(({ offset, end }) => offset === end)).toBe(true);
    expect((await (await scene.rebuild()).status()).staged).toMatchObject({ phase: 'staged', progress: { facts: all }, alive: false });
  });

  it('that cannot be told ends the rebuild, unless something else failed before', async () => {
    await scene.publish(some());
    const onProgress = () => {
      throw new RangeError('the terminal is gone');
    };
    await expect((await scene.rebuild({ onProgress })).stage()).rejects.toThrow('the terminal is gone');
    await scene.close();
    await there.store.query(`drop schema ${scene.name}_next cascade; delete from factline.rebuild`);
    await scene.publish(numbered([step('k-1', 'Paid')], new Map([['k-1', 90]])));
    await expect((await scene.rebuild({ onProgress })).stage()).rejects.toMatchObject({ code: 'fact.sequence-gap' });
  });
});

describe('side effects', () => {
  it('are impossible: the connections of a rebuild may not state facts', async () => {
    await migrateOutbox(there.store);
    const value = recordOf(numbered([step('a', 'Opened')])[0]!).value;
    const state = "select factline.outbox_add('t', 'k', $1, null)";
    const connected = await connect(connectionsOf(), 'spec');
    try {
      await expect(connected.store.query(state, [value])).rejects.toMatchObject({ code: 'store.forbidden' });
      await expect(connected.store.query("insert into factline.outbox_0 (sequence, topic, key, value) values (1, 't', 'k', $1)", [value])).rejects.toMatchObject({ code: 'store.forbidden' });
      const session = await connected.store.session();
      await expect(session.query(state, [value])).rejects.toMatchObject({ code: 'store.forbidden' });
      await session.close();
      expect(Object.keys(connected)).not.toContain('publisher');
    } finally {
      await connected.close();
    }
    expect((await there.store.query(state, [value])).rowCount).toBe(1); // control: the app itself may
  });

  it('on consumer groups are none: the live group’s offsets and members stay', async () => {
    await scene.publish(some());
    const subscription = scene.subscribe(await scene.live());
    await scene.settled(subscription);
    const { rebalances, restarts } = subscription.status.counts;
    await (await scene.rebuild()).stage();
    expect(subscription.status.counts).toMatchObject({ rebalances, restarts });
  });
});

it('the made-up schema ids of these specs are far from real ones', () => expect(schemaIdOfKind('Opened')).toBe(2_000_000_000));
