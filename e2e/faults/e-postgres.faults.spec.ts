import { messageOf } from 'factline/kernel';
import { type Stack, startStack, stackEnvironment } from 'factline/stack';
import type { Session } from 'factline/store';
import { until } from 'factline/testing';
import { statedFacts } from '../support/employee-topic.js';
import { type App, type Estate, estate } from '../support/estate.js';
import { HrClient, inParallel } from '../support/hr-client.js';
import { faultsOfAll, settled } from '../support/paid-once.js';
import { people } from '../support/people.js';
import { ask } from '../support/rest.js';
import { SteadyWriters } from '../support/steady-writers.js';

/** Postgres is killed and filled up here, so these rows have a stack of their own. */
const STACK_STARTS_WITHIN = 240_000;
const EMPLOYEES = 24;
const FIRST_SALARY = 1_000_000;

let stack: Stack;
let here: Estate;
let apps: App[];
let ids: string[];

beforeAll(async () => {
  stack = await startStack({ from: 'packages', postgres: { max_connections: '60' } });
  here = await estate({ ...stackEnvironment(stack) });
  apps = [await here.start('hr'), await here.start('payroll')];
  const staff = people(EMPLOYEES, here.seed);
  ids = staff.map(({ id }) => id);
  const client = new HrClient(hr().url);
  await inParallel(staff, 8, (person) => client.hire(person));
}, STACK_STARTS_WITHIN);

afterAll(async () => {
  await here?.close();
  await stack?.stop();
});

const hr = () => apps[0]!;
const written: SteadyWriters[] = [];
/** What an app has unless it says otherwise. */
const POOL_CONNECTIONS = 10;

async function sessionsWaitingForLocks(): Promise<number> {
  const { rows } = await here.hr.query("select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'");
  return rows.length;
}

/** Writers at work for as long as something happens; what all of them wrote must be right afterwards. */
async function underLoad(work: (writers: SteadyWriters) => Promise<unknown>): Promise<SteadyWriters> {
  const writers = new SteadyWriters(hr().url, ids, FIRST_SALARY * (written.length + 1));
  written.push(writers);
  await until('some writes', () => writers.acknowledged > 50);
  await work(writers).finally(() => writers.stop());
  return writers;
}

async function expectRight(): Promise<void> {
  await settled(here);
  expect(await faultsOfAll(here, ids, written.flatMap(({ writes }) => writes))).toEqual([]);
  expect(apps.map(({ program }) => program.running)).toEqual([true, true]);
}

it('E1: Postgres killed with -9 under load has every acknowledged write after its restart, and both apps go on by themselves', async () => {
  const { postgres } = stack.parts!;
  const writers = await underLoad(async (writing) => {
    for (let kill = 1; kill <= 2; kill++) {
      const before = writing.acknowledged;
      await until('writes between the kills', () => writing.acknowledged > before + 50);
      await postgres.kill('SIGKILL');
      await until('hr to turn writes away', async () => (await ask(`${hr().url}/health/ready`)).status === 503);
      await postgres.start();
      await until('hr to be ready', async () => (await ask(`${hr().url}/health/ready`)).status === 200);
    }
  });
  expect(writers.writes.some(({ outcome }) => outcome === 'unknown')).toBe(true); // the control: it was killed among writes
  await expectRight();
});

/** Idle connections until the server takes no more; its last ones are reserved for superusers, which the apps of these specs are, too. */
async function takeAllConnections(): Promise<() => Promise<void>> {
  const taken: Session[] = [];
  try {
    for (;;) taken.push(await here.hr.session());
  } catch (error) {
    expect(messageOf(error)).toContain('too many clients');
  }
  return async () => void (await Promise.all(taken.map((session) => session.close())));
}

it('E5: while the server takes no more connections, an app works on with those it has', async () => {
  await underLoad(async (writers) => {
    const release = await takeAllConnections();
    try {
      const before = writers.acknowledged;
      await until('writes over the connections there are', () => writers.acknowledged > before + 100);
    } finally {
      await release();
    }
  });
  await expectRight();
});

/** Requests meet this lock until the work is done, however it ends. */
async function whileLocked(statement: string, work: () => Promise<unknown>): Promise<void> {
  const session = await here.hr.session();
  try {
    await session.query('begin');
    await session.query(statement);
    await work();
  } finally {
    await session.close(); // which rolls back
  }
}

it('E5: while requests use up the connections of an app, others are told to come back, and its relay goes on over its own', async () => {
  await whileLocked('lock table employee in exclusive mode', async () => {
    const answers = Promise.all(Array.from({ length: 2 * POOL_CONNECTIONS }, (_each, at) => ask(`${hr().url}/employees/${ids[at]}/moves`, 'POST', { location: 'PAR' })));
    await until('all connections of the app to wait', async () => (await sessionsWaitingForLocks()) === POOL_CONNECTIONS);
    await here.hr.query("select factline.outbox_add(topic, 'nobody', value, null) from factline.outbox order by id limit 1");
    await until('a fact to be published meanwhile', async () => (await statedFacts({ world: here.world, prefix: 'nobody' })).length > 0);
    expect(await sessionsWaitingForLocks()).toBe(POOL_CONNECTIONS); // the control: they are used up still
    const told = (await answers).map(({ status, headers }) => `${status} ${headers.get('retry-after')}`);
    expect(new Set(told)).toEqual(new Set(['503 1']));
  });
  await underLoad(() => Promise.resolve());
  await expectRight();
});

it('E7: while a migration holds a table, requests are told to come back instead of piling up, and go on when it ends', async () => {
  await underLoad(async (writers) => {
    await whileLocked('alter table employee add column drill integer', async () => {
      const answers = await Promise.all([ask(`${hr().url}/employees/${ids[0]}/moves`, 'POST', { location: 'PAR' }), ask(`${hr().url}/employees/${ids[0]}`)]);
      for (const { status, headers } of answers) expect(`${status} ${headers.get('retry-after')}`).toBe('503 1');
    });
    const before = writers.acknowledged;
    await until('writes again', () => writers.acknowledged > before + 50);
  });
  await expectRight();
});
