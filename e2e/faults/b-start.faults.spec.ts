import { until } from 'factline/testing';
import { type App, type Estate, estate } from '../support/estate.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { HrClient } from '../support/hr-client.js';
import { PayrollClient } from '../support/payroll-client.js';
import { people } from '../support/people.js';
import { ask } from '../support/rest.js';

let here: Estate;
let kafka: FaultProxy;

beforeAll(async () => {
  here = await estate();
  kafka = await FaultProxy.to(here.world.kafka[0]!);
  here.environment['FACTLINE_KAFKA'] = kafka.address;
});

afterAll(async () => {
  await here?.close();
  await kafka?.close();
});

const subscriptionOf = async ({ url }: App) => ((await ask(`${url}/health`)).body['subscriptions'] as { state: string; trouble: { code: string } | null }[])[0]!;

it('B4: apps that start while no broker answers are ready, take writes and answer reads, say STALE, and carry on when there is a broker', async () => {
  kafka.refuse();
  const [hr, payroll] = [await here.start('hr'), await here.start('payroll')];
  const client = new HrClient(hr.url);
  for (const person of people(5, here.seed)) await client.hire(person);
  const stale = await until('payroll to say what is wrong', async () => {
    const found = await subscriptionOf(payroll);
    return found.state === 'STALE' ? found : undefined;
  });
  expect(stale.trouble).toMatchObject({ code: expect.stringMatching(/^log\./) as string });
  expect((await ask(`${payroll.url}/payees?limit=5`)).status).toBe(200);
  await until('the five facts to be shown as pending', async () => ((await ask(`${hr.url}/health`)).body['outbox'] as { rows: number }).rows === 5);
  expect([(await ask(`${payroll.url}/health/live`)).status, (await ask(`${hr.url}/health/live`)).status]).toEqual([200, 200]);
  await kafka.heal();
  const payees = new PayrollClient(payroll.url, here.databaseUrl('payroll'), here.prefix);
  await payees.equals(client.expected, 'five payees');
  await until('payroll to be LIVE', async () => (await subscriptionOf(payroll)).state === 'LIVE');
});
