import { readFileSync } from 'node:fs';
import { type Stack, startStack, stackEnvironment } from 'factline/stack';
import { until } from 'factline/testing';
import { type App, type Estate, estate } from '../support/estate.js';
import { slow } from '../support/fault-rows.js';
import { HrClient, inParallel } from '../support/hr-client.js';
import { faultsOfAll, settled } from '../support/paid-once.js';
import { people } from '../support/people.js';
import { ask } from '../support/rest.js';
import { SteadyWriters } from '../support/steady-writers.js';

/** Kafka is taken away here, so these rows have a stack of their own. */
const STACK_STARTS_WITHIN = 240_000;
const EMPLOYEES = 24;
const FIRST_SALARY = 1_000_000;

let stack: Stack;
let here: Estate;
let hr: App;
let payroll: App;
let ids: string[];
const written: SteadyWriters[] = [];

beforeAll(async () => {
  stack = await startStack({ from: 'packages' });
  here = await estate({ ...stackEnvironment(stack) });
  [hr, payroll] = [await here.start('hr'), await here.start('payroll')];
  const staff = people(EMPLOYEES, here.seed);
  ids = staff.map(({ id }) => id);
  const client = new HrClient(hr.url);
  await inParallel(staff, 8, (person) => client.hire(person));
}, STACK_STARTS_WITHIN);

afterAll(async () => {
  await here?.close();
  await stack?.stop();
});

/** Nobody is hired twice: 409 where facts are taken, and no effect either way. */
const hireAgain = () => ask(`${hr.url}/employees`, 'POST', people(1, here.seed)[0]);
const residentMb = ({ program }: App) => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${program.pid}/status`, 'utf8'))![1]) / 1_024;

/** Writes go on for so many answers while Kafka is away. @returns how much memory hr gained after the first half. */
async function writesWithoutKafka(answers: number): Promise<number> {
  const writers = new SteadyWriters(hr.url, ids, FIRST_SALARY * (written.length + 1));
  written.push(writers);
  try {
    await until('some writes', () => writers.acknowledged > 50);
    await stack.parts!.kafka.kill('SIGKILL');
    const before = writers.acknowledged;
    const acknowledged = (more: number) => until(`${more} writes without Kafka`, () => writers.acknowledged > before + more, 600_000);
    await acknowledged(answers / 2);
    const half = residentMb(hr);
    await acknowledged(answers);
    return residentMb(hr) - half;
  } finally {
    await writers.stop();
  }
}

async function expectDrained(): Promise<void> {
  await stack.parts!.kafka.start();
  await settled(here);
  expect(await faultsOfAll(here, ids, written.flatMap(({ writes }) => writes))).toEqual([]);
  expect([hr.program.running, payroll.program.running]).toEqual([true, true]);
}

it('A11: while Kafka is away hr takes writes up to its budget, then answers 503 with Retry-After, and all of it drains in order', async () => {
  await writesWithoutKafka(300);
  const { pid } = hr.program;
  await here.hr.query("update factline.outbox set created_at = created_at - interval '25 hours' where id > (select page_id from factline.relay)");
  const refused = await until('the budget to be passed', async () => {
    const answer = await hireAgain();
    return answer.status === 503 ? answer : undefined;
  });
  expect([refused.body['code'], refused.headers.get('retry-after')]).toEqual(['outbox.full', '5']);
  expect((await ask(`${hr.url}/employees/${ids[0]}`)).status).toBe(200); // reads go on
  expect((await ask(`${hr.url}/health/live`)).status).toBe(200);
  await expectDrained();
  await until('facts to be taken again', async () => (await hireAgain()).status === 409);
  expect(hr.program.pid).toBe(pid);
});

slow('A11: a quarter of an hour’s writes without Kafka cost no memory, and drain in order', async () => {
  expect(await writesWithoutKafka(20_000)).toBeLessThan(64);
  await expectDrained();
}, 900_000);
