import { type LogRecord, partitionOf } from 'factline/log';
import { type World, until, world } from 'factline/testing';
import { Post, QUEUE, gate } from './mail.spec.support.js';

let at: World;
let post: Post;
beforeEach(async () => {
  at = await world();
  post = await Post.open(at);
});
afterEach(async () => {
  await post?.close();
  await at?.close();
});

const done = (jobs: readonly string[]) => until('all jobs to be done', async () => (await post.jobs.statuses(jobs)).every(({ state }) => state === 'done'));
const sendMany = (count: number) => Promise.all(Array.from({ length: count }, (_, nth) => post.send(`c-${nth}`, 'mail')));

it('a job is done once in effect when its connection is killed between the effect and the commit; what is outside of the transaction happens again', async () => {
  let attempts = 0;
  await post.handle(async (_command, tx, run) => {
    await tx.query('insert into mailed (customer, text, job) values ($1, $2, $3)', ['early', 'effect', run.job]);
    if (++attempts === 1) await tx.query('select pg_terminate_backend(pg_backend_pid())');
  });
  const job = await post.send('c-1', 'hello');
  await done([job]);
  expect(attempts).toBe(2);
  expect((await post.mailed()).map(({ text }) => text)).toEqual(['effect', 'hello']);
});

it('a job is done once however often its record is on the log', async () => {
  const jobs = await sendMany(5);
  await post.handle();
  await done(jobs);
  const publisher = await post.log.publisher();
  const [state] = await post.log.describe([QUEUE]);
  let repeated = 0;
  for (const [partition, { end }] of state!.partitions.entries()) {
    const records: LogRecord[] = [];
    await post.log.read({ topic: QUEUE, ranges: [{ partition, from: 0, to: end }], batch: (batch) => void records.push(...batch.records) });
    if (records.length > 0) await publisher.send(QUEUE, partition, records.map(({ key, value }) => ({ key, value: value! })));
    repeated += records.length;
  }
  await publisher.close();
  expect(repeated).toBe(5);
  const last = await Promise.all(['x', 'y', 'z', 'c-0', 'c-1', 'c-2'].map((customer) => post.send(customer, 'last')));
  expect(new Set(['x', 'y', 'z', 'c-0', 'c-1', 'c-2'].map((key) => partitionOf(Buffer.from(`post/${key}`), 3))).size).toBe(3); // behind the repetitions of each partition
  await done(last);
  expect(await post.mailed()).toHaveLength(11);
});

describe('handlers that run at once', () => {
  async function most(concurrency: number): Promise<number> {
    const go = gate();
    let running = 0;
    let seen = 0;
    await post.handle(async () => {
      seen = Math.max(seen, ++running);
      await go.opened;
      running--;
    }, { concurrency });
    const jobs = await sendMany(12);
    await until('as many as may', () => running >= concurrency);
    go.open();
    await done(jobs);
    return seen;
  }

  it('are as many as was declared', async () => {
    expect(await most(2)).toBe(2);
  });

  it('control: are more when more was declared', async () => {
    expect(await most(5)).toBe(5);
  });
});

it('a rate holds for all processes together', async () => {
  const jobs = await sendMany(6);
  const { rows } = await post.store.query<{ now: Date }>('select clock_timestamp() as now');
  const rate = { count: 2, per: '2s' } as const;
  await Promise.all([post.handle(undefined, { rate }), post.handle(undefined, { rate })]);
  await done(jobs);
  const { rows: last } = await post.store.query<{ ms: number }>('select extract(epoch from max(closed_at) - $1)::float8 * 1000 as ms from factline.job', [rows[0]!.now]);
  // Two at once and one a second: the sixth has its turn after four seconds, less what a process may hold of the burst (5 %).
  expect(last[0]!.ms).toBeGreaterThan(3_800);
  expect(await post.mailed()).toHaveLength(6);
});

it('of a cancel and a handler one is first: a job whose cancel was answered is never performed, and all others are', async () => {
  const jobs = await sendMany(40);
  await post.handle();
  const cancelled = new Set<string>();
  const refused: string[] = [];
  await Promise.all(jobs.map((job) => post.jobs.cancel(job).then(() => cancelled.add(job), (error: { code: string }) => refused.push(error.code))));
  await until('an end of all', async () => (await post.jobs.statuses(jobs)).every(({ state }) => state === 'done' || state === 'cancelled'));
  await done([await post.send('c-0', 'last')]);
  const mailed = new Set((await post.mailed()).map(({ job }) => job));
  expect(jobs.filter((job) => mailed.has(job) === cancelled.has(job))).toEqual([]);
  expect(refused.filter((code) => code !== 'job.running' && code !== 'job.finished')).toEqual([]);
});

it('control: a cancelled job whose row is lost before its record passes is performed', async () => {
  const job = await post.send('c-1', 'mail');
  await post.jobs.cancel(job);
  await post.store.query('delete from factline.job');
  await post.handle();
  await until('the mail', async () => (await post.mailed()).length === 1);
});
