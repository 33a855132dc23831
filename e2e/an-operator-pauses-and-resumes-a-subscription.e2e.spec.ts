import { until } from 'factline/testing';
import { type App, type Estate, estate, freePort } from './support/estate.js';
import { HrClient } from './support/hr-client.js';
import { type Person, people } from './support/people.js';
import { ask } from './support/rest.js';

interface Shown {
  name: string;
  state: string;
  lag: number;
  trouble: { code: string; reason: string; advice: string; since: string } | null;
}

/** Three processes start, two of them share a group. */
const STARTS_WITHIN = 180_000;
const BOTH_READ_WITHIN = 90_000;

let here: Estate;
let hr: HrClient;
/** Two processes of payroll share the partitions. */
let payrolls: App[];
let hired: Person[];

beforeAll(async () => {
  here = await estate();
  hr = new HrClient((await here.start('hr')).url);
  hired = people(9, here.seed);
  const second = String(await freePort());
  payrolls = [await here.start('payroll'), { program: here.launch('payroll', { PORT: second }), url: `http://127.0.0.1:${second}` }];
  await until('both to read', async () => (await shown()).every(({ state }) => state === 'LIVE'), BOTH_READ_WITHIN);
}, STARTS_WITHIN);
afterAll(() => here?.close());

const shownBy = async ({ url }: App) => ((await ask(`${url}/health`)).body as { subscriptions: Shown[] }).subscriptions.find(({ name }) => name === 'payees')!;
const shown = () => Promise.all(payrolls.map(shownBy)).catch(() => []).then((all) => (all.length > 0 ? all : [{ state: 'away' } as Shown]));
const paid = async (some: readonly Person[]) => (await here.store('payroll').query('select from payees.payees where employee_id = any($1)', [some.map(({ id }) => id)])).rowCount;
const operate = (...args: string[]) => here.factline([args[0]!, 'payees', '--app', 'payroll', ...args.slice(1)]);
const lag = async () => (await shown()).reduce((sum, each) => sum + each.lag, 0);

it('holds all processes, survives a restart, loses nothing, and says who, why, since when and what ends it', async () => {
  for (const person of hired.slice(0, 3)) await hr.hire(person);
  await until('them to be paid', async () => (await paid(hired)) === 3);
  expect(await operate('pause', '--reason', 'the bank changes', '--by', 'lea')).toMatchObject({ code: 0, stdout: expect.stringContaining('factline resume payees --app payroll') as string });
  await until('both to be paused', async () => (await shown()).every(({ state }) => state === 'PAUSED'));
  for (const { trouble } of await shown()) expect(trouble).toMatchObject({ code: 'consumer.paused', reason: 'lea paused it: the bank changes', since: expect.stringMatching(/^\d{4}-/) as string, advice: expect.stringContaining('factline resume payees --app payroll') as string });
  for (const person of hired.slice(3)) await hr.hire(person);
  await payrolls[0]!.program.stop();
  payrolls[0] = await here.start('payroll');
  await until('what waits to be known', async () => (await shown()).every(({ state }) => state === 'PAUSED') && (await lag()) >= hired.length - 3, BOTH_READ_WITHIN); // partitions were claimed anew, with the facts before them
  expect(await paid(hired)).toBe(3);
  for (const { url } of payrolls) expect((await ask(`${url}/health/live`)).status).toBe(200);
  expect(await operate('pause', '--reason', 'again', '--by', 'tom')).toMatchObject({ code: 1, stderr: expect.stringContaining('by lea since') as string });
  expect(await operate('resume', '--by', 'tom')).toMatchObject({ code: 0, stdout: expect.stringContaining('lea had paused it') as string });
  await until('all to be paid', async () => (await paid(hired)) === hired.length);
  await until('both to say so', async () => (await shown()).every(({ state }) => state === 'LIVE'));
  expect(await operate('resume', '--by', 'tom')).toMatchObject({ code: 1, stderr: expect.stringContaining('tom resumed it') as string });
});

it('refuses a name that is no subscription, and a pause without who or why', async () => {
  expect(await here.factline(['pause', 'payee', '--app', 'payroll', '--reason', 'x', '--by', 'lea'])).toMatchObject({ code: 2, stderr: expect.stringContaining("no subscription 'payee'") as string });
  expect(await operate('pause', '--by', 'lea')).toMatchObject({ code: 2, stderr: expect.stringContaining('--reason') as string });
  expect(await operate('pause', '--reason', 'x')).toMatchObject({ code: 2, stderr: expect.stringContaining('--by') as string });
});
