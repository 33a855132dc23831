import { until } from 'factline/testing';
import { byKey, statedFacts, withoutRepetitions } from './support/employee-topic.js';
import { type App, type Estate, estate } from './support/estate.js';
import { HrClient } from './support/hr-client.js';
import type { Program } from './support/program.js';
import { people } from './support/people.js';
import { ask } from './support/rest.js';

let here: Estate;
let hr: App;
let first: Program;
let second: Program;
let client: HrClient;
let hired = 0;

beforeAll(async () => {
  here = await estate();
  expect((await here.factline(['migrate', '--app', 'hr'])).code).toBe(0);
});

afterAll(() => here?.close());

const relay = () => here.command(['relay', '--app', 'hr', '--json']);
const last = (program: Program) => program.lines.findLast(({ event }) => event === 'relay');
/** The epoch in which this process publishes, as the database knows; a relay's own lines come only every 5 s. */
async function epochOf({ pid }: Program): Promise<number | undefined> {
  const { rows } = await here.store('hr').query<{ epoch: string }>('select epoch from factline.relay where owner like $1', [`hr@%:${pid}`]);
  return rows[0] && Number(rows[0].epoch);
}

const stateOfHr = async () => ((await ask(`${hr.url}/health`)).body['relay'] as { state: string }).state;

async function hire(count: number): Promise<void> {
  for (const person of people(hired + count, here.seed).slice(hired)) await client.hire(person);
  hired += count;
}

async function expectAllPublished(): Promise<void> {
  const keys = await until('all facts to be in the topic', async () => {
    const found = byKey(await statedFacts(here));
    return found.size === hired ? found : undefined;
  });
  for (const facts of keys.values()) expect(withoutRepetitions(facts)).toHaveLength(1);
}

it('A14: publishes what hr states, while hr itself stands by', async () => {
  first = relay();
  await until('the relay to own the outbox', () => epochOf(first));
  hr = await here.start('hr');
  client = new HrClient(hr.url);
  await hire(20);
  await expectAllPublished();
  expect(await stateOfHr()).toBe('standby');
  const { stdout } = await here.factline(['outbox', 'status', '--app', 'hr', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({ owned: true, deliveredTotal: 20, owner: expect.stringContaining(String(first.pid)) as string });
});

it('stands by beside another one, and takes over what the killed one left', async () => {
  second = relay();
  await until('the second relay to stand by', () => last(second)?.['state'] === 'standby');
  await hr.program.stop(); // nobody else is there to take over
  const epoch = (await epochOf(first))!;
  await first.stop('SIGKILL');
  expect(await until('the second relay to own the outbox', () => epochOf(second))).toBeGreaterThan(epoch);
  hr = await here.start('hr');
  await hire(20);
  await expectAllPublished();
  expect(await stateOfHr()).toBe('standby');
});

it('publishes the rest for an hr that is gone', async () => {
  // The owner is held, so that what hr states has to wait; hr then dies with it unpublished.
  second.signal('SIGSTOP');
  await hire(10);
  await hr.program.stop('SIGKILL');
  const { stdout } = await here.factline(['outbox', 'status', '--app', 'hr', '--json']);
  const inTopic = byKey(await statedFacts(here)).size;
  second.signal('SIGCONT');
  expect(inTopic).toBe(hired - 10);
  expect((JSON.parse(stdout) as { pending: { rows: number } }).pending.rows).toBeGreaterThanOrEqual(10); // the last published ones count until they are ticked off
  await expectAllPublished();
});

it('stops in order on SIGTERM, and hr publishes again by itself', async () => {
  expect(await second.stop('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(second.stderr).toBe('');
  hr = await here.start('hr');
  await until('hr to own the outbox', async () => (await stateOfHr()) === 'owner');
  await hire(5);
  await expectAllPublished();
});

it('leaves it to the command alone where hr’s own relay is switched off', async () => {
  await hr.program.stop();
  hr = await here.start('hr', { HR_RELAY: 'off' });
  await hire(5);
  expect(await stateOfHr()).toBe('disabled');
  expect(byKey(await statedFacts(here)).size).toBe(hired - 5);
  first = relay();
  await expectAllPublished();
});
