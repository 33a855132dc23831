import fc from 'fast-check';
import { readCheckpoints } from 'factline/consumer';
import { FactDecoder } from 'factline/contracts';
import { until } from 'factline/testing';
import { type Stated, accounts, expected, keyIn, numbered, recordOf, schemaIdOfKind, someDuplicates, someSteps, step, withDuplicates, writers } from './accounts.spec.support.js';
import { DeadLetters, type LiveProjection, type Projection, ReadModel } from './index.js';
import { BREAKER_KEYS } from './limits.js';
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

/** The accounts, with a fold that fails on some facts: `key/sequence`. Whatever is in the set, it is the same code. */
function failing(poison: ReadonlySet<string>, at: Scene = scene): Projection {
  const model = accounts(at.topic, { name: at.name });
  for (const [name, { fact, fold }] of model.folds) {
    model.folds.set(name, {
      fact,
      fold: (row, received) => {
        if (poison.has(`${received.key}/${received.meta.sequence}`)) throw new Error(`cannot fold ${received.key}/${received.meta.sequence}`);
        return fold(row, received);
      },
    });
  }
  return model;
}

const raise = (message: string): never => {
  throw new Error(message);
};

const lettersOf = (model: Projection, at: Scene = scene) => new DeadLetters(model, there.store, new FactDecoder(model.facts, writers), at.log);
const requeued = async (letters: DeadLetters, filter: Parameters<DeadLetters['requeue']>[0] = { all: true }, options?: Parameters<DeadLetters['requeue']>[1]) => {
  const done = [];
  for await (const each of letters.requeue(filter, options)) done.push(each);
  return done;
};
const kept = async (at: Scene = scene) => (await there.store.query<{ key: string; code: string | null }>(`select key, code from ${at.name}.dead_letter order by key, record_offset`)).rows;
const applied = (history: readonly Stated[], poison: ReadonlySet<string>): Stated[] => {
  const blocked = new Set<string>();
  return history.filter(({ key, kind, sequence }) => {
    if (kind !== 'Audited' && poison.has(`${key}/${sequence}`)) blocked.add(key);
    return !blocked.has(key);
  });
};

