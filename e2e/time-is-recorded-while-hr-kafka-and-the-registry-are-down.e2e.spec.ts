import { outboxStatus } from 'factline/outbox';
import { type Stack, startStack, stackEnvironment } from 'factline/stack';
import { until } from 'factline/testing';
import { byKey, statedFacts, withoutRepetitions } from './support/employee-topic.js';
import { type App, type Estate, estate } from './support/estate.js';
import { HrClient, inParallel } from './support/hr-client.js';
import { type Person, people } from './support/people.js';
import { ask } from './support/rest.js';
import { storageOf } from './support/storage.js';
import { TimesheetsClient } from './support/timesheets-client.js';

/** Kafka and the registry are taken away here, so this spec has a stack of its own. */
const STACK_STARTS_WITHIN = 240_000;
const STAFF = 200;
const DAY = '2026-03-02';

let stack: Stack;
let here: Estate;
let hr: App;
let timesheets: App;
let staff: Person[];
let hrClient: HrClient;
let client: TimesheetsClient;
let job: string;

beforeAll(async () => {
  stack = await startStack({ from: 'packages' });
  here = await estate({ apps: ['hr', 'timesheets'], env: { ...stackEnvironment(stack) } });
  [hr, timesheets] = [await here.start('hr'), await here.start('timesheets')];
  [hrClient, client] = [new HrClient(hr.url), new TimesheetsClient(timesheets.url)];
  staff = people(STAFF, here.seed);
  await inParallel(staff, 4, (person) => hrClient.hire(person));
  await client.openLocation('BER', 'Berlin');
  job = await client.openJob('Migrate the till', 'BER');
  await until('all of them to be known to timesheets', async () => (await here.store('timesheets').query('select from staff.staff')).rowCount === STAFF);
  await until('everything to be published', async () => (await outboxStatus(here.store('timesheets'))).pending.rows === 0); // health may be a second old
}, STACK_STARTS_WITHIN);

afterAll(async () => {
  await here?.close();
  await stack?.stop();
});

const pending = async () => ((await ask(`${timesheets.url}/health`)).body['outbox'] as { rows: number }).rows;
const counted = (facts: number) => until(`health to count ${facts} facts that wait`, async () => (await pending()) === facts);
const probes = async () => [(await ask(`${timesheets.url}/health/live`)).status, (await ask(`${timesheets.url}/health/ready`)).status];
/** Ten people at once, each with so many entries one after another. */
const recordFor = (entries: number) =>
  inParallel(staff.slice(0, 10), 10, async ({ id }) => {
    for (let n = 1; n <= entries; n++) await client.record(id, job, DAY, n);
  });

it('is recorded while all three are away', async () => {
  await hr.program.stop('SIGKILL');
  await stack.parts!.kafka.stop();
  await stack.parts!.registry.stop();
  for (const url of [`${hr.url}/health`, `${here.world.registryUrl}/subjects`]) await expect(ask(url)).rejects.toThrow('fetch failed'); // they are really away

  await recordFor(6);
  await counted(60);
  expect(await probes()).toEqual([200, 200]);
  expect(await ask(`${timesheets.url}/time-entries`, 'POST', { employeeId: 'nobody', jobId: job, day: DAY, minutes: 1 })).toMatchObject({ status: 422, body: { code: 'employee.unknown' } });
  expect(await ask(`${timesheets.url}/time-entries`, 'POST', { employeeId: staff[0]!.id, jobId: job, day: '1999-12-31', minutes: 1 })).toMatchObject({ status: 422, body: { code: 'employee.not-employed' } });
});

it('is recorded by an app that is killed and starts without them, too', async () => {
  await timesheets.program.stop('SIGKILL');
  timesheets = await here.start('timesheets');
  await recordFor(2);
  await counted(80);
  expect(await probes()).toEqual([200, 200]);
});

it('is published when they are back: all of it, numbered, each timesheet in the order in which it was recorded', async () => {
  await stack.parts!.kafka.start();
  await stack.parts!.registry.start();
  hr = await here.start('hr');
  await until('nothing to be pending', async () => (await pending()) === 0);
  const found = byKey(await statedFacts(here, 'timesheets.timesheet'));
  const published = new Map([...found].map(([employee, facts]) => [employee, withoutRepetitions(facts).map(({ data }) => data['entryId'])]));
  expect(published).toEqual(client.recorded);
  expect([...client.recorded.values()].flat()).toHaveLength(80);
});

it('knows who is hired afterwards', async () => {
  const [newcomer] = people(STAFF + 1, here.seed).slice(STAFF);
  await hrClient.hire(newcomer!);
  await client.record(newcomer!.id, job, DAY, 60, hrClient.tokens.get(newcomer!.id));
});

it('needs a fraction of what hr keeps of an employee, and nothing personal', async () => {
  const [ofHr, ofTimesheets] = [await storageOf(here.databaseUrl('hr'), 'employee'), await storageOf(here.databaseUrl('timesheets'), 'staff.staff')];
  const line = (app: string, { rows, bytesOfValues, bytesOnDisk }: typeof ofHr) => `${app.padEnd(11)} ${rows} employees, ${Math.round(bytesOfValues)} bytes a row, ${Math.round(bytesOnDisk)} on the disk with its indexes\n`;
  process.stdout.write(line('hr', ofHr) + line('timesheets', ofTimesheets));
  expect([ofHr.rows, ofTimesheets.rows]).toEqual([STAFF + 1, STAFF + 1]);
  expect(ofTimesheets.bytesOfValues).toBeLessThan(ofHr.bytesOfValues / 2);
  expect(ofTimesheets.bytesOnDisk).toBeLessThan(ofHr.bytesOnDisk);
  const columns = async (app: string, schema: string) => (await here.store(app).query<{ name: string }>('select column_name as name from information_schema.columns where table_schema = $1 and table_name = any($2)', [schema, ['staff', 'employee']])).rows.map(({ name }) => name).toSorted();
  expect(await columns('timesheets', 'staff')).toEqual(['employee_id', 'factline_sequence', 'first_day', 'last_day']);
  expect(await columns('hr', 'public')).toContain('salary_cents'); // the control: what is there would be seen
});
