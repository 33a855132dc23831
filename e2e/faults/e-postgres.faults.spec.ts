import { messageOf } from 'factline/kernel';
import { type Stack, startStack, stackEnvironment } from 'factline/stack';
import type { Session } from 'factline/store';
import { until } from 'factline/testing';
import { statedFacts } from '../support/employee-topic.js';
import { PaidEstate } from '../support/paid-estate.js';
import { ask } from '../support/rest.js';

/** Postgres is killed and filled up here, so these rows have a stack of their own, with few connections to fill. */
const STACK_STARTS_WITHIN = 240_000;
const CONNECTIONS = 60;
/** What an app has unless it says otherwise. */
const POOL_CONNECTIONS = 10;

let stack: Stack;
let paid: PaidEstate;

beforeAll(async () => {
  stack = await startStack({ from: 'packages', postgres: { max_connections: String(CONNECTIONS) } });
  paid = await PaidEstate.open({ ...stackEnvironment(stack) });
}, STACK_STARTS_WITHIN);

afterAll(async () => {
  await paid?.close();
  await stack?.stop();
});

const ready = async () => (await ask(`${paid.hr.url}/health/ready`)).status;
const move = (id: string) => ask(`${paid.hr.url}/employees/${id}/moves`, 'POST', { location: 'PAR' });

it('E1: Postgres killed with -9 under load has every acknowledged write after its restart, and both apps go on by themselves', async () => {
  const { postgres } = stack.parts!;
  await paid.underLoad(async (writers) => {
    for (let kill = 1; kill <= 2; kill++) {
      await paid.moreWrites(writers);
      await postgres.kill('SIGKILL');
      await until('hr to say that it is not ready', async () => (await ready()) === 503);
      await postgres.start();
      await until('hr to be ready', async () => (await ready()) === 200);
    }
  });
  expect(paid.unknown).toBeGreaterThan(0); // the control: it was killed among writes
  expect(await paid.faults()).toEqual([]);
});

/** Idle connections until the server takes no more. */
async function takeAllConnections(): Promise<() => Promise<void>> {
  const taken: Session[] = [];
  try {
    for (;;) taken.push(await paid.here.store('hr').session());
  } catch (error) {
    expect(messageOf(error)).toContain('too many clients');
  }
  return async () => void (await Promise.all(taken.map((session) => session.close())));
}

it('E5: while the server takes no more connections, an app works on with those it has', async () => {
  await paid.underLoad(async (writers) => {
    const release = await takeAllConnections();
    try {
      await paid.moreWrites(writers, 100);
    } finally {
      await release();
    }
  });
  expect(await paid.faults()).toEqual([]);
});

async function sessionsWaitingForLocks(): Promise<number> {
  const { rows } = await paid.here.store('hr').query("select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'");
  return rows.length;
}

/** Requests meet this lock until the work is done, however it ends. */
async function whileLocked(statement: string, work: () => Promise<unknown>): Promise<void> {
  const session = await paid.here.store('hr').session();
  try {
    await session.query('begin');
    await session.query(statement);
    await work();
  } finally {
    await session.close(); // which rolls back
  }
}

it('E5: while requests use up the connections of an app, others are told to come back, and its relay goes on over its own', async () => {
  const { here, ids } = paid;
  await whileLocked('lock table employee in exclusive mode', async () => {
    const answers = Promise.all(ids.slice(0, 2 * POOL_CONNECTIONS).map(move));
    await until('all connections of the app to wait', async () => (await sessionsWaitingForLocks()) === POOL_CONNECTIONS);
    await here.store('hr').query("select factline.outbox_add(topic, 'nobody', value, null) from factline.outbox order by id limit 1");
    await until('a fact to be published meanwhile', async () => (await statedFacts({ world: here.world, prefix: 'nobody' })).length > 0);
    expect(await sessionsWaitingForLocks()).toBe(POOL_CONNECTIONS); // the control: they are used up still
    const told = (await answers).map(({ status, headers }) => `${status} ${headers.get('retry-after')}`);
    expect(new Set(told)).toEqual(new Set(['503 1']));
  });
  await paid.underLoad((writers) => paid.moreWrites(writers));
  expect(await paid.faults()).toEqual([]);
});

it('E7: while a migration holds a table, requests are told to come back instead of piling up, and go on when it ends', async () => {
  await paid.underLoad(async (writers) => {
    await whileLocked('alter table employee add column drill integer', async () => {
      const answers = await Promise.all([move(paid.ids[0]!), ask(`${paid.hr.url}/employees/${paid.ids[0]}`)]);
      for (const { status, headers } of answers) expect(`${status} ${headers.get('retry-after')}`).toBe('503 1');
    });
    await paid.moreWrites(writers);
  });
  expect(await paid.faults()).toEqual([]);
});
