import { type Stack, startStack, stackEnvironment } from 'factline/stack';
import { ReadModel } from 'factline/projections';
import { outboxDoctor } from 'factline/outbox';
import { Store } from 'factline/store';
import { until } from 'factline/testing';
import { payees } from '../../apps/payroll/src/payees.projection.js';
import { EMPLOYEE_TOPIC, byKey, statedFacts, withoutRepetitions } from '../support/employee-topic.js';
import { slow } from '../support/fault-rows.js';
import { PaidEstate } from '../support/paid-estate.js';
import { ask } from '../support/rest.js';
import { type Server, Standby } from '../support/standby.js';

/** Postgres fails over here, so these rows have a stack of their own. In the order in which they stand: each failover leaves the next row its primary. */
const STACK_STARTS_WITHIN = 240_000;
const ROW_ENDS_WITHIN = 240_000;
const MOMENT_MS = 500;

let stack: Stack;
let paid: PaidEstate;
const standbys: Standby[] = [];

async function opened(): Promise<void> {
  stack ??= await startStack({ from: 'packages', postgres: { wal_level: 'replica', max_wal_senders: '4', wal_keep_size: '256MB', hot_standby: 'on' } });
  paid ??= await PaidEstate.open({ ...stackEnvironment(stack) });
}

afterAll(async () => {
  await paid?.close();
  for (const standby of standbys) await standby.close();
  await stack?.stop();
}, STACK_STARTS_WITHIN);

const primary = (): Server => standbys.at(-1) ?? { pid: stack.parts!.postgres.pid, url: paid.here.world.postgresUrl };
const kill = () => (standbys.length > 1 ? standbys.at(-2)!.kill() : stack.parts!.postgres.kill('SIGKILL'));
const hrIsReady = () => until('hr to be ready', async () => (await ask(`${paid.hr.url}/health/ready`)).status === 200);

async function addStandby(): Promise<Standby> {
  const standby = await Standby.of(primary());
  standbys.push(standby);
  return standby;
}

async function over<T>(url: string, work: (store: Store) => Promise<T>): Promise<T> {
  const store = new Store({ url, applicationName: 'e2e replica', connections: 2 });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

slow('E9: a replica that lags says as of when its answers hold, and does not claim to contain a write that it has not received', async () => {
  await opened();
  const standby = await addStandby();
  const [id] = paid.ids;
  const url = new URL(standby.url);
  url.pathname = new URL(paid.here.databaseUrl('payroll')).pathname;
  await over(url.href, async (replica) => {
    const [there, here] = [new ReadModel(payees, replica), new ReadModel(payees, paid.here.store('payroll'))];
    const token = async () => ({ topic: EMPLOYEE_TOPIC, key: id!, sequence: byKey(await statedFacts(paid.here)).get(id!)!.length });
    await there.waitFor(await token(), ROW_ENDS_WITHIN);
    await until('an as-of time of its answers', () => there.asOf());
    await replica.query('select pg_wal_replay_pause()');
    const before = (await there.asOf())!;
    const known = (await token()).sequence;
    await paid.underLoad(() => Promise.resolve()); // what the next row judges has to know these writes
    const moved = await until('a fact of theirs', async () => ((await token()).sequence > known ? token() : undefined));
    await here.waitFor(moved, ROW_ENDS_WITHIN); // the control: the primary contains it
    await until('the primary to be newer', async () => (await here.asOf())! > before);
    await expect(there.waitFor(moved, MOMENT_MS)).rejects.toMatchObject({ code: 'read.not-yet', kind: 'unavailable' });
    expect((await there.asOf())!.getTime()).toBeLessThan((await here.asOf())!.getTime());
    await replica.query('select pg_wal_replay_resume()');
    await there.waitFor(moved, ROW_ENDS_WITHIN);
    await until('its answers to be newer', async () => (await there.asOf())! > before);
  });
}, STACK_STARTS_WITHIN + ROW_ENDS_WITHIN);

slow('E2: a failover to a synchronous standby loses no acknowledged write, and both apps go on by themselves', async () => {
  await opened();
  const standby = standbys[0] ?? (await addStandby());
  await over(paid.here.world.postgresUrl, async (store) => {
    await store.query("alter system set synchronous_standby_names = '*'");
    await store.query('select pg_reload_conf()');
    await until('the primary to wait for it', async () => (await store.query("select from pg_stat_replication where sync_state = 'sync'")).rowCount === 1);
  });
  await paid.underLoad(async (writers) => {
    await kill();
    await standby.takeOver();
    await hrIsReady();
    await paid.moreWrites(writers);
  });
  expect(paid.unknown).toBeGreaterThan(0); // the control: it was killed among writes
  expect(await paid.faults()).toEqual([]);
}, STACK_STARTS_WITHIN + ROW_ENDS_WITHIN);

slow('E2: a failover to an asynchronous standby loses what it had not received; the doctor names the keys of published facts, and no number is given again', async () => {
  await opened();
  const standby = await addStandby();
  const [id] = paid.ids;
  const move = (location: string) => ask(`${paid.hr.url}/employees/${id}/moves`, 'POST', { location });
  const published = async () => withoutRepetitions(byKey(await statedFacts(paid.here)).get(id!)!);
  const before = (await published()).length;
  await over(paid.here.world.postgresUrl, async (store) => {
    const { rows } = await store.query<{ pid: number }>('select pid from pg_stat_replication');
    process.kill(rows[0]!.pid, 'SIGSTOP'); // the sender
  });
  expect((await move('ROM')).status).toBe(200);
  await until('it to be published', async () => (await published()).length > before);
  await (standbys.length > 1 ? standbys.at(-2)!.kill() : stack.parts!.postgres.kill('SIGKILL'));
  await standby.takeOver();
  await hrIsReady();
  expect(((await ask(`${paid.hr.url}/employees/${id}`)).body as { location: string }).location).not.toBe('ROM');
  expect((await move('OSL')).status).toBe(200);
  await until('the next one to be published', async () => (await published()).length > before + 1);
  expect(await published()).toHaveLength(before + 2); // and no number stands for two facts
  const told = await outboxDoctor(paid.here.store('hr'));
  expect(told.find(({ code }) => code === 'outbox.failover-lost-facts')).toMatchObject({ message: expect.stringContaining(`first '${id!}'`), details: { facts: 1, lost: [{ key: id, from: before + 1, to: before + 1 }] } });
}, STACK_STARTS_WITHIN + ROW_ENDS_WITHIN);
