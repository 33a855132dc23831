import { Refusal, silentLogger } from 'factline/kernel';
import { ReactionDeadLetters } from 'factline/reactions';
import { type World, until, world } from 'factline/testing';
import { Post } from './mail.spec.support.js';
import { JobRetention } from './retention.js';

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

const sweep = (keepMs: number) => new JobRetention(post.store, keepMs, silentLogger).sweep();
const kept = async () => new Set((await post.store.query<{ id: string }>('select id from factline.job')).rows.map(({ id }) => id));

it('finished jobs are removed when they were kept for long enough; what is not finished stays, and so does a cancelled one whose record has not passed', async () => {
  const first = await post.handle();
  const done = await post.send('c-1', 'done');
  const passed = await post.send('c-9', 'passed', { notBefore: '1h' });
  await until('the job to be done', async () => (await post.state(done)) === 'done');
  await first.stop();
  await post.jobs.cancel(passed);
  const open = await post.send('c-2', 'open');
  const cancelled = await post.send('c-3', 'cancelled');
  await post.jobs.cancel(cancelled);
  await sweep(60_000);
  expect(await kept()).toEqual(new Set([done, passed, open, cancelled]));
  await sweep(0);
  expect(await kept()).toEqual(new Set([open, cancelled]));
  await post.handle();
  await until('the open one', async () => (await post.state(open)) === 'done');
  await until('the record of the cancelled one to pass', async () => (await post.jobs.status(cancelled)).finishedAt !== null);
  await sweep(0);
  expect(await kept()).toEqual(new Set());
  expect(await post.texts('c-3')).toEqual([]);
});

it('a job whose record was given up is failed for good, and says so', async () => {
  await post.handle(({ data }) => {
    if (data.text === 'bad') throw new Refusal({ code: 'mail.address', message: 'No such address.' });
  });
  const [bad, good] = [await post.send('c-1', 'bad'), await post.send('c-1', 'good')];
  await until('the failure', async () => (await post.state(good)) === 'blocked');
  const letters = new ReactionDeadLetters('post_mail', post.store, post.log, { byId: () => Promise.reject(new Error('nothing is read here')) });
  const [{ offset } = { offset: -1 }] = (await letters.list({ code: 'mail.address' })).letters;
  await letters.purge({ key: 'post/c-1', offset }, { reason: 'spec', by: 'spec' });
  await letters.requeue({ all: true }, { by: 'spec' });
  await until('the good one', async () => (await post.state(good)) === 'done');
  await sweep(60_000);
  expect(await post.jobs.status(bad)).toMatchObject({ state: 'failed', problem: { code: 'job.given-up' }, finishedAt: expect.any(Date) as Date });
  expect(await post.state(good)).toBe('done');
});
