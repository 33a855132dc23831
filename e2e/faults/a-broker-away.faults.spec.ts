import { readFileSync } from 'node:fs';
import { type Stack, startStack, stackEnvironment } from 'factline/stack';
import { until } from 'factline/testing';
import { slow } from '../support/fault-rows.js';
import { PaidEstate } from '../support/paid-estate.js';
import { people } from '../support/people.js';
import { ask } from '../support/rest.js';

/** Kafka is taken away here, so these rows have a stack of their own. */
const STACK_STARTS_WITHIN = 240_000;
const WRITES_WITHIN = 800_000;

let stack: Stack;
let paid: PaidEstate;

beforeAll(async () => {
  stack = await startStack({ from: 'packages' });
  paid = await PaidEstate.open({ ...stackEnvironment(stack) });
}, STACK_STARTS_WITHIN);

afterAll(async () => {
  await paid?.close();
  await stack?.stop();
});

/** Nobody is hired twice: 409 where facts are taken, and no effect either way. */
const hireAgain = () => ask(`${paid.hr.url}/employees`, 'POST', people(1, paid.here.seed)[0]);
const residentMb = () => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${paid.hr.program.pid}/status`, 'utf8'))![1]) / 1_024;

/** Writes go on for so many answers while Kafka is away. @returns how many MB hr gained in the second half. */
async function writesWithoutKafka(answers: number): Promise<number> {
  return paid.underLoad(async (writers) => {
    await stack.parts!.kafka.kill('SIGKILL');
    await paid.moreWrites(writers, answers / 2, WRITES_WITHIN);
    const half = residentMb();
    await paid.moreWrites(writers, answers / 2, WRITES_WITHIN);
    return residentMb() - half;
  });
}

async function expectDrained(): Promise<void> {
  await stack.parts!.kafka.start();
  expect(await paid.faults()).toEqual([]);
}

it('A11: while Kafka is away hr takes writes up to its budget, then answers 503 with Retry-After, and all of it drains in order', async () => {
  await writesWithoutKafka(300);
  await paid.here.store('hr').query("update factline.outbox set created_at = created_at - interval '25 hours' where id > (select page_id from factline.relay)");
  const refused = await until('the budget to be passed', async () => {
    const answer = await hireAgain();
    return answer.status === 503 ? answer : undefined;
  });
  expect([refused.body['code'], refused.headers.get('retry-after')]).toEqual(['outbox.full', '5']);
  expect((await ask(`${paid.hr.url}/employees/${paid.ids[0]}`)).status).toBe(200); // reads go on
  expect((await ask(`${paid.hr.url}/health/live`)).status).toBe(200);
  await expectDrained();
  await until('facts to be taken again', async () => (await hireAgain()).status === 409);
});

slow('A11: twenty thousand writes without Kafka cost no memory, and drain in order', async () => {
  expect(await writesWithoutKafka(20_000)).toBeLessThan(64);
  await expectDrained();
}, WRITES_WITHIN);
