import { FactDecoder } from 'factline/contracts';
import { LiveProjection, migrateProjections, projection } from 'factline/projections';
import { LiveReactions, knownReactions, migrateReactions, reactions } from 'factline/reactions';
import type { Store } from 'factline/store';
import { type World, selectInSpec, world } from 'factline/testing';
import { type Followed, hopsIn } from './hops.js';

const TOPIC = 'orders';
const fields = [{ name: 'orderId', type: 'string' }];
const Paid = selectInSpec<{ orderId: string }>({ factName: 'shop.Paid', topic: TOPIC, schema: { type: 'record', name: 'Paid', namespace: 'shop', fields }, fingerprint: 'paid' });
const writers = { byId: () => Promise.reject(new Error('nothing is read here')) };
const at = (second: number) => new Date(Date.UTC(2030, 0, 1, 0, 0, second));
const NOW = at(100);

let there: World;
let store: Store;
let sites = 0;
let name: string;

beforeAll(async () => {
  there = await world();
  store = there.store(await there.database('shop'));
  await migrateProjections(store);
  await migrateReactions(store);
});
beforeEach(() => (name = `mails_${++sites}`));
afterAll(() => there.close());

const fact = (offset: number, over: Partial<Followed> = {}): Followed => ({
  name: 'shop.Paid',
  topic: TOPIC,
  key: 'o-1',
  sequence: offset + 1,
  published: { partition: 0, offset, at: at(50) },
  state: { name: TOPIC, id: 't1', partitions: [{ start: 0, end: 20 }] },
  ...over,
});

async function reacting(from: 'beginning' | 'now'): Promise<void> {
  const made = reactions({ name, from }).on(Paid, () => undefined);
  await new LiveReactions(made, store, new FactDecoder(made.facts, writers)).prepare();
}

/** A checkpoint that moved last with the fact before `nextOffset`. */
const checkpoint = (nextOffset: number, generation = 1) =>
  store.query(`insert into ${name}.checkpoint (topic, partition, topic_id, next_offset, last_offset, generation, updated_at, as_of) values ($1, 0, 't1', $2, $3, $4, $5, $5)`, [TOPIC, nextOffset, nextOffset - 1, generation, at(95)]);
const inbox = (sequence: number, doneAt: Date | null) => store.query(`insert into ${name}.inbox (topic, key, sequence, done_at) values ($1, 'o-1', $2, $3)`, [TOPIC, sequence, doneAt]);

async function reactionHop(followed: Followed) {
  const known = (await knownReactions(store)).filter((each) => each.name === name);
  const [hop, ...others] = await hopsIn({ app: 'shop', store, projections: new Map(), reactions: known, schemas: new Map(), connected: true }, followed, NOW);
  expect(others).toEqual([]);
  expect(hop).toMatchObject({ app: 'shop', subscription: name, kind: 'reactions' });
  return hop;
}

