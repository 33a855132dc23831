import { FactlineError } from 'factline/kernel';
import { until } from 'factline/testing';
import { type TestDatabase, changed, jobs, schemaIds, testDatabase } from './database.spec.support.js';
import { FactOutbox, Relay, type RelayPoint, adoptRestoredOutbox } from './index.js';
import { Ownership } from './ownership.js';
import { RecordingLog } from './recording-log.spec.support.js';

let database: TestDatabase;
let outbox: FactOutbox;
let recording: RecordingLog;
const relays: Relay[] = [];

beforeAll(async () => {
  database = await testDatabase();
  outbox = new FactOutbox({ store: database.store, schemaIds });
});
beforeEach(async () => {
  recording = new RecordingLog(2);
  await database.reset();
});
afterEach(() => Promise.all(relays.splice(0).map((relay) => relay.stop())));
afterAll(() => database.drop());

function relay(options: Partial<ConstructorParameters<typeof Relay>[0]> = {}): Relay {
  const made = new Relay({ store: database.store, log: recording.log, app: 'spec', topics: [{ ...jobs, partitions: 2 }], ...options });
  relays.push(made);
  return made;
}

const state = (count: number, key = 'k') => database.store.transaction((tx) => outbox.addMany(tx, Array.from({ length: count }, () => changed(key))));
const oneTo = (last: number) => Array.from({ length: last }, (_, at) => at + 1);
const cutOwner = () =>
  database.store.query(
    "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objsubid = 1 and database = (select oid from pg_database where datname = current_database())",
  );
const crash = new Error('crashed here');
const crashAt = (name: RelayPoint['name'], nth = 1) => {
  let times = 0;
  return (point: RelayPoint) => {
    if (point.name === name && ++times === nth) throw crash;
  };
};

it('a second relay stands by, and takes over with a higher epoch when the first one stops', async () => {
  const first = relay();
  first.start();
  await until('the first owns', () => first.status().state === 'owner');
  const second = relay();
  second.start();
  await until('the second stands by', () => second.status().state === 'standby');
  await expect(relay().runOnce()).rejects.toMatchObject({ code: 'relay.standby' });
  await state(3);
  await until('the first sends', () => recording.byKey().get('spec.job/k')?.length === 3);
  const { epoch } = first.status();
  await first.stop();
  await until('the second owns', () => second.status().state === 'owner');
  expect(second.status().epoch).toBe(epoch! + 1);
  await state(2);
  await until('the second sends', () => recording.byKey().get('spec.job/k')?.length === 5);
  expect(recording.byKey().get('spec.job/k')).toEqual(oneTo(5));
});

it.each(['tick-read', 'page-sent'] as const)('a crash at %s repeats facts at most, in an order that is whole without the repetitions', async (name) => {
  await state(25);
  await expect(relay({ batchSize: 10, observe: crashAt(name, 2) }).runOnce()).rejects.toBe(crash);
  await state(5);
  const next = relay({ batchSize: 10 });
  await next.runOnce(); // the rest of the interrupted tick, if it was stored as one
  await next.runOnce();
  expect(recording.byKey(true).get('spec.job/k')).toEqual(oneTo(30));
  if (name === 'page-sent') expect(recording.facts().length).toBeGreaterThan(30); // the control: without a repetition the crash was not where it should be
});

it('an interrupted tick goes on behind its last stored page, under the same snapshot', async () => {
  const late = await database.store.session();
  await late.query('begin');
  await late.query("select factline.outbox_add('spec.job', 'late', decode(repeat('00', 30), 'hex'), null)");
  await state(25);
  await expect(relay({ batchSize: 10, observe: crashAt('progress-stored') }).runOnce()).rejects.toBe(crash);
  const stored = await database.store.query<{ current: string; page_id: string }>('select current::text, page_id from factline.relay');
  expect(stored.rows[0]!.current).toMatch(/^\d+:\d+:/);
  await late.query('commit'); // its id lies below the stored page
  await late.close();
  const next = relay({ batchSize: 10 });
  const resumed = await next.runOnce();
  expect(resumed.rows).toBe(25 - 10);
  await next.runOnce();
  expect(recording.byKey(true)).toEqual(new Map([['spec.job/k', oneTo(25)], ['spec.job/late', [1]]]));
});

