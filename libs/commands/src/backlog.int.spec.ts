import { type World, until, world } from 'factline/testing';
import { Refusal } from 'factline/kernel';
import { type BacklogOptions, type SendOptions, commandQueue } from './index.js';
import { Post, QUEUE, SendMail } from './mail.spec.support.js';

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

const LIMIT = 4;
async function full(past: BacklogOptions['past']): Promise<void> {
  post.commands.guard(commandQueue({ queue: QUEUE, backlog: { limit: LIMIT, past } }));
  for (let nth = 0; nth < LIMIT; nth++) await post.send('c-1', 'fills');
}
const send = (options: SendOptions) => post.store.transaction((tx) => post.commands.send(tx, SendMail('c-2', { text: 'more' }), options));
const backlog = { code: 'command.backlog', kind: 'unavailable', retryAfterMs: expect.any(Number) as number, details: { queue: QUEUE, open: LIMIT, limit: LIMIT } };

it('a queue that is too long refuses commands of low priority, and takes the others', async () => {
  await full('refuse-low-priority');
  await expect(send({ priority: 'low' })).rejects.toMatchObject(backlog);
  await send({});
  await send({ priority: 'high' });
});

it('control: it refuses none before it is too long, and none where nothing was declared', async () => {
  post.commands.guard(commandQueue({ queue: QUEUE, backlog: { limit: LIMIT + 1, past: 'shed' } }));
  for (let nth = 0; nth < LIMIT; nth++) await post.send('c-1', 'fills');
  await send({ priority: 'low' });
  await expect(send({ priority: 'low' })).rejects.toMatchObject({ code: 'command.backlog' });
  const other = await Post.open(at, 'shop', post.broker);
  for (let nth = 0; nth < LIMIT + 2; nth++) await other.send('c-1', 'fills', { priority: 'low' });
  await other.close();
});

it('a queue that sheds refuses all, but answers what was sent before', async () => {
  await full('shed');
  await expect(send({ priority: 'high' })).rejects.toMatchObject(backlog);
  await expect(send({ idempotencyKey: 'new' })).rejects.toMatchObject(backlog);
  await post.store.query("update factline.job set idempotency_key = 'old' where id = (select min(id::text)::uuid from factline.job)");
  expect(await send({ idempotencyKey: 'old' })).toMatchObject({ repeated: true });
});

it('takes commands again when the queue is shorter', async () => {
  await full('shed');
  await expect(send({})).rejects.toMatchObject(backlog);
  await post.handle();
  await until('the queue to be shorter', () => send({}).then(() => true, () => false));
});

it('a queue may put commands off: they are taken, wait until it is expected to have room, and say so', async () => {
  await full('later');
  const [one, two] = [await send({}), await send({})];
  expect(one.notBefore).toBeInstanceOf(Date);
  expect(await post.state(one.job)).toBe('waiting');
  expect((await post.jobs.status(two.job)).expectedWaitMs).toBeGreaterThan(0);
  await post.handle();
  post.commands.start();
  post.onClose(() => post.commands.stop());
  await until('both', async () => (await post.texts('c-2')).length === 2, 30_000);
});

it('jobs that wait for a repair make no queue too long', async () => {
  let broken = true;
  await post.handle(() => {
    if (broken) throw new Refusal({ code: 'mail.address', message: 'No such address.' });
  });
  const job = await post.send('c-1', 'fails');
  for (let nth = 0; nth < LIMIT; nth++) await post.send('c-1', 'behind');
  await until('the failures', async () => {
    const [queue] = await post.jobs.queues();
    return queue?.failed === 1 && queue.blocked === LIMIT && queue.queued === 0;
  });
  broken = false;
  post.commands.guard(commandQueue({ queue: QUEUE, backlog: { limit: LIMIT, past: 'shed' } }));
  await send({});
  expect(await post.state(job)).toBe('failed');
});

it('a backlog that means nothing is refused', () => {
  expect(() => commandQueue({ queue: QUEUE, backlog: { limit: 0, past: 'shed' } })).toThrow(expect.objectContaining({ code: 'command.queue-invalid' }));
});
