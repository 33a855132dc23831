import fc from 'fast-check';
import { FactDecoder } from 'factline/contracts';
import { until } from 'factline/testing';
import { BatchEngine } from './batch.js';
import { LiveProjection, projection } from './index.js';
import { Tables } from './tables.js';
import { expected, keyIn, numbered, opened, recordOf, someDuplicates, someSteps, step, withDuplicates, writers } from './accounts.spec.support.js';
import { type Scene, type Site, lastSequences, site, waitingSession } from './site.spec.support.js';

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

const some = () => numbered([...Array.from({ length: 12 }, (_, i) => step(`k-${i}`, 'Opened', i)), ...Array.from({ length: 24 }, (_, i) => step(`k-${i % 12}`, 'Paid', i)), step('k-3', 'Closed')]);
const workOf = (records: Awaited<ReturnType<Scene['read']>>) => ({ records, nextOffset: records.at(-1)!.offset + 1 });

describe('the live build', () => {
  it('equals an independent fold and a rebuild, for any history, any duplicates and any batches', async () => {
    await fc.assert(
      fc.asyncProperty(someSteps(120), someDuplicates, fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 }), async (steps, again, sizes) => {
        const run = await there.scene();
        const history = numbered(steps);
        await run.publish(withDuplicates(history, again));
        const live = await run.live();
        await run.feed(live, sizes);
        expect(await run.rows()).toEqual(expected(history));
        expect(live.engine.duplicates).toBe(again.length);
        const rebuild = await run.rebuild();
        await rebuild.stage();
        expect(await run.rows(`${run.name}_next`)).toEqual(expected(history));
        expect(await rebuild.verify()).toMatchObject({ equal: true, differences: [] });
        expect(await run.deletions(`${run.name}_next`)).toEqual(await run.deletions());
        await run.close();
      }),
      { numRuns: 6 },
    );
  });

  it('follows the log through its subscription, duplicates on the wire included', async () => {
    const history = some();
    await scene.publish(withDuplicates(history, [[3, 9], [20, 2], [0, 40]]));
    const subscription = scene.subscribe(await scene.live());
    await scene.settled(subscription);
    await scene.publish(numbered([step('k-3', 'Opened', 9), step('k-1', 'Renamed', 0, "O'Hara\t\\N")], lastSequences(history)));
    await scene.publish(history.slice(0, 5));
    await scene.settled(subscription);
  });

  it('drops a duplicate of a deleted key also when nothing of it is remembered in memory', async () => {
    const history = numbered([step('a', 'Opened'), step('a', 'Closed')]);
    await scene.publish(history);
    await scene.feed(await scene.live());
    await scene.publish(history.slice(0, 1));
    const restarted = await scene.live();
    await scene.feed(restarted);
    expect([restarted.engine.duplicates, (await scene.rows()).size]).toEqual([1, 0]);
  });

  it('is made once by processes that start together', async () => {
    const lives = await Promise.all(Array.from({ length: 6 }, () => scene.live()));
    expect(await Promise.all(lives.map((live) => live.generation()))).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it('stores and reads back every column type as the fold answered it', async () => {
    const cells = { t: 'ß\t"\\,{}', i: -(2 ** 31), b: 2 ** 53 - 1, d: 1e-300, o: false, day: '2026-02-28', at: '2026-11-21T10:00:00.123456Z', n: '12.50', j: { a: [1, null, 'x"\\'] }, none: null };
    const columns = { id: 'text', t: 'text', i: 'integer', b: 'bigint', d: 'double precision', o: 'boolean', day: 'date', at: 'timestamptz', n: 'numeric', j: 'jsonb', none: 'text null' } as const;
    const seen: unknown[] = [];
    const model = projection({ name: `${scene.name}_types`, version: 1, key: 'id', columns }).on(opened(scene.topic), (row, { key }) => {
      seen.push(row);
      return { id: key, ...cells };
    });
    const history = numbered([step('a', 'Opened'), step('a', 'Opened')]);
    await scene.publish(history.slice(0, 1));
    await scene.feed(await scene.live(model));
    await scene.publish(history.slice(1));
    await scene.feed(await scene.live(model));
    expect(seen).toEqual([null, { id: 'a', ...cells }]);
  });
});

