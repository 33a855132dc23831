import { Store } from 'factline/store';
import { until } from 'factline/testing';
import { type Estate, estate } from '../support/estate.js';
import { FakePooler } from '../support/fake-pooler.js';
import { HrClient } from '../support/hr-client.js';
import { statedFacts } from '../support/employee-topic.js';
import { people } from '../support/people.js';
import { ask } from '../support/rest.js';

let here: Estate;
const poolers: FakePooler[] = [];
const hr = 'HR_DATABASE_URL';

beforeAll(async () => {
  here = await estate({ apps: ['hr'] });
});
afterAll(async () => {
  await here?.close();
  for (const pooler of poolers) await pooler.close();
});

async function pooled(mode: 'transaction' | 'session'): Promise<string> {
  const pooler = await FakePooler.to(here.databaseUrl('hr'), mode);
  poolers.push(pooler);
  return pooler.through(here.databaseUrl('hr'));
}

const relay = async (url: string) => ((await ask(`${url}/health`)).body as { relay: { state: string; failure?: { code: string } } }).relay;

it('A15: behind a pooler that hands connections out by the transaction the relay refuses to work on a lock that it could not keep, and says so', async () => {
  // Stated without the pooler: whether requests pass one depends on whether it knows prepared statements, as pgbouncer does since 1.21 and this one does not.
  const direct = await here.start('hr', { HR_RELAY: 'off' });
  await new HrClient(direct.url).hire(people(1, here.seed)[0]!);
  await direct.program.stop();
  const app = await here.start('hr', { [hr]: await pooled('transaction') });
  // A statement may fail first: this pool hands out a connection in the middle of what somebody else began.
  const told = await until('the relay to say why', async () => [await relay(app.url)].find(({ failure }) => failure?.code === 'store.pooled'));
  expect(told.state).toBe('failing');
  expect((await ask(`${app.url}/health/live`)).status).toBe(200);
  await app.program.stop();
  expect(await statedFacts(here)).toEqual([]);
  const again = await here.start('hr', { [hr]: await pooled('session') });
  await until('what was stated to be published through a pool of sessions', async () => (await statedFacts(here)).length === 1);
  expect(await relay(again.url)).toMatchObject({ state: 'owner' });
});

it('A15: a session through it is refused also when nobody else is there and the same connection would answer each time; through a pool of sessions it is one', async () => {
  const open = async (mode: 'transaction' | 'session') => {
    const through = new Store({ url: await pooled(mode), applicationName: 'e2e pooled', connections: 1 });
    const refused = await through.session().then((session) => session.close(), ({ code }: { code: string }) => code);
    await through.close();
    return refused;
  };
  expect([await open('transaction'), await open('session')]).toEqual(['store.pooled', undefined]);
});

it('A15: control: a lock of a session outlives it behind such a pooler', async () => {
  const lock = 'select pg_try_advisory_lock(4711) as mine';
  const through = new Store({ url: await pooled('transaction'), applicationName: 'e2e pooled', connections: 1 });
  expect((await through.query<{ mine: boolean }>(lock)).rows[0]!.mine).toBe(true);
  await through.close();
  expect((await here.store('hr').query<{ mine: boolean }>(lock)).rows[0]!.mine).toBe(false);
});
