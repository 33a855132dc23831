import { until } from 'factline/testing';
import { type TestDatabase, changed, jobs, schemaIds, testDatabase } from './database.spec.support.js';
import { FactOutbox, Relay } from './index.js';
import { RecordingLog } from './recording-log.spec.support.js';
import { rotate } from './rotation.js';
import { ADD_TO } from './schema.js';

const AT_ONCE = { rows: 1, afterMs: 0 };

let database: TestDatabase;
let outbox: FactOutbox;
let recording: RecordingLog;
let relay: Relay;

beforeAll(async () => {
  database = await testDatabase();
  outbox = new FactOutbox({ store: database.store, schemaIds });
});
beforeEach(async () => {
  await database.reset();
  recording = new RecordingLog(1);
  relay = new Relay({ store: database.store, log: recording.log, app: 'spec', topics: [{ ...jobs, partitions: 1 }] });
});
afterEach(() => relay.stop());
afterAll(() => database.drop());

const state = (key = 'k') => database.store.transaction((tx) => outbox.add(tx, changed(key)));
const rowsIn = async (slot: number) => Number((await database.store.query<{ count: string }>(`select count(*) from factline.outbox_${slot}`)).rows[0]!.count);

it('A12: turns to the next slot, and empties the left one only when all of it is delivered', async () => {
  await state();
  expect(await rotate(database.store, AT_ONCE)).toEqual({ emptied: [], switchedTo: 1 });
  await state();
  expect([await rowsIn(0), await rowsIn(1)]).toEqual([1, 1]);
  expect((await rotate(database.store, AT_ONCE)).emptied).toEqual([]);
  await relay.runOnce();
  expect((await rotate(database.store, AT_ONCE)).emptied).toContain(0);
  expect(await rowsIn(0)).toBe(0);
  expect(recording.byKey().get('spec.job/k')).toEqual([1, 2]);
});

it('waits for a writer that is still in the slot, without holding up the writers of the current one', async () => {
  const old = await database.store.session();
  await old.query('begin');
  await old.query("select factline.outbox_add('spec.job', 'held', decode(repeat('00', 30), 'hex'), null)");
  expect((await rotate(database.store, AT_ONCE)).switchedTo).toBe(1);
  await relay.runOnce();
  const [{ emptied }, stated] = await Promise.all([rotate(database.store, { rows: 1_000, afterMs: 1_000_000 }), state('current')]);
  expect(emptied).toEqual([]); // the writer holds the slot's lock
  expect(stated.sequence).toBe(1);
  await old.query('commit');
  expect((await rotate(database.store, { rows: 1_000, afterMs: 1_000_000 })).emptied).toEqual([]); // committed, not delivered
  await relay.runOnce();
  expect((await rotate(database.store, { rows: 1_000, afterMs: 1_000_000 })).emptied).toEqual([0]);
  expect(recording.byKey()).toEqual(new Map([['spec.job/current', [1]], ['spec.job/held', [1]]]));
  await old.close();
});

it('a writer with an old snapshot may still write into an emptied slot: its fact is published', async () => {
  await state();
  const old = await database.store.session();
  await old.query('begin isolation level repeatable read');
  await old.query('select 1'); // its snapshot says slot 0 for as long as it lives
  await rotate(database.store, AT_ONCE);
  await relay.runOnce();
  expect((await rotate(database.store, AT_ONCE)).emptied).toEqual([0]);
  await old.query("select factline.outbox_add('spec.job', 'old', decode(repeat('00', 30), 'hex'), null)");
  await old.query('commit');
  await old.close();
  expect(await rowsIn(0)).toBe(1);
  expect((await rotate(database.store, AT_ONCE)).emptied).toEqual([]);
  await relay.runOnce();
  expect(recording.byKey().get('spec.job/old')).toEqual([1]);
});

it('a writer whose slot is old writes into the slot that is left, or was emptied: its facts are published in order', async () => {
  const stateInto = (slot: number) => database.store.query(ADD_TO[slot]!.text, [jobs.name, 'k', Buffer.alloc(30), null]);
  await stateInto(0);
  expect(await rotate(database.store, AT_ONCE)).toEqual({ emptied: [], switchedTo: 1 });
  await stateInto(0); // into the slot that was left
  await relay.runOnce();
  expect((await rotate(database.store, AT_ONCE)).emptied).toEqual([0]);
  await stateInto(0); // into the one that was emptied
  await stateInto(1);
  expect((await rotate(database.store, AT_ONCE)).emptied).toEqual([]);
  await relay.runOnce();
  expect((await rotate(database.store, AT_ONCE)).emptied).toEqual([0, 1]);
  expect(recording.byKey()).toEqual(new Map([['spec.job/k', [1, 2, 3, 4]]]));
});

it('control: emptying a slot without the look loses facts', async () => {
  await state();
  await rotate(database.store, AT_ONCE);
  await database.store.query('truncate only factline.outbox_0');
  await relay.runOnce();
  expect(recording.facts()).toEqual([]);
});

it('a running relay rotates by itself', async () => {
  relay = new Relay({ store: database.store, log: recording.log, app: 'spec', rotation: AT_ONCE });
  relay.start();
  await state();
  await until('slot 1 is written', async () => (await database.store.query<{ slot: number }>('select slot from factline.slot')).rows[0]!.slot === 1);
  await until('slot 0 is empty', async () => (await rowsIn(0)) === 0);
});