describe('reactions', () => {
  it('did the newest fact of a key exactly when the inbox says', async () => {
    await reacting('beginning');
    await checkpoint(5);
    await inbox(3, at(77));
    expect(await reactionHop(fact(2))).toMatchObject({ state: 'applied', at: at(77) });
  });

  it('did an older fact of a key no later than the newest, whatever the checkpoint says', async () => {
    await reacting('beginning');
    await checkpoint(5);
    await inbox(3, at(77));
    expect(await reactionHop(fact(0))).toMatchObject({ state: 'applied', after: at(50), by: at(77) });
  });

  it('did what the inbox has, although the checkpoint is behind it', async () => {
    await reacting('beginning');
    await checkpoint(1);
    await inbox(3, at(77));
    expect(await reactionHop(fact(2))).toMatchObject({ state: 'applied', at: at(77) });
    expect(await reactionHop(fact(3))).toMatchObject({ state: 'not-seen-yet', reason: 'lag: 2 facts lie before it' }); // the control
  });

  it('that began with later facts passed by those before', async () => {
    await reacting('now');
    await store.query('update factline.reactions set created_at = $2 where name = $1', [name, at(60)]);
    await checkpoint(5);
    await inbox(3, at(77));
    expect(await reactionHop(fact(0))).toMatchObject({ state: 'passed-by', reason: `these reactions began with the facts from ${at(60).toISOString()} on` });
    expect(await reactionHop(fact(2, { published: { partition: 0, offset: 2, at: at(70) } }))).toMatchObject({ state: 'applied' });
  });

  it('do not claim what nothing shows: a checkpoint that passed a fact of which the inbox knows nothing', async () => {
    await reacting('beginning');
    await checkpoint(5);
    expect(await reactionHop(fact(2))).toMatchObject({ state: 'unknown' });
  });

  it('pass by what they do not handle, wait with a dead letter, and give up what a person gave up', async () => {
    await reacting('beginning');
    await checkpoint(9);
    expect(await reactionHop(fact(2, { name: 'shop.Noted' }))).toMatchObject({ state: 'passed-by', reason: 'it does not select shop.Noted' });
    await store.query(`insert into ${name}.dead_letter (topic, partition, record_offset, key, code, reason, parked_at) values ($1, 0, 2, 'o-1', 'spec.bad', 'no', $2), ($1, 0, 3, 'o-1', null, null, $2)`, [TOPIC, at(80)]);
    expect(await reactionHop(fact(2))).toMatchObject({ state: 'waits', at: at(80), reason: 'dead letter spec.bad: no' });
    expect(await reactionHop(fact(3))).toMatchObject({ state: 'waits', reason: 'waits behind a fact of its key at offset 2 that failed: spec.bad: no' });
    await store.query("insert into factline.given_up_fact (subscription, topic, partition, key, offsets, reason, given_up_by, given_up_at) values ($1, $2, 0, 'o-1', '{2}', 'not ours', 'lea', $3)", [name, TOPIC, at(90)]);
    expect(await reactionHop(fact(2))).toMatchObject({ state: 'given-up', at: at(90), reason: 'not ours (lea)' });
  });

  it('have not seen what is not published, for the reason that holds it', async () => {
    await reacting('beginning');
    expect(await reactionHop(fact(2, { published: undefined, unpublished: 'nobody publishes' }))).toMatchObject({ state: 'not-seen-yet', reason: 'nobody publishes' });
  });
});

describe('read models', () => {
  const model = (version = 1) => projection({ name, version, key: 'order_id', columns: { order_id: 'text' } }).on(Paid, (_row, { key }) => ({ order_id: key }));
  const prepared = async () => {
    const made = model();
    await new LiveProjection(made, store, new FactDecoder(made.facts, writers)).prepare();
    return made;
  };
  const hops = (versions: ReturnType<typeof model>[], followed: Followed) => hopsIn({ app: 'shop', store, projections: new Map([[name, versions]]), reactions: [], schemas: new Map(), connected: true }, followed, NOW);

  it('that were never started have not seen it', async () => {
    expect(await hops([model()], fact(2))).toMatchObject([{ kind: 'read model', state: 'not-seen-yet', reason: expect.stringContaining('never started') }]);
  });

  it('of other topics are not named at all', async () => {
    expect(await hops([await prepared()], fact(2, { topic: 'others' }))).toEqual([]);
  });

  it('say of each build what it has', async () => {
    const made = await prepared();
    await checkpoint(3);
    const [live, next] = [name, `${name}_next`];
    await store.query(`create schema ${next}; create table ${next}.about (like ${live}.about including all); create table ${next}.checkpoint (like ${live}.checkpoint including all); create table ${next}.dead_letter (like ${live}.dead_letter including all)`);
    await store.query(`insert into ${next}.about select 2, version, fingerprint from ${live}.about`);
    await store.query(`insert into ${next}.checkpoint (topic, partition, topic_id, next_offset, generation, updated_at) select topic, partition, topic_id, 1, 2, updated_at from ${live}.checkpoint`);
    expect(await hops([made], fact(2))).toMatchObject([
      { subscription: name, generation: 1, state: 'applied', at: at(95) },
      { subscription: `${name} (being built)`, generation: 2, state: 'not-seen-yet' },
    ]);
  });

  it('that other code built say so where they stop, and not of what they have', async () => {
    await prepared();
    await checkpoint(3);
    expect(await hops([model(2)], fact(5))).toMatchObject([{ state: 'not-seen-yet', reason: expect.stringMatching(/^OUTDATED: it was built by version 1 .*: factline replay run mails_\d+ --app shop; 2 facts lie before it$/) }]);
    expect(await hops([model(2)], fact(2))).toMatchObject([{ state: 'applied' }]);
    expect(await hops([model(2), model()], fact(5))).toMatchObject([{ reason: 'lag: 2 facts lie before it' }]);
  });
});
