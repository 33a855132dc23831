import { Jobs, isFinal } from 'factline/commands';
import { SERVICE_CONFIG } from 'factline/nest';
import { until } from 'factline/testing';
import { Turnstile } from './turnstile.js';
import { BoxOffice, type Told, tally } from './ticketing.spec.support.js';

/** What the turnstile lets through a second, how many may wait, and who comes at once: also a busy machine takes more than that in a second. */
const [A_SECOND, MAY_WAIT, CUSTOMERS] = [10, 60, 300];
/** Rows of 75: two customers want each seat. */
const ROW = 75;

interface Job {
  state: 'queued' | 'running' | 'done';
  position: number | null;
  expectedWaitMs: number | null;
  result: { outcome: string; lockId?: string } | null;
}

let office: BoxOffice;
/** As a process knows it that was not asked yet. */
const elsewhere = () => new Turnstile(new Jobs(office.store), office.store, office.service.app.get(SERVICE_CONFIG, { strict: false }));
let event: string;
let answers: Told[];
/** What some of those who wait saw, one look after the other. */
const seen = new Map<string, Job[]>();

const jobOf = async (job: string) => (await office.send('GET', `/jobs/${job}`)).body as unknown as Job;
const waiting = () => answers.filter(({ status }) => status === 202).map(({ body }) => body['job'] as string);
const positionsOf = (looks: readonly Job[]) => looks.flatMap(({ position }) => position ?? []);
const goesDown = (positions: readonly number[]) => expect(positions).toEqual(positions.toSorted((a, b) => b - a));

/** The events of a job, to its end. */
async function follow(job: string): Promise<Job[]> {
  const response = await fetch(`${office.service.url}/jobs/${job}/events`);
  return [...(await response.text()).matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!) as Job);
}

/** Of every fourth. @returns whether their turns have come. */
async function lookAtSome(): Promise<boolean> {
  const looked = await Promise.all(waiting().filter((_job, nth) => nth % 4 === 0).map(async (job) => ({ job, status: await jobOf(job) })));
  for (const { job, status } of looked) seen.set(job, [...(seen.get(job) ?? []), status]);
  return looked.every(({ status }) => isFinal(status));
}

beforeAll(async () => {
  office = await BoxOffice.open({ TICKETING_LOCKS_PER_SECOND: String(A_SECOND), TICKETING_MAY_WAIT: String(MAY_WAIT) });
  event = await office.event(ROW, ROW);
  answers = await Promise.all(Array.from({ length: CUSTOMERS }, (_, nth) => office.lock(event, `${nth % 2 === 0 ? 'A' : 'B'}-${(Math.floor(nth / 2) % ROW) + 1}`, `c-${nth}`)));
});

afterAll(() => office?.close());

it('a spike is answered: some have their seat, some wait, some are told that it is taken or to come back', () => {
  const statuses = tally(answers);
  expect(Object.keys(statuses).toSorted()).toEqual(['201', '202', '409', '503']);
  expect(statuses[201]).toBeGreaterThanOrEqual(A_SECOND / 2);
  for (const { headers, body } of answers.filter(({ status }) => status === 202)) expect(headers.get('location')).toBe(`/jobs/${body['job'] as string}`);
  for (const { headers, body } of answers.filter(({ status }) => status === 503)) expect([body['code'], Number(headers.get('retry-after')) >= 1]).toEqual(['command.backlog', true]);
});

it('while somebody waits, whoever comes waits behind them, and is told how it goes', async () => {
  const [another, before] = [await office.event(1), await lookAtSome()];
  expect(before).toBe(false);
  const ask = () => office.lock(another, 'A-1', 'late', { 'idempotency-key': another });
  const late = await until('a place in the queue', async () => [await ask()].find(({ status }) => status !== 503));
  expect([late.status, (await ask()).body]).toEqual([202, late.body]);
  expect(await elsewhere().room()).toBe(false);
  const events = follow(late.body['job'] as string);
  await until('all turns to come', lookAtSome);
  const told = await events;
  expect(new Set(positionsOf(told)).size).toBeGreaterThan(1);
  goesDown(positionsOf(told));
  expect(told.some(({ expectedWaitMs }) => expectedWaitMs !== null && expectedWaitMs > 0)).toBe(true);
  expect(told.at(-1)).toMatchObject({ state: 'done', result: { outcome: 'locked', lockId: expect.any(String) as string } });
});

it('the positions of who waited went down, and every turn came', async () => {
  for (const looks of seen.values()) goesDown(positionsOf(looks));
  expect([...seen.values()].filter((looks) => new Set(positionsOf(looks)).size > 1).length).toBeGreaterThan(0);
  for (const job of waiting()) expect(['locked', 'seat.taken']).toContain((await jobOf(job)).result?.outcome);
});

it('each seat was locked once at most, by one of those who were told so', async () => {
  const turns = await Promise.all(waiting().map(jobOf));
  const { rows } = await office.store.query<{ locks: number; seats: number }>(
    `select count(*)::integer as locks, count(distinct key)::integer as seats from factline.outbox where topic = 'ticketing.seat' and key like $1`,
    [`${event}/%`],
  );
  expect(rows[0]!.locks).toBe(rows[0]!.seats);
  expect(rows[0]!.locks).toBe(tally(answers)[201]! + turns.filter(({ result }) => result?.outcome === 'locked').length);
});

it('when nobody waits any more, who comes has the seat at once', async () => {
  const turnstile = office.service.app.get(Turnstile);
  await until('room', () => turnstile.room());
  const another = elsewhere();
  expect(await another.room()).toBe(true);
  await another.onApplicationShutdown();
  await office.locked(await office.event(1), 'A-1');
});
