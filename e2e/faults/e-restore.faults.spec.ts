import { Store, identifier } from 'factline/store';
import { until } from 'factline/testing';
import { EMPLOYEE_TOPIC } from '../support/employee-topic.js';
import { PaidEstate } from '../support/paid-estate.js';
import { ask } from '../support/rest.js';

const OPENS_WITHIN = 120_000;

let paid: PaidEstate;
let admin: Store;

beforeAll(async () => {
  paid = await PaidEstate.open();
  admin = new Store({ url: paid.here.world.postgresUrl, applicationName: 'e2e restore', connections: 1 });
}, OPENS_WITHIN);

afterAll(async () => {
  await admin?.query(`drop database if exists ${identifier(`${paid.here.world.name}_backup`)}`);
  await admin?.close();
  await paid?.close();
});

/** A copy under another name, which is what a restored backup is to those who read it. */
async function copy(from: string, to: string): Promise<void> {
  await admin.query(`drop database if exists ${identifier(to)} with (force)`);
  await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [from]);
  await admin.query(`create database ${identifier(to)} template ${identifier(from)}`);
}

/** Takes an app's database back to where it was before these writes. */
async function restoredAfterWrites(app: 'hr' | 'payroll'): Promise<void> {
  const [database, backup] = [`${paid.here.world.name}_${app}`, `${paid.here.world.name}_backup`];
  await paid[app].program.stop();
  await copy(database, backup);
  paid[app] = await paid.here.start(app);
  await paid.underLoad((writers) => paid.moreWrites(writers));
  expect(await paid.faults()).toEqual([]);
  await paid[app].program.stop();
  await copy(backup, database);
}

const checkpoints = async () => Number((await paid.here.store('payroll').query<{ sum: string }>('select sum(next_offset) from payees.checkpoint where topic = $1', [EMPLOYEE_TOPIC])).rows[0]!.sum);

it('E8: payroll, restored from a backup, applies what its rows do not have yet', async () => {
  await restoredAfterWrites('payroll');
  const behind = await checkpoints();
  paid.payroll = await paid.here.start('payroll');
  expect(await paid.faults()).toEqual([]);
  expect(await checkpoints()).toBeGreaterThan(behind); // the control: it was behind
});

it('E8: hr, restored from a backup that facts were published behind, publishes nothing under numbers that were given out, and says why', async () => {
  await restoredAfterWrites('hr');
  const log = paid.here.world.log();
  const end = async () => (await log.describe([EMPLOYEE_TOPIC]))[0]!.partitions.reduce((sum, partition) => sum + partition.end, 0);
  const before = await end();
  paid.hr = await paid.here.start('hr');
  const { status } = await ask(`${paid.hr.url}/employees/${paid.ids[0]}/moves`, 'POST', { location: 'PAR' });
  expect(status).toBe(200); // it waits in the outbox
  const relay = await until('the relay to say why', async () => {
    const { relay: told } = (await ask(`${paid.hr.url}/health`)).body as { relay: { failure?: { code: string } } };
    return told.failure ? told : undefined;
  });
  expect(relay).toMatchObject({ state: 'failing', failure: { code: 'relay.restored' } });
  expect(await end()).toBe(before);
});