describe('a fact that cannot be applied', () => {
  it('C7: blocks its key and nothing else, for any history, duplicates and batches; repaired, it is as if it had never failed', async () => {
    await fc.assert(
      fc.asyncProperty(someSteps(60), someDuplicates, fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 4 }), fc.array(fc.nat(1_000), { minLength: 1, maxLength: 3 }), async (steps, again, sizes, bad) => {
        const run = await there.scene();
        const history = numbered(steps);
        const poison = new Set(bad.map((at) => history[at % history.length]!).map(({ key, sequence }) => `${key}/${sequence}`));
        await run.publish(withDuplicates(history, again));
        const model = failing(poison, run);
        await run.feed(await run.live(model), sizes);
        expect(await run.rows()).toEqual(expected(applied(history, poison)));
        const { facts } = await lettersOf(model, run).list({ all: true });
        expect(facts > 0).toBe(applied(history, poison).length < history.length);
        const left = await requeued(lettersOf(failing(new Set(), run), run));
        expect(left.every(({ waiting }) => waiting === 0)).toBe(true);
        expect(await run.rows()).toEqual(expected(history));
        expect(await kept(run)).toEqual([]);
        await run.close();
      }),
      { numRuns: 8 },
    );
  });

  it('control: facts that did not wait behind it would make another row', () => {
    const history = numbered([step('a', 'Opened', 10), step('a', 'Paid', 5), step('a', 'Renamed', 0, 'Eve'), step('a', 'Paid', 1)]);
    const overtaken = history.filter(({ sequence }) => sequence !== 2);
    expect(expected(overtaken)).not.toEqual(expected(applied(history, new Set(['a/2']))));
  });

  it('is kept with its reason and without its value; later facts of its key wait with none', async () => {
    await scene.publish(numbered([step('a', 'Opened'), step('a', 'Paid', 7, 'SECRET'), step('a', 'Renamed', 0, 'SECRET'), step('b', 'Opened')]));
    const model = failing(new Set(['a/2']));
    await scene.feed(await scene.live(model));
    expect(await kept()).toEqual([{ key: 'a', code: 'projection.fold-failed' }, { key: 'a', code: null }]);
    const { rows } = await there.store.query<{ text: string }>(`select d::text as text from ${scene.name}.dead_letter d`);
    expect(JSON.stringify(rows)).not.toContain('SECRET');
    expect(JSON.stringify(rows)).toContain('cannot fold a/2');
    expect(await lettersOf(model).read('a')).toMatchObject([{ letter: { code: 'projection.fold-failed', seen: 1 }, fact: { name: 'spec.Paid', data: { cents: 7 } } }, { letter: { code: null }, fact: { name: 'spec.Renamed' } }]);
  });

  it('C11: commits with the checkpoint: a connection killed in the middle leaves neither', async () => {
    const key = keyIn(0, 3);
    await scene.publish(numbered([step(key, 'Opened'), step(key, 'Paid')]));
    const live = await scene.live(failing(new Set([`${key}/2`])));
    const [checkpoint] = await scene.claim(live);
    const records = await scene.read(0);
    const holder = await there.store.session();
    await holder.query('begin');
    await holder.query(`lock table ${scene.name}.dead_letter in exclusive mode`);
    const applying = live.apply(checkpoint!, { records, nextOffset: records.length }).catch((error: unknown) => error);
    await holder.query('select pg_terminate_backend($1)', [await waitingSession(there.store, /insert into .*dead_letter/)]);
    expect(await applying).toMatchObject({ code: 'store.unavailable', retry: true });
    await holder.query('rollback');
    await holder.close();
    expect([(await scene.checkpoint(0)).next_offset, await kept(), (await scene.rows()).size]).toEqual(['0', [], 0]);
    await live.apply(checkpoint!, { records, nextOffset: records.length });
    expect([(await scene.checkpoint(0)).next_offset, (await kept()).length, (await scene.rows()).size]).toEqual(['2', 1, 1]);
  });

  it('of a former owner is not parked', async () => {
    const key = keyIn(0, 3);
    await scene.publish(numbered([step(key, 'Opened'), step(key, 'Paid')]));
    const former = await scene.live(failing(new Set([`${key}/2`])));
    const [held] = await scene.claim(former);
    await scene.claim(await scene.live(failing(new Set())));
    const records = await scene.read(0);
    expect(await former.apply(held!, { records, nextOffset: records.length })).toBe('fenced');
    expect(await kept()).toEqual([]);
  });

  it('C8: more than ten different keys that fail are the software: the partition halts, and nothing is parked', async () => {
    const keys = Array.from({ length: BREAKER_KEYS + 1 }, (_, nth) => keyIn(0, 3, nth));
    await scene.publish(numbered(keys.map((key) => step(key, 'Opened'))));
    const subscription = scene.subscribe(await scene.live(failing(new Set(keys.map((key) => `${key}/1`)))));
    await until('the state', () => subscription.status.state === 'HALTED');
    expect(subscription.status.trouble).toMatchObject({ code: 'projection.breaker', reason: expect.stringContaining(`${BREAKER_KEYS + 1} different keys`) as string });
    expect(await kept()).toEqual([]);
    const control = await there.scene();
    await control.publish(numbered(keys.slice(1).map((key) => step(key, 'Opened'))));
    await control.feed(await control.live(failing(new Set(keys.map((key) => `${key}/1`)), control)));
    expect(await kept(control)).toHaveLength(BREAKER_KEYS);
    await control.close();
  });

  it('C14: a fact that is missing blocks its key; when it comes, requeueing applies both in the order of their sequences', async () => {
    const key = keyIn(0, 3);
    const history = numbered([step(key, 'Opened', 10), step(key, 'Renamed', 0, 'Eve'), step(key, 'Paid', 5)]);
    const [first, second, third] = history.map((each) => recordOf(each));
    await scene.publishRaw(0, [first!, third!, second!]);
    const live = await scene.live(failing(new Set()));
    await scene.feed(live);
    expect(await kept()).toEqual([{ key, code: 'fact.sequence-gap' }, { key, code: null }]);
    expect(await requeued(lettersOf(failing(new Set())))).toMatchObject([{ key, applied: 2, waiting: 0 }]);
    expect(await scene.rows()).toEqual(expected(history));
  });
});

