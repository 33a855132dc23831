import { partitionOf } from 'factline/log';
import { type Stack, startStack, stackEnvironment } from 'factline/stack';
import { until } from 'factline/testing';
import { type App, type Estate, estate } from './support/estate.js';
import { HrClient, inParallel } from './support/hr-client.js';
import { people } from './support/people.js';
import { ask } from './support/rest.js';

/** Kafka is taken away here, so this spec has a stack of its own. */
const STACK_STARTS_WITHIN = 120_000;

interface SubscriptionHealth {
  state: string;
  lag: number;
  asOf: string | null;
  trouble: { code: string; reason: string; advice?: string; since: string } | null;
}

let stack: Stack;
let here: Estate;
let hr: App;
let payroll: App;
let client: HrClient;
let hired = 0;

beforeAll(async () => {
  stack = await startStack({ from: 'packages' });
  here = await estate({ env: { ...stackEnvironment(stack) } });
  [hr, payroll] = [await here.start('hr'), await here.start('payroll')];
  client = new HrClient(hr.url);
}, STACK_STARTS_WITHIN);

afterAll(async () => {
  await here?.close();
  await stack?.stop();
});

async function hire(count: number): Promise<void> {
  await inParallel(people(hired + count, here.seed).slice(hired), 4, (person) => client.hire(person));
  hired += count;
}

const subscription = async (): Promise<SubscriptionHealth> => ((await ask(`${payroll.url}/health`)).body['subscriptions'] as SubscriptionHealth[])[0]!;
const inState = (state: string) =>
  until(`payroll to be ${state}`, async () => {
    const found = await subscription();
    return found.state === state ? found : undefined;
  });
const probes = async ({ url }: App) => [(await ask(`${url}/health/live`)).status, (await ask(`${url}/health/ready`)).status];

/** Metrics by name with labels, as Prometheus reads them. */
async function metrics({ url }: App): Promise<Map<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}
const ofPayees = (name: string) => `${name}{subscription="payees"}`;

it('LIVE: everything is applied, and the metrics count it', async () => {
  const before = [await metrics(hr), await metrics(payroll)] as const;
  await hire(30);
  await until('all facts to be applied', async () => (await metrics(payroll)).get(ofPayees('factline_subscription_facts_total')) === 30);
  const live = await inState('LIVE');
  expect([live.lag, live.trouble]).toEqual([0, null]);
  const asOf = Date.parse((await until('an as-of time', async () => (await subscription()).asOf)));
  expect(asOf).toBeLessThanOrEqual(Date.now());

  const [ofHr, ofPayroll] = [await metrics(hr), await metrics(payroll)];
  expect(before[0].get('factline_relay_published_facts_total')).toBe(0);
  expect(ofHr.get('factline_relay_published_facts_total')).toBe(30);
  expect(ofHr.get('factline_relay_owner')).toBe(1);
  expect(ofHr.get('factline_relay_ticks_total')).toBeGreaterThan(before[0].get('factline_relay_ticks_total')!);
  expect(ofPayroll.get('factline_relay_owner')).toBe(0);
  expect(ofPayroll.get(ofPayees('factline_subscription_lag_facts'))).toBe(0);
  expect(ofPayroll.get(ofPayees('factline_subscription_stalled'))).toBe(0);
  expect(ofPayroll.get(ofPayees('factline_subscription_as_of_age_seconds'))).toBeLessThan(60);
  expect([...ofHr].find(([name]) => name.startsWith('http_request_duration_seconds_count') && name.includes('/employees') && name.includes('201'))?.[1]).toBe(30);
  for (const name of ['factline_outbox_pending_facts', 'factline_outbox_pending_bytes', 'factline_outbox_oldest_age_seconds', 'factline_relay_rejected_sends_total']) expect(ofHr.has(name)).toBe(true);
  for (const name of ['transactions', 'duplicates', 'fenced', 'restarts', 'rebalances']) expect(ofPayroll.has(ofPayees(`factline_subscription_${name}_total`))).toBe(true);
});

it('STALE while Kafka is away: what is there is served with an as-of time that stands still, and no probe asks for a restart', async () => {
  await stack.parts!.kafka.stop();
  const stale = await inState('STALE');
  expect(stale.trouble).toMatchObject({ code: expect.stringMatching(/^log\./) as string, advice: expect.any(String) as string });
  expect(await probes(payroll)).toEqual([200, 200]);
  expect(await probes(hr)).toEqual([200, 200]);
  await hire(10); // hr goes on
  await until('the facts to be counted as pending', async () => (await metrics(hr)).get('factline_outbox_pending_facts') === 10);
  expect((await metrics(hr)).get('factline_outbox_oldest_age_seconds')).toBeGreaterThan(0);
  const { asOf } = await subscription();
  const first = [...client.expected.keys()][0]!;
  const read = await ask(`${payroll.url}/payees/${first}`);
  expect([read.status, read.headers.get('factline-as-of')]).toEqual([200, asOf]);
  const hrHealth = (await ask(`${hr.url}/health`)).body;
  expect(hrHealth).toMatchObject({ database: { state: 'ok' }, outbox: { rows: 10 } });
});

it('LIVE again when Kafka is back, with everything that waited, and an as-of time that moves', async () => {
  const { asOf: before } = await subscription();
  await stack.parts!.kafka.start();
  await until('the facts that waited to be applied', async () => (await metrics(payroll)).get(ofPayees('factline_subscription_facts_total')) === 40);
  await inState('LIVE');
  await until('the as-of time to move', async () => Date.parse((await subscription()).asOf ?? '') > Date.parse(before!));
  await until('nothing to be pending', async () => (await metrics(hr)).get('factline_outbox_pending_facts') === 0);
  expect((await metrics(hr)).get('factline_relay_published_facts_total')).toBe(40);
});

