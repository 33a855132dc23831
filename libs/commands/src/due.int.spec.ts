import { Refusal, silentLogger } from 'factline/kernel';
import { type World, until, world } from 'factline/testing';
import { DueCommands } from './due-commands.js';
import { Commands, advanceCommandClock } from './index.js';
import { Post, SendMail } from './mail.spec.support.js';
import { Schedules } from './schedules.js';

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

/** What sends on in one process; several are as many processes. */
function process(): DueCommands {
  const schedules = new Schedules((tx, command) => post.commands.send(tx, command), silentLogger);
  return new DueCommands({ store: post.store, outbox: post.outbox, schedules, log: silentLogger });
}
const stated = async () => (await post.store.query<{ total: number }>('select coalesce(sum(sequence), 0)::integer as total from factline.outbox_key')).rows[0]!.total;

it('a command is not sent before its time, and is when it has come', async () => {
  const job = await post.send('c-1', 'later', { notBefore: '1h' });
  const due = process();
  await due.step();
  expect(await stated()).toBe(0);
  const waiting = await post.jobs.status(job);
  expect(waiting).toMatchObject({ state: 'waiting', position: null, finishedAt: null });
  expect(waiting.expectedWaitMs).toBeGreaterThan(3_500_000);
  await advanceCommandClock(post.store, '59m');
  await due.step();
  expect(await stated()).toBe(0);
  await advanceCommandClock(post.store, '1m');
  await due.step();
  expect(await stated()).toBe(1);
  await post.handle();
  await until('the job to be done', async () => (await post.state(job)) === 'done');
  expect(await post.texts('c-1')).toEqual(['later']);
});

it('a running app sends on by itself what is due, and commands of a key in the order of their times', async () => {
  const { rows } = await post.store.query<{ at: Date }>("select clock_timestamp() + interval '1 day' as at");
  const times = [3, 1, 2].map((hours) => new Date(rows[0]!.at.getTime() + hours * 3_600_000));
  for (const time of times) await post.send('c-1', time.toISOString(), { notBefore: time });
  post.commands.start();
  post.onClose(() => post.commands.stop());
  await post.handle();
  await advanceCommandClock(post.store, '2d');
  await until('all of them', async () => (await post.mailed()).length === 3);
  expect(await post.texts('c-1')).toEqual(times.map((time) => time.toISOString()).toSorted());
});

describe('of three processes that send on at the same time', () => {
  const commands = 200;
  const fill = () => post.store.transaction(async (tx) => {
    for (let nth = 0; nth < commands; nth++) await post.commands.send(tx, SendMail(`c-${nth % 7}`, { text: String(nth) }), { notBefore: 0 });
  });

  it('each command is sent by one', async () => {
    await fill();
    await Promise.all([process(), process(), process()].map((due) => due.step()));
    await process().step();
    expect(await stated()).toBe(commands);
    expect((await post.store.query('select from factline.waiting_command')).rowCount).toBe(0);
    expect((await post.store.query("select from factline.job where state = 'queued' and sequence is not null")).rowCount).toBe(commands);
  });

  it('control: with nothing held, two of them send the same ones', async () => {
    await fill();
    await Promise.all([1, 2].map(() => post.store.transaction(async (tx) => {
      const { rows } = await tx.query<{ id: string; topic: string; key: string; value: Buffer }>('select id, topic, key, value from factline.waiting_command order by key, number');
      for (const row of rows) await post.outbox.addEncoded(tx, row);
    })));
    expect(await stated()).toBe(2 * commands);
  });
});

it('a waiting command that was cancelled is never sent', async () => {
  const job = await post.send('c-1', 'no', { notBefore: '1h' });
  await post.jobs.cancel(job);
  await advanceCommandClock(post.store, '2h');
  await process().step();
  expect(await stated()).toBe(0);
  expect(await post.jobs.status(job)).toMatchObject({ state: 'cancelled', finishedAt: expect.any(Date) as Date });
});

it('a command is taken back with the transaction that decides it, and stays when that fails', async () => {
  const [kept, dropped] = [await post.send('c-1', 'kept', { notBefore: '1h' }), await post.send('c-2', 'dropped', { notBefore: '1h' })];
  const failed = post.store.transaction(async (tx) => {
    await post.commands.cancel(tx, kept);
    throw new Refusal({ code: 'spec.no', message: 'No.' });
  });
  await expect(failed).rejects.toMatchObject({ code: 'spec.no' });
  await post.store.transaction((tx) => post.commands.cancel(tx, dropped));
  await advanceCommandClock(post.store, '2h');
  await process().step();
  await post.handle();
  await until('the kept one', async () => (await post.state(kept)) === 'done');
  expect(await post.state(dropped)).toBe('cancelled');
  expect(await stated()).toBe(1);
});