describe('rows and checkpoint', () => {
  it('C1: commit together: a connection killed in the middle leaves neither, and applying again has the effect once', async () => {
    await scene.publish(some());
    const live = await scene.live();
    const [checkpoint] = await scene.claim(live);
    const records = await scene.read(0);
    const holder = await there.store.session();
    await holder.query('begin');
    await holder.query(`select from ${scene.name}.checkpoint where partition = 0 for update`);
    const applying = live.apply(checkpoint!, workOf(records)).catch((error: unknown) => error);
    const pid = await waitingSession(there.store, /with moved as/);
    await holder.query('select pg_terminate_backend($1)', [pid]);
    expect(await applying).toMatchObject({ code: 'store.unavailable', retry: true });
    await holder.query('rollback');
    await holder.close();
    expect([(await scene.rows()).size, (await scene.checkpoint(0)).next_offset]).toEqual([0, '0']);
    expect(await live.apply(checkpoint!, workOf(records))).toMatchObject({ nextOffset: records.length });
    await scene.feed(live);
    expect(await scene.rows()).toEqual(expected(scene.history));
  });

  it('stay together when connections are killed again and again while facts come', async () => {
    const store = scene.at.store(scene.url);
    const subscription = scene.subscribe(await scene.live(scene.projection, store));
    let last = new Map<string, number>();
    await scene.settled(subscription);
    const holder = await there.store.session();
    for (let round = 0; round < 6; round++) {
      const facts = numbered(Array.from({ length: 40 }, (_, i) => step(`k-${i % 8}`, round === 0 && i < 8 ? 'Opened' : 'Paid', i)), last);
      last = lastSequences(scene.history.concat(facts));
      await holder.query('begin');
      await holder.query(`select from ${scene.name}.checkpoint for update`);
      await scene.publish(facts);
      await holder.query('select pg_terminate_backend($1)', [await waitingSession(there.store, /with moved as/)]);
      await holder.query('rollback');
    }
    await holder.close();
    await scene.settled(subscription);
  });

  /** A former owner remembers the first facts; the owner applied all; the former one then applies the next few, as a process that was paused does. */
  const zombie = async (former: Pick<LiveProjection, 'apply'>) => {
    const [a, b] = [keyIn(0, 3), keyIn(0, 3, 1)];
    const history = numbered([step(a, 'Opened'), step(b, 'Opened'), step(a, 'Closed'), step(b, 'Paid'), step(a, 'Opened', 7), step(b, 'Paid', 9)]);
    await scene.publish(history.slice(0, 2));
    const [held] = await scene.feed(former, undefined, await scene.claim(await scene.live()));
    await scene.publish(history.slice(2));
    const late = await scene.read(0, held!.nextOffset);
    await scene.feed(await scene.live(scene.projection, there.at.store(there.url)));
    const before = await everything();
    expect(await scene.rows()).toEqual(expected(scene.history));
    return { before, outcome: await former.apply(held!, workOf(late.slice(0, 2))) };
  };
  const everything = async () => [await scene.rows(), (await there.store.query(`select * from ${scene.name}.gone order by key`)).rows, await scene.checkpoint(0)];

  it('C2: of a former owner are refused: nothing is written, deleted or moved', async () => {
    const { before, outcome } = await zombie(await scene.live());
    expect(outcome).toBe('fenced');
    expect(await everything()).toEqual(before);
  });

  it('C2: control: without the compare-and-set the former owner overwrites newer rows', async () => {
    const tables = new Tables(scene.projection, scene.name);
    const careless = tables.apply.replace(/and next_offset = \$3 and generation = \$4 and epoch = \$5/, 'and $3::bigint is not null and $4::integer is not null and $5::bigint is not null');
    expect(careless).not.toBe(tables.apply);
    const session = await there.store.session();
    const engine = new BatchEngine(scene.projection, Object.create(tables, { apply: { value: careless } }) as Tables, new FactDecoder(scene.projection.facts, writers), session);
    expect((await zombie(engine)).outcome).not.toBe('fenced');
    await session.close();
    expect(await scene.rows()).not.toEqual(expected(scene.history));
  });
});

describe('what cannot be applied', () => {
  it('D5: bytes that are no fact block their key, visibly; other keys of the partition go on', async () => {
    const bad = 1;
    const history = some();
    await scene.publish(history);
    await scene.publishRaw(bad, [{ key: Buffer.from(keyIn(bad, scene.partitions)), value: Buffer.from('{"not":"a fact", "but": "long enough"}') }]);
    const subscription = scene.subscribe(await scene.live());
    await until('the state', () => subscription.status.state === 'BLOCKED-KEYS');
    expect(subscription.status).toMatchObject({ lag: 0, blockedKeys: 1, trouble: { code: 'consumer.blocked-keys', advice: expect.stringContaining('factline dead-letters list') as string } });
    expect(await scene.rows()).toEqual(expected(scene.history));
  });

  it('a value that the database refuses blocks its key too', async () => {
    const model = projection({ name: `${scene.name}_int`, version: 1, key: 'id', columns: { id: 'text', n: 'integer' } }).on(opened(scene.topic), (_row, { key, data }) => ({ id: key, n: data.cents }));
    await scene.publish(numbered([step('a', 'Opened', 2 ** 40), step('b', 'Opened', 1), step('c', 'Opened', 2)]));
    const subscription = scene.subscribe(await scene.live(model));
    await until('the state', () => subscription.status.state === 'BLOCKED-KEYS');
    expect(subscription.status.blockedKeys).toBe(1);
    expect((await there.store.query(`select id from ${model.name}.${model.name} order by 1`)).rows).toEqual([{ id: 'b' }, { id: 'c' }]);
  });
});

describe('a build of other code', () => {
  it('is served and not continued: projection.outdated names the command', async () => {
    await scene.publish(some());
    await scene.feed(await scene.live());
    const rows = await scene.rows();
    const next = new LiveProjection(projection({ name: scene.name, version: 2, key: 'account_id', columns: { account_id: 'text' } }), there.store, new FactDecoder([], writers));
    await next.prepare();
    await expect(scene.claim(next)).rejects.toMatchObject({ code: 'projection.outdated', kind: 'conflict', advice: expect.stringContaining(`factline replay run ${scene.name}`) });
    expect(await scene.rows()).toEqual(rows);
  });
});

it('recordOf gives every fact its own id', () => {
  const [one] = numbered([step('a', 'Opened')]);
  expect(recordOf(one!).value.equals(recordOf(one!).value)).toBe(false);
});