it('CATCHING-UP while it is behind: the lag says by how much', async () => {
  // Its rows are held, so that what arrives has to wait.
  const holder = await here.store('payroll').session();
  await holder.query('begin');
  await holder.query('lock table payees.payees in exclusive mode');
  await hire(10);
  const behind = await until('a lag', async () => {
    const found = await subscription();
    return found.lag > 0 ? found : undefined;
  });
  expect(behind.state).toBe('CATCHING-UP');
  expect(await probes(payroll)).toEqual([200, 200]);
  await holder.query('rollback');
  await holder.close();
  expect((await inState('LIVE')).lag).toBe(0);
});

it('BLOCKED-KEYS when a fact cannot be read: other keys go on, and the command line finds it, gives it up and applies what waited', async () => {
  const [unlucky] = [...client.expected.keys()];
  const log = here.world.log();
  const [topic] = await log.describe(['hr.employee']);
  const publisher = await log.publisher();
  const { baseOffset: offset } = await publisher.send('hr.employee', partitionOf(Buffer.from(unlucky!), topic!.partitions.length), [{ key: Buffer.from(unlucky!), value: Buffer.from('{"not": "a fact, but long enough for one"}') }]);
  await publisher.close();
  await log.close();
  const blocked = await inState('BLOCKED-KEYS');
  expect(blocked).toMatchObject({ lag: 0, trouble: { code: 'consumer.blocked-keys', advice: expect.stringContaining('factline dead-letters list payees --app payroll') as string } });
  expect((await metrics(payroll)).get(ofPayees('factline_subscription_blocked_keys'))).toBe(1);
  expect(await probes(payroll)).toEqual([200, 200]);
  await client.change({ kind: 'move', id: unlucky!, location: 'PT-LIS', salaryCents: 123_456 });
  await hire(1);
  const newest = [...client.expected.keys()].at(-1)!;
  await until('another key to be applied', async () => (await ask(`${payroll.url}/payees/${newest}`)).status === 200);
  const letters = (verb: string, ...more: string[]) => here.factline(['dead-letters', verb, 'payees', '--app', 'payroll', ...more]);
  await until('the fact behind it to wait', async () => (await letters('list')).stdout.includes('1 keys are blocked, 2 facts wait'));
  expect((await letters('list')).stdout).toMatch(new RegExp(`^1 keys {2}fact\\.undecodable .*\n {2}${unlucky!} \\(hr\\.employee\\[\\d+\\] offset ${offset}\\)`));
  expect((await letters('get', '--key', unlucky!)).stdout).toMatch(/fact\.undecodable[\s\S]*waits {2}hr\.EmployeeMoved \{.*"location":"PT-LIS"/);
  expect(await letters('requeue')).toMatchObject({ code: 2, stderr: expect.stringContaining('dead-letters.filter') as string });
  expect((await letters('requeue', '--all')).code).toBe(100);
  expect((await letters('purge', '--key', unlucky!, '--offset', String(offset), '--reason', 'it is no fact', '--by', 'spec')).stdout).toContain('1 facts of 1 keys given up');
  expect(await letters('requeue', '--all')).toMatchObject({ code: 0, stdout: '1 facts of 1 keys applied\n' });
  await inState('LIVE');
  expect((await ask(`${payroll.url}/payees/${unlucky}`)).body).toMatchObject({ location: 'PT-LIS', salaryCents: 123_456 });
});

it('OUTDATED while the software is newer than its tables: it serves, does not go on, and names the command that ends it', async () => {
  await payroll.program.stop();
  payroll = await here.start('payroll', { PAYROLL_PAYEES_VERSION: '2' });
  const outdated = await inState('OUTDATED');
  expect(outdated.trouble).toMatchObject({ code: 'projection.outdated', advice: expect.stringContaining('factline replay run payees --app') as string });
  expect(await probes(payroll)).toEqual([200, 200]);
  await hire(1);
  const newest = [...client.expected.keys()].at(-1)!;
  const token = { 'factline-token': client.tokens.get(newest)!, prefer: 'wait=0' };
  expect(await ask(`${payroll.url}/payees/${newest}`, 'GET', undefined, token)).toMatchObject({ status: 503, body: { code: 'read.not-yet' } });
  expect((await here.factline(['replay', 'run', 'payees', '--app', 'payroll'])).code).toBe(0);
  await inState('LIVE');
  expect((await ask(`${payroll.url}/payees/${newest}`, 'GET', undefined, { ...token, prefer: 'wait=10' })).status).toBe(200);
});

it('not ready while the database is away, alive all the same, and ready again when it is back', async () => {
  await stack.parts!.postgres.stop();
  await until('payroll to be not ready', async () => (await ask(`${payroll.url}/health/ready`)).status === 503);
  expect((await ask(`${payroll.url}/health/live`)).status).toBe(200);
  expect((await ask(`${payroll.url}/health`)).body).toMatchObject({ database: { state: 'unavailable', trouble: expect.any(String) as string } });
  expect((await ask(`${payroll.url}/payees?limit=1`)).status).toBe(503);
  await stack.parts!.postgres.start();
  await until('payroll to be ready', async () => (await ask(`${payroll.url}/health/ready`)).status === 200);
  await hire(1);
  await inState('LIVE');
  await until('the newest fact to be applied', async () => (await ask(`${payroll.url}/payees/${[...client.expected.keys()].at(-1)}`)).status === 200);
});