it('of a cancel and the time that comes, one is first: either it was taken back, or it is taken back in the queue', async () => {
  const jobs = await Promise.all(Array.from({ length: 20 }, (_, nth) => post.send(`c-${nth}`, 'no', { notBefore: 0 })));
  await Promise.all([process().step(), process().step(), ...jobs.map((job) => post.jobs.cancel(job))]);
  await process().step();
  await post.handle();
  const last = await post.send('c-1', 'last');
  await until('the last one', async () => (await post.state(last)) === 'done');
  expect(await post.mailed()).toEqual([{ customer: 'c-1', text: 'last', job: last }]);
});

it('a second send with the same idempotency key waits for nothing: it answers the first job and its time', async () => {
  const send = () => post.store.transaction((tx) => post.commands.send(tx, SendMail('c-1', { text: 'once' }), { idempotencyKey: 'k', notBefore: '1h' }));
  const [first, second] = [await send(), await send()];
  expect(second).toEqual({ ...first, repeated: true });
  expect((await post.store.query('select from factline.waiting_command')).rowCount).toBe(1);
});

describe('a schedule', () => {
  const texts = async () => (await post.store.query<{ due: Date }>('select due from factline.command_due order by due')).rows.map(({ due }) => due.toISOString());
  const keep = (commands: Commands, name: string, catchUp: 'last' | 'all', text = name) =>
    post.store.transaction((tx) => commands.schedule(tx, name, { every: '1d', catchUp }, (due) => SendMail('c-1', { text: `${text} ${due.toISOString()}` })));
  const app = () => {
    const commands = new Commands({ app: 'post', store: post.store, outbox: post.outbox });
    post.onClose(() => commands.stop());
    return commands;
  };

  it('sends each time once, whichever of three processes is there, and makes up for all that was missed', async () => {
    const apps = [app(), app(), app()];
    for (const commands of apps) await keep(commands, 'report', 'all');
    await advanceCommandClock(post.store, '7d');
    for (const commands of apps) commands.start();
    await until('a week', async () => (await texts()).length === 7);
    await post.handle();
    await until('the mails', async () => (await post.mailed()).length === 7);
    expect(await post.texts('c-1')).toEqual((await texts()).map((due) => `report ${due}`));
    const { rows } = await post.store.query<{ behind: boolean }>('select next_due > factline.command_now() as behind from factline.command_schedule');
    expect(rows).toEqual([{ behind: true }]);
  });

  it('makes up for the last time alone when it says so', async () => {
    const commands = app();
    await keep(commands, 'report', 'last');
    await advanceCommandClock(post.store, '7d');
    commands.start();
    await until('the last', async () => (await texts()).length > 0);
    const { rows } = await post.store.query<{ last: Date; now: Date }>("select next_due - interval '1 day' as last, factline.command_now() as now from factline.command_schedule");
    expect(await texts()).toEqual([rows[0]!.last.toISOString()]);
  });

  it('goes on where it was when the app starts again, and waits while nobody knows it', async () => {
    const before = app();
    await keep(before, 'report', 'all');
    await advanceCommandClock(post.store, '2d');
    const due = process();
    await due.step();
    expect(await texts()).toEqual([]);
    const after = app();
    await keep(after, 'report', 'all');
    after.start();
    await until('both days', async () => (await texts()).length === 2);
  });

  it('whose command cannot be made keeps no other from its time', async () => {
    const commands = app();
    await post.store.transaction((tx) => commands.schedule(tx, 'broken', { every: '1d', catchUp: 'all' }, () => { throw new TypeError('no customer'); }));
    await keep(commands, 'report', 'last');
    await advanceCommandClock(post.store, '1d');
    commands.start();
    await until('the other', async () => (await texts()).length === 1);
    expect((await post.store.query('select from factline.command_due where name = $1', ['broken'])).rowCount).toBe(0);
  });

  it('that was ended sends nothing more', async () => {
    const commands = app();
    await keep(commands, 'report', 'all');
    expect(await post.store.transaction((tx) => commands.unschedule(tx, 'report'))).toBe(true);
    expect(await post.store.transaction((tx) => commands.unschedule(tx, 'report'))).toBe(false);
    await keep(commands, 'other', 'last');
    await advanceCommandClock(post.store, '2d');
    commands.start();
    await until('the other', async () => (await texts()).length === 1);
    expect((await post.store.query('select from factline.command_due where name = $1', ['report'])).rowCount).toBe(0);
  });
});
