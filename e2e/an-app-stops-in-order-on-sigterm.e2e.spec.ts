import { until } from 'factline/testing';
import { byKey, statedFacts, withoutRepetitions } from './support/employee-topic.js';
import { type App, type Estate, estate } from './support/estate.js';
import { HrClient, inParallel } from './support/hr-client.js';
import { people } from './support/people.js';
import { ask } from './support/rest.js';
import { SteadyWriters } from './support/steady-writers.js';

const EMPLOYEES = 16;
/** An app has 10 s by default; the rest is this machine's to end the process. */
const DEADLINE = 11_000;

let here: Estate;
let hr: App;
let ids: string[];

beforeAll(async () => {
  here = await estate();
  hr = await here.start('hr');
  const staff = people(EMPLOYEES, here.seed);
  const client = new HrClient(hr.url);
  await inParallel(staff, 8, (person) => client.hire(person));
  ids = staff.map(({ id }) => id);
});

afterAll(() => here?.close());

/** Sequences of one employee that are in the topic or still in the outbox, lowest first. */
async function kept(): Promise<Map<string, Set<number>>> {
  const found = new Map(ids.map((id) => [id, new Set<number>()]));
  for (const { key, sequence } of await statedFacts(here)) found.get(key)!.add(sequence);
  const { rows } = await here.store('hr').query<{ key: string; sequence: string }>('select key, sequence from factline.outbox');
  for (const { key, sequence } of rows) found.get(key)!.add(Number(sequence));
  return found;
}

const sequenceOf = (token: string) => (JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as [string, string, number])[2];

/** A write that cannot end before the returned function is called, and is under way when this resolves. */
async function heldWrite(id: string): Promise<{ answer: Promise<Awaited<ReturnType<typeof ask>>>; release: () => Promise<void> }> {
  const blocker = await here.store('hr').session();
  await blocker.query('begin');
  await blocker.query('select from employee where id = $1 for update', [id]);
  const answer = ask(`${hr.url}/employees/${id}/moves`, 'POST', { location: 'PAR', salaryCents: 1 });
  answer.catch(() => undefined); // looked at by the test
  await until('the write to wait for the row', async () => {
    const { rows } = await here.store('hr').query("select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'");
    return rows.length > 0;
  });
  return {
    answer,
    release: async () => {
      await blocker.query('rollback');
      await blocker.close();
    },
  };
}

it('H1: under load: ends with 0 within its deadline, and every acknowledged fact is published or waits in the outbox', async () => {
  const writers = new SteadyWriters(hr.url, ids);
  await until('a load', () => writers.acknowledged > 100);
  const started = performance.now();
  expect(await hr.program.stop('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(performance.now() - started).toBeLessThan(DEADLINE);
  expect(hr.program.lines.map(({ msg }) => msg)).toEqual(expect.arrayContaining(['stopping', 'stopped']));
  expect(hr.program.stderr).toBe('');
  const afterStop = await kept();

  hr = await here.start('hr'); // so that the writers' repeated requests are answered
  await writers.stop();
  const answered = new Set(writers.writes.filter(({ outcome }) => outcome === 'acknowledged').map(({ salaryCents }) => salaryCents));
  for (const [id, sequences] of afterStop) expect([id, Math.max(...sequences)]).toEqual([id, sequences.size]); // 1, 2, 3 ... without a hole
  const facts = await until('everything acknowledged to be published', async () => {
    const stated = await statedFacts(here);
    const salaries = new Set(stated.map(({ data }) => data['salaryCents']));
    return [...answered].every((salary) => salaries.has(salary)) ? stated : undefined;
  });
  expect([...byKey(facts).values()].flatMap((each) => withoutRepetitions(each)).length).toBeGreaterThan(100);
});

it('answers the request under way, refuses new ones, and only then ends', async () => {
  const id = ids[0]!;
  const { answer, release } = await heldWrite(id);
  hr.program.signal('SIGTERM');
  await until('hr to take no more requests', async () => (await ask(`${hr.url}/employees/${ids[1]}`).catch(() => ({ status: 'refused' }))).status === 'refused');
  expect(hr.program.running).toBe(true);
  await release();
  const { status, headers } = await answer;
  expect(status).toBe(200);
  expect(await hr.program.ended).toEqual({ code: 0, signal: null });
  expect((await kept()).get(id)).toContain(sequenceOf(headers.get('factline-token')!));
});

it('H2: ends at its deadline with exit code 1 when a request does not, and that request has not happened', async () => {
  hr = await here.start('hr', { SHUTDOWN_DEADLINE: '2s' });
  const id = ids[2]!;
  const before = (await kept()).get(id)!.size;
  const { answer, release } = await heldWrite(id);
  hr.program.signal('SIGTERM');
  expect(await hr.program.ended).toEqual({ code: 1, signal: null });
  await expect(answer).rejects.toThrow('fetch failed');
  await release();
  await until('the dead write to be gone from the database', async () => {
    const { rows } = await here.store('hr').query("select from pg_stat_activity where datname = current_database() and application_name = 'factline hr'");
    return rows.length === 0;
  });
  expect((await kept()).get(id)!.size).toBe(before);
});

it('H1: a consumer under load ends with 0, and goes on behind its last commit', async () => {
  const payroll = await here.start('payroll');
  hr = await here.start('hr');
  const writers = new SteadyWriters(hr.url, ids);
  await until('payroll to apply what is written', async () => {
    const { rows } = await here.store('payroll').query<{ salary: string }>('select max(salary_cents) as salary from payees.payees where starts_with(employee_id, $1) and location = $2', [here.prefix, 'BER']);
    return Number(rows[0]!.salary ?? 0) > 0;
  });
  expect(await payroll.program.stop('SIGTERM')).toEqual({ code: 0, signal: null });
  await writers.stop();
  await here.start('payroll');
  const stated = byKey(await statedFacts(here));
  await until('payroll to have every fact', async () => {
    const { rows } = await here.store('payroll').query<{ id: string; sequence: string }>('select employee_id as id, factline_sequence as sequence from payees.payees where starts_with(employee_id, $1)', [here.prefix]);
    return rows.length === EMPLOYEES && rows.every(({ id, sequence }) => Number(sequence) >= stated.get(id)!.at(-1)!.sequence);
  });
});