it('a relay whose session is cut sends nothing more and cannot store progress; the other one repeats and goes on', async () => {
  await state(25);
  let cut!: () => void;
  const reached = new Promise<void>((resolve) => {
    cut = resolve;
  });
  let resume!: () => void;
  const paused = new Promise<void>((resolve) => {
    resume = resolve;
  });
  const stale = relay({
    batchSize: 10,
    observe: async ({ name }) => {
      if (name !== 'page-sent') return;
      cut();
      await paused;
    },
  });
  const ending = stale.runOnce().then(
    () => undefined,
    (error: FactlineError) => error,
  );
  await reached;
  await cutOwner();
  const successor = relay();
  await until('the successor gets the lock', () => successor.runOnce().then(() => true, (error: FactlineError) => error.code !== 'relay.standby' && Promise.reject(error)));
  const sent = recording.facts().length;
  resume();
  expect((await ending)?.code).toMatch(/relay\.fenced|store\.unavailable/);
  expect(recording.facts().length - sent).toBe(0);
  expect(recording.byKey(true).get('spec.job/k')).toEqual(oneTo(25));
  const { rows } = await database.store.query<{ current: string | null; delivered_total: string }>('select current, delivered_total from factline.relay');
  expect(rows[0]).toEqual({ current: null, delivered_total: '25' });
});

it('progress of a stale epoch is refused even while its session lives', async () => {
  const session = await database.store.session();
  const ownership = (await Ownership.acquire(session, 'stale'))!;
  await ownership.persist();
  await database.store.query('update factline.relay set epoch = epoch + 1');
  await expect(ownership.persist()).rejects.toMatchObject({ code: 'relay.fenced', kind: 'fenced' });
  expect(() => ownership.assertHeld()).toThrow(FactlineError);
  await session.close();
});

it('a lost session is known without asking the database', async () => {
  const session = await database.store.session();
  const ownership = (await Ownership.acquire(session, 'cut'))!;
  ownership.assertHeld();
  await cutOwner();
  await until('the owner knows', () => {
    try {
      ownership.assertHeld();
      return false;
    } catch (error) {
      return (error as FactlineError).code === 'relay.fenced';
    }
  });
  await session.close();
});

it('a rejected send is repeated with the same rows before anything else of its partition; others go on', async () => {
  await state(6, 'a');
  await state(6, 'b');
  let refusals = 3;
  recording.storesRejected = true; // the outcome is unknown to the sender, and the worst case is that it was stored
  recording.beforeSend = (_topic, partition) => (partition === 0 && refusals-- > 0 ? Promise.reject(new Error('no answer')) : Promise.resolve());
  const running = relay({ batchSize: 4 });
  await running.runOnce();
  expect(running.status().rejectedSends).toBeGreaterThan(0);
  expect(running.status().rejections).toEqual([]);
  expect(recording.byKey(true)).toEqual(new Map([['spec.job/a', oneTo(6)], ['spec.job/b', oneTo(6)]]));
  expect(recording.facts().length).toBeGreaterThan(12);
});

it('a page on its way does not overtake one of the same partition that was rejected', async () => {
  await state(6);
  let sends = 0;
  recording.beforeSend = () => (++sends === 1 ? Promise.reject(new Error('leader moved')) : Promise.resolve());
  await relay({ batchSize: 2 }).runOnce();
  expect(recording.byKey().get('spec.job/k')).toEqual(oneTo(6));
});

it('while the log rejects, progress stands still and the status says why; a stop leaves the facts to the next owner', async () => {
  await state(3);
  recording.beforeSend = () => Promise.reject(new Error('broker away'));
  const blocked = relay();
  blocked.start();
  await until('the rejection shows', () => blocked.status().rejections.some(({ reason }) => reason === 'broker away'));
  await blocked.stop();
  expect(recording.facts()).toEqual([]);
  recording.beforeSend = () => Promise.resolve();
  await relay().runOnce();
  expect(recording.byKey().get('spec.job/k')).toEqual(oneTo(3));
});

it('a send that is never answered is given up and repeated through a new publisher', async () => {
  await state(2);
  let hung = 0;
  recording.beforeSend = () => (hung++ === 0 ? new Promise(() => undefined) : Promise.resolve());
  await relay({ publishTimeout: 30 }).runOnce();
  expect(recording.byKey().get('spec.job/k')).toEqual([1, 2]);
  expect(recording.publishersOpened).toBeGreaterThan(1);
});

it('E8: restored tables are refused until they are adopted, which publishes all that is left in them again', async () => {
  await state(2);
  await relay().runOnce();
  await relays.pop()!.stop();
  await database.store.query("update factline.relay set cluster = 'another/1', previous = '5000000000:5000000000:'");
  await state(1); // stated here, with a transaction id far below the foreign snapshot
  await expect(relay().runOnce()).rejects.toMatchObject({ code: 'relay.restored', kind: 'integrity' });
  const session = await database.store.session();
  expect(await adoptRestoredOutbox(session)).toEqual({ rows: 3 });
  await session.close();
  await relay().runOnce();
  expect(recording.byKey(true).get('spec.job/k')).toEqual([1, 2, 3]);
});

it('A16: a topic with another number of partitions than declared is not written to', async () => {
  await state(1);
  const wrong = relay({ topics: [{ ...jobs, partitions: 5 }] });
  wrong.start();
  await until('the reason shows', () => wrong.status().rejections.some(({ reason }) => /2 partitions, its declaration says 5/.test(reason)));
  expect(recording.facts()).toEqual([]);
});
