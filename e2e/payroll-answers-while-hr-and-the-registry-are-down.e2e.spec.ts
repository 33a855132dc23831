import { until } from 'factline/testing';
import { type App, type Estate, estate } from './support/estate.js';
import { Gate } from './support/gate.js';
import { HrClient } from './support/hr-client.js';
import { PayrollClient } from './support/payroll-client.js';
import { people } from './support/people.js';
import { ask } from './support/rest.js';

let here: Estate;
let registry: Gate;
let hr: App;
let payroll: App;
let hrClient: HrClient;
let payrollClient: PayrollClient;

beforeAll(async () => {
  here = await estate();
  registry = await Gate.to(here.world.registryUrl);
  here.environment['FACTLINE_REGISTRY_URL'] = registry.through(here.world.registryUrl);
  [hr, payroll] = [await here.start('hr'), await here.start('payroll')];
  hrClient = new HrClient(hr.url);
  payrollClient = new PayrollClient(payroll.url, here.databaseUrl('payroll'), here.prefix);
  for (const person of people(10, here.seed)) await hrClient.hire(person);
  await payrollClient.equals(hrClient.expected, 'ten payees');
});

afterAll(async () => {
  await here?.close();
  await registry?.close();
});

const stateOf = async (url: string) => ((await ask(`${url}/health`)).body['subscriptions'] as { state: string; trouble: { reason: string; advice?: string } | null }[])[0]!;

async function expectEverythingAnswers(): Promise<void> {
  const [id, expected] = [...hrClient.expected][0]!;
  expect(await ask(`${payroll.url}/payees/${id}`)).toMatchObject({ status: 200, body: { name: expected.name, salaryCents: expected.salaryCents } });
  expect((await ask(`${payroll.url}/payees?limit=5`)).status).toBe(200);
  expect((await ask(`${payroll.url}/payroll-runs`, 'POST', { month: '2026-11' })).status).toBe(201);
  expect([(await ask(`${payroll.url}/health/live`)).status, (await ask(`${payroll.url}/health/ready`)).status]).toEqual([200, 200]);
}

it('answers when hr has stopped and the registry is gone', async () => {
  await hr.program.stop();
  await registry.close();
  await expect(ask(`${here.environment['FACTLINE_REGISTRY_URL']}/subjects`)).rejects.toThrow('fetch failed'); // the gate is really closed
  await expectEverythingAnswers();
});

it('starts without both after kill -9, with all its rows, and is live again', async () => {
  await payroll.program.stop('SIGKILL');
  payroll = await here.start('payroll');
  await expectEverythingAnswers();
  expect(await payrollClient.differences(hrClient.expected)).toBe(0);
  await until('payroll to follow the topic again', async () => (await stateOf(payroll.url)).state === 'LIVE');
});

it('takes new facts from an hr that was started without the registry, too', async () => {
  hr = await here.start('hr');
  const [, other] = people(12, here.seed).slice(10);
  await hrClient.hire(other!);
  expect((await payrollClient.payee(other!.id, hrClient.tokens.get(other!.id))).payee).toMatchObject({ name: other!.name });
});

describe('what has never seen the registry', () => {
  it('cannot state facts: hr ends with exit code 3 and says why', async () => {
    const program = here.launch('hr', { HR_DATABASE_URL: await here.world.database('first_hr'), PORT: '0' });
    expect(await program.ended).toEqual({ code: 3, signal: null });
    const said = program.lines.find(({ level, code }) => level === 'error' && code !== undefined);
    expect(said).toMatchObject({ code: 'registry.unavailable', error: expect.stringContaining('registry') as string, advice: expect.any(String) as string });
    expect(program.stderr).toBe('');
  });

  it('can serve: payroll starts empty, says REGISTRY and why, and fills itself when the registry comes back', async () => {
    await payroll.program.stop();
    const database = await here.world.database('first_payroll');
    payroll = await here.start('payroll', { PAYROLL_DATABASE_URL: database });
    const stale = await until('payroll to be stale', async () => {
      const found = await stateOf(payroll.url);
      return found.state === 'REGISTRY' ? found : undefined;
    });
    expect(stale.trouble).toMatchObject({ code: 'registry.unavailable' });
    expect((await ask(`${payroll.url}/payees/${[...hrClient.expected.keys()][0]}`)).status).toBe(404);
    await registry.open();
    await new PayrollClient(payroll.url, database, here.prefix).equals(hrClient.expected, 'payroll to fill itself');
    await until('payroll to be live', async () => (await stateOf(payroll.url)).state === 'LIVE');
  });
});