describe('as of when an answer is', () => {
  it('stands where it stood before the first key was blocked, and goes on when none is', async () => {
    const model = failing(new Set(['a/2']));
    const live = await scene.live(model);
    const read = async () => {
      const { asOf, blockedKeys } = await new ReadModel(model, there.store).freshness();
      return [asOf, blockedKeys];
    };
    const stateAsOf = async (ms: number) => live.recordAsOf((await readCheckpoints(there.store, scene.name)).map((checkpoint) => ({ checkpoint, asOfMs: ms, moved: false })));
    await scene.publish(numbered([step('a', 'Opened')]));
    await scene.feed(live);
    await stateAsOf(1_000);
    expect(await read()).toEqual([new Date(1_000), 0]);
    await scene.publish(numbered([step('a', 'Paid'), step('b', 'Opened')], new Map([['a', 1]])));
    await scene.feed(live);
    await stateAsOf(5_000);
    expect(await read()).toEqual([new Date(1_000), 1]);
    await requeued(lettersOf(failing(new Set())));
    expect(await read()).toEqual([new Date(5_000), 0]);
  });
});

describe('requeueing', () => {
  const blockedAccount = async (): Promise<{ live: LiveProjection; history: Stated[] }> => {
    const history = numbered([step('a', 'Opened', 1), step('a', 'Paid', 2), step('a', 'Paid', 3), step('a', 'Renamed', 0, 'Eve'), step('b', 'Opened')]);
    await scene.publish(history);
    const live = await scene.live(failing(new Set(['a/2', 'a/4'])));
    await scene.feed(live);
    return { live, history };
  };

  it('goes up to the next fact that fails, and says why', async () => {
    const { history } = await blockedAccount();
    expect(await requeued(lettersOf(failing(new Set(['a/4']))), { key: 'a' })).toMatchObject([{ key: 'a', applied: 2, waiting: 1, code: 'projection.fold-failed', reason: expect.stringContaining('cannot fold a/4') as string }]);
    expect(await scene.rows()).toEqual(expected(applied(history, new Set(['a/4']))));
    expect(await kept()).toEqual([{ key: 'a', code: 'projection.fold-failed' }]);
  });

  it('keeps a reason that Postgres would refuse, without what it refuses', async () => {
    await blockedAccount();
    const model = failing(new Set());
    const nul = { ...model.folds.get('spec.Paid')! };
    model.folds.set('spec.Paid', { ...nul, fold: (row, received) => (received.meta.sequence === 2 ? raise('no\0good') : nul.fold(row, received)) });
    const fingerprint = failing(new Set()).fingerprint;
    Object.defineProperty(model, 'fingerprint', { value: fingerprint });
    expect(await requeued(lettersOf(model), { key: 'a' })).toMatchObject([{ applied: 0, waiting: 3 }]);
    expect((await there.store.query<{ reason: string }>(`select reason from ${scene.name}.dead_letter where code is not null`)).rows[0]!.reason).toContain('nogood');
  });

  it('asks for a filter; an empty one is refused', async () => {
    await blockedAccount();
    const letters = lettersOf(failing(new Set()));
    await expect(requeued(letters, {})).rejects.toMatchObject({ code: 'dead-letters.filter' });
    expect(await requeued(letters, { code: 'fact.undecodable' })).toEqual([]);
    expect(await requeued(letters, { code: 'projection.fold-failed' })).toMatchObject([{ key: 'a', waiting: 0 }]);
  });

  it('chooses by the schema that the failed fact was written with, and by code and schema of the same fact', async () => {
    await scene.publish(numbered([step('a', 'Opened'), step('a', 'Paid'), step('a', 'Renamed'), step('b', 'Opened'), step('c', 'Opened')]));
    await scene.feed(await scene.live(failing(new Set(['a/2', 'b/1']))));
    const letters = lettersOf(failing(new Set()));
    const written = async (filter: Parameters<DeadLetters['list']>[0]) => (await letters.list(filter)).letters.map(({ key, schemaId }) => `${key} ${schemaId}`).toSorted();
    expect(await written({ schemaId: schemaIdOfKind('Paid') })).toEqual([`a ${schemaIdOfKind('Paid')}`, `a ${schemaIdOfKind('Renamed')}`].toSorted());
    expect(await written({ schemaId: schemaIdOfKind('Opened'), code: 'projection.fold-failed' })).toEqual([`b ${schemaIdOfKind('Opened')}`]);
    expect(await written({ schemaId: schemaIdOfKind('Renamed') })).toEqual([]); // it waits, and did not fail
    expect(await written({ schemaId: schemaIdOfKind('Paid'), code: 'fact.undecodable' })).toEqual([]);
    expect(await requeued(letters, { schemaId: schemaIdOfKind('Paid') })).toMatchObject([{ key: 'a', waiting: 0 }]);
    expect(await written({ all: true })).toEqual([`b ${schemaIdOfKind('Opened')}`]);
  });

  it('knows no schema of what is no fact, nor of what an earlier version of this software parked', async () => {
    await scene.publish(numbered([step('a', 'Opened')]));
    const model = failing(new Set(['a/1']));
    const live = await scene.live(model);
    await scene.feed(live);
    await there.store.query(`alter table ${scene.name}.dead_letter drop column schema_id`);
    await live.prepare();
    expect((await lettersOf(model).list({ all: true })).letters).toMatchObject([{ key: 'a', schemaId: null }]);
  });

  it('is refused for code that did not make the live build', async () => {
    await blockedAccount();
    await expect(requeued(lettersOf(accounts(scene.topic, { name: scene.name, version: 2 })))).rejects.toMatchObject({ code: 'projection.outdated' });
  });

  it('while facts of the key keep coming loses none and doubles none', async () => {
    const poison = new Set(['k-1/2', 'k-2/3']);
    let last = new Map<string, number>();
    const more = async (count: number) => {
      const facts = numbered(Array.from({ length: count }, (_, i) => step(`k-${i % 4}`, last.size === 0 && i < 4 ? 'Opened' : 'Paid', i)), last);
      last = lastSequences([...scene.history, ...facts]);
      await scene.publish(facts);
    };
    await more(40);
    const subscription = scene.subscribe(await scene.live(failing(poison)));
    await until('two keys are blocked', async () => new Set((await kept()).map(({ key }) => key)).size === 2);
    const letters = lettersOf(failing(new Set()));
    for (let round = 0; round < 5; round++) {
      const coming = more(40);
      await requeued(letters);
      await coming;
      poison.add(`k-3/${last.get('k-3')! + 3}`);
    }
    await until('everything is read', () => subscription.status.lag === 0 && subscription.status.counts.facts >= scene.history.length);
    poison.clear();
    await requeued(letters);
    await scene.settled(subscription);
    expect(await kept()).toEqual([]);
  });

  it('tries one key first, and leaves the others alone when it fails again; so it does when too many fail', async () => {
    const keys = Array.from({ length: 8 }, (_, nth) => `k-${nth}`);
    await scene.publish(numbered(keys.map((key) => step(key, 'Opened'))));
    await scene.feed(await scene.live(failing(new Set(keys.map((key) => `${key}/1`)))));
    const blocked = async () => (await kept()).length;
    await expect(requeued(lettersOf(failing(new Set(keys.map((key) => `${key}/1`)))))).rejects.toMatchObject({ code: 'dead-letters.failing', details: { failed: 1, tried: 1, left: 7 } });
    expect(await blocked()).toBe(8);
    const order = (await there.store.query<{ key: string }>(`select key from ${scene.name}.dead_letter group by topic, partition, key order by min(parked_at), key`)).rows.map(({ key }) => key);
    const bad = failing(new Set(order.slice(2).map((key) => `${key}/1`)));
    await expect(requeued(lettersOf(bad), { all: true }, { stopAt: 0.4 })).rejects.toMatchObject({ code: 'dead-letters.failing', details: { failed: 2, tried: 4 } });
    expect(await blocked()).toBe(6);
    expect(await requeued(lettersOf(bad), { all: true }, { canary: 0, stopAt: 1 })).toHaveLength(6);
    expect(await requeued(lettersOf(failing(new Set())), { all: true }, { rate: 1_000 })).toHaveLength(6);
  });

  it('C10: by two at once is done by one of them', async () => {
    const { history } = await blockedAccount();
    const letters = lettersOf(failing(new Set()));
    const both = await Promise.all([requeued(letters), requeued(letters)]);
    expect(both.flat()).toHaveLength(1);
    expect(await scene.rows()).toEqual(expected(history));
  });
});

