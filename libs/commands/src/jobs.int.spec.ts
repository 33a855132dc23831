import { ReactionDeadLetters } from 'factline/reactions';
import { Refusal } from 'factline/kernel';
import { type World, until, world } from 'factline/testing';
import { Post, QUEUE, SendMail, gate } from './mail.spec.support.js';

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

const unreadWriters = { byId: () => Promise.reject(new Error('nothing is read here')) };

it('a command is performed once, and its job is done with what the handler returned', async () => {
  const job = await post.send('c-1', 'hello');
  expect(await post.jobs.status(job)).toMatchObject({ state: 'queued', queue: QUEUE, key: 'c-1', command: 'post.SendMail', position: 0, expectedWaitMs: null, result: null, problem: null });
  await post.handle((command) => ({ to: command.key, from: command.sender }));
  await until('the job to be done', async () => (await post.state(job)) === 'done');
  expect(await post.mailed()).toEqual([{ customer: 'c-1', text: 'hello', job }]);
  expect(await post.jobs.status(job)).toMatchObject({ result: { to: 'c-1', from: 'post' }, finishedAt: expect.any(Date) as Date, position: null });
});

it('a command whose transaction fails is not sent, and has no job', async () => {
  let job = '';
  const failed = post.store.transaction(async (tx) => {
    ({ job } = await post.commands.send(tx, SendMail('c-1', { text: 'no' })));
    throw new Refusal({ code: 'spec.no', message: 'No.' });
  });
  await expect(failed).rejects.toMatchObject({ code: 'spec.no' });
  await expect(post.jobs.status(job)).rejects.toMatchObject({ code: 'job.unknown', kind: 'not-found' });
  expect((await post.store.query('select from factline.outbox')).rowCount).toBe(0);
});

it('of many sends with one idempotency key at the same time one is sent, and all answer its job', async () => {
  const sent = await Promise.all(Array.from({ length: 8 }, (_, nth) => post.store.transaction((tx) => post.commands.send(tx, SendMail(`c-${nth}`, { text: 'once' }), { idempotencyKey: 'order 7' }))));
  expect(new Set(sent.map(({ job }) => job)).size).toBe(1);
  expect(sent.filter(({ repeated }) => !repeated)).toHaveLength(1);
  await post.handle();
  await until('the job to be done', async () => (await post.state(sent[0]!.job)) === 'done');
  expect(await post.mailed()).toHaveLength(1);
});

it('control: without the key each of them is sent', async () => {
  const sent = await Promise.all(Array.from({ length: 8 }, () => post.send('c-1', 'each')));
  expect(new Set(sent).size).toBe(8);
  await post.handle();
  await until('all to be mailed', async () => (await post.mailed()).length === 8);
});

it('commands of a key are performed in their order while an earlier one is tried again, and other keys go on', async () => {
  let attempts = 0;
  const again = gate();
  await post.handle(({ data }) => {
    if (data.text === 'first' && ++attempts < 3) throw new TypeError('not yet');
    return data.text === 'first' ? again.opened : undefined;
  });
  await post.store.transaction(async (tx) => {
    for (const text of ['first', 'second', 'third']) await post.commands.send(tx, SendMail('c-1', { text }));
    await post.commands.send(tx, SendMail('c-2', { text: 'other' }));
  });
  await until('the other key', async () => (await post.texts('c-2')).length === 1);
  expect(await post.texts('c-1')).toEqual([]);
  again.open();
  await until('the key', async () => (await post.texts('c-1')).length === 3);
  expect(await post.texts('c-1')).toEqual(['first', 'second', 'third']);
  expect(attempts).toBe(3);
});

it('what runs says so and how far it is, and behind it the others know their place', async () => {
  const end = gate();
  await post.handle(async (_command, _tx, run) => {
    run.progress(0.4, 'reading');
    await end.opened;
  });
  const job = await post.send('c-1', 'long');
  const next = await post.send('c-1', 'next');
  await until('the progress', async () => (await post.jobs.status(job)).progress !== null);
  expect(await post.jobs.status(job)).toMatchObject({ state: 'running', progress: { share: expect.closeTo(0.4) as number, text: 'reading' } });
  expect(await post.jobs.status(next)).toMatchObject({ state: 'queued', position: 1 });
  await expect(post.jobs.cancel(job)).rejects.toMatchObject({ code: 'job.running', kind: 'conflict' });
  end.open();
  await until('both to be done', async () => (await post.state(job)) === 'done' && (await post.state(next)) === 'done');
  expect((await post.store.query('select from factline.job_progress')).rowCount).toBe(0);
  await expect(post.jobs.cancel(job)).rejects.toMatchObject({ code: 'job.finished', kind: 'conflict' });
});

it('a job that was cancelled is never performed, and those behind it are', async () => {
  const [one, two] = [await post.send('c-1', 'one'), await post.send('c-1', 'two')];
  await post.jobs.cancel(one);
  await post.jobs.cancel(one);
  await post.handle();
  await until('the second', async () => (await post.state(two)) === 'done');
  expect(await post.texts('c-1')).toEqual(['two']);
  expect(await post.state(one)).toBe('cancelled');
});

it('a job that fails for good says why and how it is repaired, blocks its key, and after the requeue is done', async () => {
  let broken = true;
  await post.handle(() => {
    if (broken) throw new Refusal({ code: 'mail.address', message: 'There is no such address.' });
  });
  const [one, two] = [await post.send('c-1', 'one'), await post.send('c-1', 'two')];
  await until('the failure', async () => (await post.state(one)) === 'failed' && (await post.state(two)) === 'blocked');
  const repair = "factline dead-letters requeue post_mail --app post --key 'post/c-1'";
  expect((await post.jobs.status(one)).problem).toEqual({ code: 'mail.address', message: 'There is no such address.', advice: expect.any(String) as string, repair });
  expect((await post.jobs.status(two)).problem).toMatchObject({ code: 'job.blocked', repair });
  const three = await post.send('c-2', 'three');
  broken = false;
  await until('the other key', async () => (await post.state(three)) === 'done');
  await new ReactionDeadLetters('post_mail', post.store, post.log, unreadWriters).requeue({ key: 'post/c-1' }, { by: 'spec' });
  await until('both to be done', async () => (await post.state(one)) === 'done' && (await post.state(two)) === 'done');
  expect(await post.texts('c-1')).toEqual(['one', 'two']);
});

it('the owner performs what two other apps send for one key, and each of them knows that it was sent', async () => {
  const shop = await Post.open(at, 'shop', post.broker);
  const bank = await Post.open(at, 'bank', post.broker);
  try {
    const jobs = [await shop.send('c-1', 'from the shop'), await bank.send('c-1', 'from the bank')];
    expect(await shop.state(jobs[0]!)).toBe('sent');
    await post.handle();
    await until('both', async () => (await post.mailed()).length === 2);
    expect((await post.texts('c-1')).toSorted()).toEqual(['from the bank', 'from the shop']);
    expect(await Promise.all(jobs.map((job) => post.state(job)))).toEqual(['done', 'done']);
  } finally {
    await shop.close();
    await bank.close();
  }
});
