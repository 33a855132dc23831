import type { Session } from 'factline/store';
import { until } from 'factline/testing';
import { type TestDatabase, jobs, testDatabase } from './database.spec.support.js';
import { Relay } from './index.js';
import { RecordingLog } from './recording-log.spec.support.js';
import { ADD_TO } from './schema.js';

/** What a reader of the outbox has handed on, in its order. */
type Delivered = { key: string; sequence: number }[];

interface Reader {
  delivered: Delivered;
  poll(): Promise<void>;
  close(): Promise<void>;
}

let database: TestDatabase;
const sessions: Session[] = [];

beforeAll(async () => {
  database = await testDatabase();
});
afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.close()));
  await database.reset();
});
afterAll(() => database.drop());

/** Control: remembers the highest id it has seen. */
function idCursor(): Reader {
  let last = '0';
  const delivered: Delivered = [];
  const poll = async () => {
    const { rows } = await database.store.query<{ id: string; key: string; sequence: string }>('select id, key, sequence from factline.outbox where id > $1 order by id', [last]);
    for (const { id, key, sequence } of rows) {
      delivered.push({ key, sequence: Number(sequence) });
      last = id;
    }
  };
  return { delivered, poll, close: () => Promise.resolve() };
}

/** Control: everything below the oldest running transaction, in (xid, id) order. */
function xminCursor(): Reader {
  let last = ['0', '0'];
  const delivered: Delivered = [];
  const poll = async () => {
    const { rows } = await database.store.query<{ xid: string; id: string; key: string; sequence: string }>(
      `select xid::text, id, key, sequence from factline.outbox
        where (xid, id) > ($1::xid8, $2::bigint) and xid < pg_snapshot_xmin(pg_current_snapshot()) order by xid, id`,
      last,
    );
    for (const { xid, id, key, sequence } of rows) {
      delivered.push({ key, sequence: Number(sequence) });
      last = [xid, id];
    }
  };
  return { delivered, poll, close: () => Promise.resolve() };
}

function ticks(): Reader {
  const recording = new RecordingLog(1);
  const relay = new Relay({ store: database.store, log: recording.log, app: 'spec', topics: [{ ...jobs, partitions: 1 }] });
  const delivered: Delivered = [];
  const poll = async () => {
    await relay.runOnce();
    delivered.push(...recording.facts().slice(delivered.length).map(({ key, sequence }) => ({ key, sequence })));
  };
  return { delivered, poll, close: () => relay.stop() };
}

/** A transaction held open by hand. */
async function writer(begin = 'begin', store = database.store) {
  const session = await store.session();
  sessions.push(session);
  await session.query(begin);
  return {
    /** A business row first: the transaction gets its id here, long before it asks for a key. */
    audit: () => session.query("insert into business (note) values ('early')"),
    takeId: () => session.query('select pg_current_xact_id()'),
    state: (key: string) => session.query(ADD_TO[0]!.text, [jobs.name, key, Buffer.alloc(30), null]),
    run: (statement: string) => session.query(statement),
    commit: () => session.query('commit'),
    rollback: () => session.query('rollback'),
  };
}

const committed = async (): Promise<Delivered> =>
  (await database.store.query<{ key: string; sequence: string }>('select key, sequence from factline.outbox')).rows.map(({ key, sequence }) => ({ key, sequence: Number(sequence) }));
const names = (facts: Delivered) => facts.map(({ key, sequence }) => `${key}${sequence}`);
const lost = (all: Delivered, delivered: Delivered) => names(all).filter((name) => !names(delivered).includes(name));
const inverted = (delivered: Delivered) => delivered.filter(({ key, sequence }, at) => delivered.slice(0, at).some((before) => before.key === key && before.sequence >= sequence));