describe('giving up', () => {
  it('one fact that nobody will ever read lets the rest be applied, and is written down', async () => {
    const bad = keyIn(0, 3);
    await scene.publish(numbered([step(bad, 'Opened', 1)]));
    await scene.publishRaw(0, [{ key: Buffer.from(bad), value: Buffer.from('{"not":"a fact", "but": "long enough"}') }]);
    const history = numbered([step(bad, 'Paid', 2)], new Map([[bad, 1]]));
    await scene.publish(history);
    await scene.feed(await scene.live(failing(new Set())));
    expect(await kept()).toEqual([{ key: bad, code: 'fact.undecodable' }, { key: bad, code: null }]);
    const letters = lettersOf(failing(new Set()));
    expect(await letters.purge({ key: bad, offset: 1 }, { reason: 'it is no fact', by: 'spec' })).toEqual({ keys: 1, facts: 1 });
    expect(await requeued(letters)).toMatchObject([{ applied: 1, waiting: 0 }]);
    expect(await scene.rows()).toEqual(expected(scene.history));
    expect((await there.store.query('select key, offsets, reason, purged_by from factline.purged_dead_letter where projection = $1', [scene.name])).rows).toEqual([{ key: bad, offsets: ['1'], reason: 'it is no fact', purged_by: 'spec' }]);
  });

  it('a fact is left out by a rebuild as well, of all keys and of one: the two stay equal, and the sequence goes on behind it', async () => {
    const [bad, other] = [keyIn(0, 3), keyIn(0, 3, 1)];
    await scene.publish(numbered([step(bad, 'Opened', 1), step(other, 'Opened', 5), step(bad, 'Paid', 2), step(bad, 'Paid', 4)]));
    const live = await scene.live(failing(new Set([`${bad}/2`])));
    await scene.feed(live);
    const letters = lettersOf(failing(new Set()));
    await letters.purge({ key: bad, offset: 2 }, { reason: 'paid by mistake', by: 'spec' });
    expect(await requeued(letters)).toMatchObject([{ applied: 1, waiting: 0 }]);
    expect((await scene.rows()).get(bad)).toMatchObject({ balance: 5, payments: 1 });
    const rebuild = await scene.rebuild({ projection: failing(new Set()) });
    await rebuild.stage();
    expect(await rebuild.verify()).toMatchObject({ equal: true });
    expect(await rebuild.rebuildKey(bad)).toMatchObject({ outcome: 'unchanged' });
    // Control: what was not given up is not left out.
    await there.store.query('delete from factline.purged_dead_letter where projection = $1', [scene.name]);
    expect(await rebuild.rebuildKey(bad)).toMatchObject({ outcome: 'written' });
    expect((await scene.rows()).get(bad)).toMatchObject({ balance: 7, payments: 2 });
  });
});

it('rebuilding one key unblocks it', async () => {
  const history = numbered([step('a', 'Opened', 1), step('a', 'Paid', 2)]);
  await scene.publish(history);
  await scene.feed(await scene.live(failing(new Set(['a/2']))));
  const rebuild = await scene.rebuild({ projection: failing(new Set()) });
  expect(await rebuild.rebuildKey('a')).toMatchObject({ outcome: 'written' });
  expect(await kept()).toEqual([]);
  expect(await scene.rows()).toEqual(expected(history));
});
