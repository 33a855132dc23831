import { Store } from 'factline/store';
import { until } from 'factline/testing';
import { type TestDatabase, changed, jobs, schemaIds, testDatabase } from './database.spec.support.js';
import { FactOutbox, Relay, outboxDoctor, outboxStatus, readToken } from './index.js';
import { DOCTOR_QUERY_CHARACTERS } from './limits.js';
import { pressureLimits } from './pressure.js';
import { RecordingLog } from './recording-log.spec.support.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
beforeEach(() => database.reset());
afterAll(() => database.drop());

it('demands a transaction that is open, at run time too', async () => {
  const outbox = new FactOutbox({ store: database.store, schemaIds });
  await expect(outbox.add(database.store as never, changed('k'))).rejects.toMatchObject({ code: 'store.not-a-transaction' });
  let kept: Parameters<typeof outbox.add>[0] | undefined;
  await database.store.transaction(async (tx) => {
    kept = tx;
    await tx.query('select 1');
  });
  await expect(outbox.add(kept!, changed('k'))).rejects.toMatchObject({ code: 'store.not-a-transaction' });
});

it('answers what was stated, with a token that opens', async () => {
  const outbox = new FactOutbox({ store: database.store, schemaIds });
  const stated = await database.store.transaction((tx) => outbox.add(tx, changed('é-1')));
  expect(stated).toMatchObject({ topic: 'spec.job', key: 'é-1', sequence: 1 });
  expect(readToken(stated.token)).toEqual({ topic: 'spec.job', key: 'é-1', sequence: 1 });
});

it('a transaction that states a fact waits for its commit record even where the database is told not to', async () => {
  const outbox = new FactOutbox({ store: database.store, schemaIds });
  await database.store.transaction(async (tx) => {
    await tx.query('set local synchronous_commit = off');
    await outbox.add(tx, changed('k'));
    const { rows } = await tx.query<{ synchronous_commit: string }>('show synchronous_commit');
    expect(rows[0]!.synchronous_commit).toBe('on');
  });
});

it('refuses facts past the hard limit, and takes them again when the relay has caught up', async () => {
  const limits = { soft: { ...pressureLimits.soft, rows: 2 }, hard: { ...pressureLimits.hard, rows: 4 } };
  const outbox = new FactOutbox({ store: database.store, schemaIds, limits });
  const state = () => database.store.transaction((tx) => outbox.add(tx, changed('k')));
  for (let fact = 0; fact < 4; fact++) await state();
  expect(outbox.pressure().state).toBe('ok'); // not measured yet
  outbox.start();
  await until('the limit is seen', () => outbox.pressure().state === 'hard');
  await expect(state()).rejects.toMatchObject({ code: 'outbox.full', kind: 'unavailable', retryAfterMs: 5_000 });
  expect(outbox.pressure()).toMatchObject({ rows: 4, reasons: [expect.stringMatching(/4 facts wait, the hard limit is 4/)] });
  expect(outbox.pressure().bytes).toBeGreaterThan(100);
  expect((await outboxDoctor(database.store, limits)).map(({ code }) => code)).toEqual(expect.arrayContaining(['outbox.no-relay', 'outbox.hard-limit']));
  const relay = new Relay({ store: database.store, log: new RecordingLog().log, app: 'spec', topics: [jobs] });
  await relay.runOnce();
  await until('there is room again', () => outbox.pressure().state === 'ok');
  await state();
  await outbox.stop();
  await relay.stop();
});

it('status tells owner, backlog, slots and the newest delivered facts', async () => {
  const outbox = new FactOutbox({ store: database.store, schemaIds });
  const relay = new Relay({ store: database.store, log: new RecordingLog().log, app: 'spec', topics: [jobs] });
  await database.store.transaction((tx) => outbox.addMany(tx, [changed('a'), changed('b')]));
  await relay.runOnce();
  await database.store.transaction((tx) => outbox.add(tx, changed('c')));
  const status = await outboxStatus(database.store);
  expect(status).toMatchObject({ owned: true, epoch: 1, deliveredTotal: 2, pending: { rows: 1 }, tickInProgress: false });
  expect(status.owner).toMatch(/^spec@/);
  expect(status.slots.map(({ slot, written }) => [slot, written])).toEqual([[0, true], [1, false], [2, false]]);
  expect(status.delivered.map(({ key, sequence }) => `${key}${sequence}`)).toEqual(['b1', 'a1']);
  await relay.stop();
  expect((await outboxStatus(database.store)).owned).toBe(false);
});

it('A3: the doctor names the session that holds a transaction open, in whichever database, and finds nothing when nothing is wrong', async () => {
  const relay = new Relay({ store: database.store, log: new RecordingLog().log, app: 'spec', topics: [jobs] });
  await relay.runOnce();
  const mine = (findings: Awaited<ReturnType<typeof outboxDoctor>>) => findings.filter(({ details }) => details?.['application'] === 'spec-forgotten');
  const clean = await outboxDoctor(database.store);
  expect(clean.filter(({ code }) => code !== 'outbox.long-transaction')).toEqual([]); // the server is shared, others may hold transactions
  expect(mine(clean)).toEqual([]);
  const app = new Store({ url: database.url, applicationName: 'spec-forgotten' });
  const forgotten = await app.session();
  await forgotten.query('begin');
  await forgotten.query(`insert into business (note) values ('${'x'.repeat(300)}')`);
  const [finding] = mine(await outboxDoctor(database.store, pressureLimits, undefined, 0));
  expect(finding).toMatchObject({ code: 'outbox.long-transaction', severity: 'warning', details: { state: 'idle in transaction' } });
  expect(finding!.advice).toMatch(/pg_terminate_backend\(\d+\)/);
  expect(String(finding!.details!['query'])).toHaveLength(DOCTOR_QUERY_CHARACTERS);
  await forgotten.close();
  await app.close();
  await relay.stop();
});

it('the doctor sees a clock that differs', async () => {
  const ahead = { now: () => Date.now() + 60_000, monotonic: () => performance.now() };
  expect((await outboxDoctor(database.store, pressureLimits, ahead)).map(({ code }) => code)).toContain('outbox.clock');
  expect((await outboxDoctor(database.store)).map(({ code }) => code)).not.toContain('outbox.clock');
});