/** Runs one interleaving with all three readers polling at the same moments. */
async function play(scenario: (poll: () => Promise<void>) => Promise<{ waits: string[] }>) {
  const readers = { id: idCursor(), xmin: xminCursor(), tick: ticks() };
  const seen: Record<string, string[]> = {};
  const poll = async () => {
    for (const [name, reader] of Object.entries(readers)) {
      await reader.poll();
      seen[name] = names(reader.delivered);
    }
  };
  let stalled: Record<string, string[]> | undefined;
  const { waits } = await scenario(async () => {
    await poll();
    stalled ??= { ...seen };
  });
  const all = await committed();
  await poll();
  // The server is shared: a stranger's transaction may hold up this control a little longer than the scenario does.
  await until('the xmin cursor has everything', async () => readers.xmin.poll().then(() => readers.xmin.delivered.length >= all.length));
  await Promise.all(Object.values(readers).map((reader) => reader.close()));
  const judge = (name: keyof typeof readers) => ({
    lost: lost(all, readers[name].delivered),
    inverted: names(inverted(readers[name].delivered)),
    stalled: waits.filter((fact) => !stalled![name]!.includes(fact)),
  });
  return { id: judge('id'), xmin: judge('xmin'), tick: judge('tick') };
}

const SOUND = { lost: [], inverted: [], stalled: [] };

it('A1: a lower id that commits after a higher one is neither lost nor waited for', async () => {
  const result = await play(async (poll) => {
    const late = await writer();
    await late.state('late');
    const quick = await writer();
    await quick.state('quick');
    await quick.commit();
    await poll();
    await late.commit();
    return { waits: ['quick1'] };
  });
  expect(result.tick).toEqual(SOUND);
  expect(result.id.lost).toEqual(['late1']);
  expect(result.xmin.stalled).toEqual(['quick1']);
});

it('A2: a transaction id drawn before the key lock does not turn the key around', async () => {
  const result = await play(async (poll) => {
    const late = await writer();
    await late.state('late');
    const early = await writer();
    await early.audit();
    const first = await writer();
    await first.state('key');
    await first.commit();
    await poll();
    await early.state('key');
    await early.commit();
    await late.commit();
    return { waits: ['key1'] };
  });
  expect(result.tick).toEqual(SOUND);
  expect(result.id.lost).toEqual(['late1']);
  expect(result.xmin.inverted).toEqual(['key1']);
});

it('A3: a transaction in another database of the cluster delays nobody', async () => {
  const result = await play(async (poll) => {
    const stranger = await writer('begin', database.elsewhere);
    await stranger.takeId();
    const late = await writer();
    await late.state('late');
    const local = await writer();
    await local.state('local');
    await local.commit();
    await late.commit();
    await poll();
    const later = await writer();
    await later.state('later');
    await later.commit();
    await stranger.rollback();
    return { waits: ['local1', 'late1'] };
  });
  expect(result.tick).toEqual(SOUND);
  expect(result.id).toEqual(SOUND); // nothing committed out of order here
  expect(result.xmin.stalled).toEqual(['local1', 'late1']);
});

it('A13: rolled-back transactions and savepoints leave no fact and give their number back', async () => {
  const result = await play(async (poll) => {
    const late = await writer();
    await late.state('late');
    const failed = await writer();
    await failed.state('key');
    const quick = await writer();
    await quick.state('quick');
    await quick.commit();
    await poll();
    await failed.rollback();
    const again = await writer();
    await again.run('savepoint undone');
    await again.state('key');
    await again.run('rollback to savepoint undone');
    await again.run('savepoint kept');
    await again.state('key');
    await again.run('release savepoint kept');
    await again.state('key');
    await again.commit();
    await late.commit();
    return { waits: ['quick1'] };
  });
  expect(result.tick).toEqual(SOUND);
  expect(names(await committed()).toSorted()).toEqual(['key1', 'key2', 'late1', 'quick1']);
  expect(result.id.lost).toEqual(['late1']);
  expect(result.xmin.stalled).toEqual(['quick1']);
});

it('a repeatable-read writer is published with its commit; one that meets a changed key is refused by the database', async () => {
  const result = await play(async (poll) => {
    const old = await writer('begin isolation level repeatable read');
    await old.audit();
    const other = await writer();
    await other.state('key');
    await other.commit();
    await poll();
    await expect(old.state('key')).rejects.toMatchObject({ code: 'store.contended' });
    await old.rollback();
    const fresh = await writer('begin isolation level repeatable read');
    await fresh.audit();
    await poll();
    await fresh.state('key');
    await fresh.commit();
    return { waits: ['key1'] };
  });
  expect(result.tick).toEqual(SOUND);
  expect(result.xmin.stalled).toEqual(['key1']);
});
