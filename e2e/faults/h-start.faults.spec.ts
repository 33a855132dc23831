import { appendFileSync, mkdtempSync, openSync, closeSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from 'factline/testing';
import { byKey, statedFacts } from '../support/employee-topic.js';
import { type Estate, estate } from '../support/estate.js';
import { needing } from '../support/fault-rows.js';
import { HrClient } from '../support/hr-client.js';
import { smallDisk, withoutMounts } from '../support/machine.js';
import { people } from '../support/people.js';
import { ask } from '../support/rest.js';

let here: Estate;

beforeEach(async () => {
  here = await estate();
});

afterEach(() => here?.close());

const hrTables = async () => (await here.store('hr').query<{ name: string }>("select schemaname || '.' || tablename as name from pg_tables where schemaname in ('public', 'factline') order by 1")).rows.map(({ name }) => name);

it('H11: a migration killed with -9 in the middle leaves nothing of itself, and the next run does all of it', async () => {
  await here.store('hr').query('create schema factline');
  const blocker = await here.store('hr').session();
  await blocker.query('begin');
  await blocker.query('create table factline.relay ()'); // the migration cannot know whether it will be there before this ends
  const migration = here.command(['migrate', '--app', 'hr']);
  const pid = await until('the migration to wait for the name', async () => {
    const { rows } = await here.store('hr').query<{ pid: number }>('select pid from pg_stat_activity where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0');
    return rows[0]?.pid;
  });
  expect(await migration.stop('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
  await blocker.close(); // which rolls back
  await until('the server to be done with it', async () => (await here.store('hr').query('select from pg_stat_activity where pid = $1', [pid])).rows.length === 0);
  expect(await hrTables()).toEqual(['factline.migration', 'factline.schema']); // another component, which was done; the tables of this one are gone with it

  expect(await here.factline(['migrate', '--app', 'hr'])).toMatchObject({ code: 0, stderr: '' });
  expect(await hrTables()).toEqual(expect.arrayContaining(['factline.outbox', 'factline.relay']));
  const hr = await here.start('hr');
  await new HrClient(hr.url).hire(people(1, here.seed)[0]!);
  await until('a fact of it', async () => byKey(await statedFacts(here)).size === 1);
});

it('H10: names that do not resolve leave hr and payroll at work as far as they can be, with the reason in sight', async () => {
  const nowhere = { FACTLINE_KAFKA: 'kafka.invalid:9092' };
  const first = await here.start('hr'); // remembers the ids of its schemas
  await first.program.stop();
  const settings = { ...nowhere, FACTLINE_REGISTRY_URL: 'http://registry.invalid/apis/ccompat/v7' };
  const [hr, payroll] = [await here.start('hr', settings), await here.start('payroll', settings)];
  await new HrClient(hr.url).hire(people(1, here.seed)[0]!);
  const health = async (url: string) => JSON.stringify((await ask(`${url}/health`)).body);
  for (const { url } of [hr, payroll]) {
    await until('the reason to be in sight', async () => (await health(url)).includes('kafka.invalid'));
    expect((await ask(`${url}/health/live`)).status).toBe(200);
  }
  expect((await ask(`${payroll.url}/payees?limit=1`)).status).toBe(200);
  for (const { program } of [hr, payroll]) expect(await program.stop()).toEqual({ code: 0, signal: null });
  const again = await here.start('hr');
  await until('the fact on the topic', async () => byKey(await statedFacts(here)).size === 1);
  expect(await again.program.stop()).toEqual({ code: 0, signal: null });
});

needing(withoutMounts)('H8: a full disk behind the log of hr costs lines of its log, and nothing else', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'factline-faults-'));
  const unmount = smallDisk(folder, 65_536);
  try {
    const log = join(folder, 'log');
    closeSync(openSync(log, 'w'));
    const hr = await here.start('hr', {}, `exec >> ${log}`);
    expect(() => appendFileSync(join(folder, 'ballast'), Buffer.alloc(131_072))).toThrow('ENOSPC');
    const staff = people(20, here.seed);
    for (const person of staff) await new HrClient(hr.url).hire(person);
    await until('all facts', async () => byKey(await statedFacts(here)).size === staff.length);
    expect(hr.program.running).toBe(true);
    expect(await hr.program.stop()).toEqual({ code: 0, signal: null });
  } finally {
    unmount();
    rmSync(folder, { recursive: true });
  }
});
