import { until } from 'factline/testing';
import { byKey, statedFacts } from './support/employee-topic.js';
import { type App, type Estate, estate } from './support/estate.js';
import { people } from './support/people.js';
import { type RestAnswer, ask } from './support/rest.js';

let here: Estate;
let hr: App;
let payroll: App;
/** A place of work of this spec alone, so that a payroll run's line is about its people alone. */
let office: string;

beforeAll(async () => {
  here = await estate();
  office = here.world.name.toUpperCase();
  [hr, payroll] = [await here.start('hr'), await here.start('payroll')];
});

afterAll(() => here?.close());

const person = (number: number, salaryCents: number) => ({ ...people(number, here.seed).at(-1)!, location: office, currency: 'EUR', salaryCents });
const read = (id: string, written: RestAnswer) => ask(`${payroll.url}/payees/${id}`, 'GET', undefined, { 'factline-token': written.headers.get('factline-token')!, prefer: 'wait=10' });

async function runLine(): Promise<{ asOf: string; line: unknown }> {
  const { status, body } = await ask(`${payroll.url}/payroll-runs`, 'POST', { month: '2026-11' });
  expect(status).toBe(201);
  return { asOf: body['asOf'] as string, line: (body['lines'] as { location: string }[]).find(({ location }) => location === office) };
}

it('is there for the caller who hired them, follows every change, and is gone when they have left', async () => {
  const ada = person(1, 6_000_000);
  const hired = await ask(`${hr.url}/employees`, 'POST', ada, { 'x-correlation-id': `${here.prefix}hire` });
  expect(hired.status).toBe(201);
  expect((await read(ada.id, hired)).body).toMatchObject({ employeeId: ada.id, name: ada.name, salaryCents: 6_000_000, currency: 'EUR', location: office });

  const moved = await ask(`${hr.url}/employees/${ada.id}/moves`, 'POST', { location: 'PAR', salaryCents: 7_200_000 }, { 'x-correlation-id': `${here.prefix}move` });
  expect((await read(ada.id, moved)).body).toMatchObject({ location: 'PAR', salaryCents: 7_200_000, currency: 'EUR', name: ada.name });

  const renamed = await ask(`${hr.url}/employees/${ada.id}/personal-details`, 'PATCH', { name: 'Ada Müller-Ōe' });
  expect((await read(ada.id, renamed)).body).toMatchObject({ name: 'Ada Müller-Ōe', location: 'PAR' });

  const left = await ask(`${hr.url}/employees/${ada.id}/termination`, 'POST', { lastDay: '2026-12-31' });
  expect(await read(ada.id, left)).toMatchObject({ status: 404, body: { code: 'payee.unknown' } });
  expect((await ask(`${hr.url}/employees/${ada.id}`)).body).toMatchObject({ lastDay: '2026-12-31', version: 4 });
});

it('left four facts behind: numbered, in order, with the correlation id of each request, and without what nobody selected being needed', async () => {
  const own = byKey(await statedFacts(here)).get(`${here.prefix}1`)!;
  expect(own.map(({ name, sequence }) => [name, sequence])).toEqual([
    ['hr.EmployeeCreated', 1],
    ['hr.EmployeeMoved', 2],
    ['hr.EmployeePersonalDetailsChanged', 3],
    ['hr.EmployeeTerminated', 4],
  ]);
  expect(own.slice(0, 2).map(({ correlationId }) => correlationId)).toEqual([`${here.prefix}hire`, `${here.prefix}move`]);
  expect(new Set(own.map(({ id }) => id)).size).toBe(4);
  const { rows } = await here.store('payroll').query<{ column_name: string }>("select column_name from information_schema.columns where table_schema = 'payees' and table_name = 'payees'");
  expect(rows.map(({ column_name: name }) => name).toSorted()).toEqual(['currency', 'employee_id', 'factline_sequence', 'location', 'name', 'salary_cents']);
});

it('is paid a twelfth of the yearly salary, each rounded, and as long as employed', async () => {
  const staff = [person(2, 6_000_000), person(3, 5_000_005), person(4, 4_000_001)];
  for (const each of staff) await read(each.id, await ask(`${hr.url}/employees`, 'POST', each));
  expect((await runLine()).line).toEqual({ location: office, currency: 'EUR', payees: 3, amountCents: 500_000 + 416_667 + 333_333 });
  const gone = staff[1]!.id;
  await read(gone, await ask(`${hr.url}/employees/${gone}/termination`, 'POST', { lastDay: '2026-12-31' }));
  expect((await runLine()).line).toEqual({ location: office, currency: 'EUR', payees: 2, amountCents: 500_000 + 333_333 });
});

it('is read with a time as of which nothing is missing, and that time moves on although nothing happens', async () => {
  const asOf = async () => Date.parse((await ask(`${payroll.url}/payees?limit=1`)).headers.get('factline-as-of')!);
  const first = await until('a known as-of time', asOf);
  expect(await until('a later as-of time', async () => (await asOf()) > first)).toBe(true);
  const { asOf: ofRun } = await runLine();
  expect(Date.parse(ofRun)).toBeGreaterThan(first);
  expect(Date.parse(ofRun)).toBeLessThanOrEqual(Date.now());
});

it('is not hired twice: the repeated request has the first one\'s answer, and payroll still has one payee', async () => {
  const twice = person(5, 3_000_000);
  const send = () => ask(`${hr.url}/employees`, 'POST', twice, { 'idempotency-key': `${here.prefix}twice` });
  const [first, second] = await Promise.all([send(), send()]);
  const answers = [first, second, await send()];
  expect(new Set(answers.filter(({ status }) => status === 201).map(({ headers }) => headers.get('factline-token'))).size).toBe(1);
  expect(answers.every(({ status }) => status === 201 || status === 409)).toBe(true); // 409: the first was still under way
  await read(twice.id, answers.find(({ status }) => status === 201)!);
  await until('the fact in the topic', async () => byKey(await statedFacts(here)).get(twice.id)?.length === 1);
});
