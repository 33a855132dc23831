import { Body, Controller, HttpCode, Injectable, Module, Post } from '@nestjs/common';
import { Commands, type CommandRun, type ReceivedCommand, advanceCommandClock } from 'factline/commands';
import { Refusal, silentLogger } from 'factline/kernel';
import { Store, type Tx } from 'factline/store';
import { type World, until, world } from 'factline/testing';
import { FactlineModule, type Service, openService } from '../index.js';
import { CommandController, JobsController, OnCommand } from './index.js';
import { type Email, QUEUE, SendEmail, SendEmailSelected } from './mail.spec.support.js';

// The code that docs/guides/commands.md shows.

@CommandController({ queue: QUEUE })
class Mail {
  @OnCommand(SendEmailSelected, { concurrency: 4, timeout: '10s', retry: { attempts: 5 } })
  async send({ key, data }: ReceivedCommand<Email>, tx: Tx, run: CommandRun) {
    run.progress(0.5, 'writing');
    if (data.text === '') throw new Refusal({ code: 'mail.empty', message: 'There is nothing to send.' });
    await tx.query('insert into mailed (customer, text) values ($1, $2)', [key, data.text]);
    return { letters: data.text.length };
  }
}

@Injectable()
class WeeklyMail {
  constructor(
    private readonly store: Store,
    private readonly commands: Commands,
  ) {}

  async onModuleInit() {
    const rule = { weekly: { on: ['monday'], at: '08:30', timeZone: 'Europe/Berlin' }, catchUp: 'last' } as const;
    await this.store.transaction((tx) => this.commands.schedule(tx, 'weekly mail', rule, (due) => SendEmail('everybody', { text: `week of ${due.toISOString()}` })));
  }
}

@Controller('mails')
class MailsController {
  constructor(
    private readonly store: Store,
    private readonly commands: Commands,
  ) {}

  @Post()
  @HttpCode(202)
  ask(@Body() { customer, text, request }: { customer: string; text: string; request: string }) {
    return this.store.transaction((tx) => this.commands.send(tx, SendEmail(customer, { text }), { idempotencyKey: request }));
  }
}

let here: World;
let service: Service;

beforeAll(async () => {
  here = await world();
  const databaseUrl = await here.database('post');

  @Module({
    imports: [FactlineModule.forRoot({ app: 'post', databaseUrl, kafka: { brokers: here.kafka }, registryUrl: here.registryUrl, produces: [SendEmail], migrations: [{ name: 'mails', sql: 'create table mailed (customer text, text text)' }] })],
    controllers: [Mail, MailsController, JobsController],
    providers: [WeeklyMail],
  })
  class PostModule {}

  service = await openService(PostModule, { host: '127.0.0.1', port: 0, logLevel: 'silent', shutdownDeadlineMs: 10_000 }, silentLogger);
});
afterAll(async () => {
  await service?.close();
  await here?.log().deleteTopics([QUEUE]);
  await here?.close();
});

async function ask(customer: string, text: string, request: string): Promise<{ job: string; repeated: boolean }> {
  const response = await fetch(`${service.url}/mails`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ customer, text, request }) });
  expect(response.status).toBe(202);
  return (await response.json()) as { job: string; repeated: boolean };
}

const status = async (job: string) => (await (await fetch(`${service.url}/jobs/${job}`)).json()) as { state: string; result: unknown; problem: { code: string; repair: string } | null };

it('what the guide sends is performed once, and its job tells the result', async () => {
  const first = await ask('c-1', 'hello', 'r-1');
  const again = await ask('c-1', 'hello', 'r-1');
  expect(again).toEqual({ ...first, job: first.job, repeated: true });
  await until('the job to be done', async () => (await status(first.job)).state === 'done');
  expect(await status(first.job)).toMatchObject({ queue: QUEUE, key: 'c-1', command: `${QUEUE}.SendEmail`, result: { letters: 5 }, problem: null });
  expect((await service.app.get(Store).query('select customer, text from mailed')).rows).toEqual([{ customer: 'c-1', text: 'hello' }]);
  const refused = await fetch(`${service.url}/jobs/${first.job}`, { method: 'DELETE' });
  expect(refused.status).toBe(409);
  expect(await refused.json()).toMatchObject({ code: 'job.finished' });
});

it('a job that is refused says so, with the command that repairs it, and a job that nobody knows is not found', async () => {
  const { job } = await ask('c-2', '', 'r-2');
  await until('the failure', async () => (await status(job)).state === 'failed');
  expect(await status(job)).toMatchObject({ problem: { code: 'mail.empty', repair: expect.stringContaining("--app post --key 'post/c-2'") as string } });
  expect((await fetch(`${service.url}/jobs/00000000-0000-7000-8000-000000000000`)).status).toBe(404);
  expect((await fetch(`${service.url}/jobs/nonsense`)).status).toBe(400);
});

it('a week passes for a spec without waiting, and its mail is sent once', async () => {
  const store = service.app.get(Store);
  await advanceCommandClock(store, '7d');
  await until('the mail', async () => (await store.query("select from mailed where customer = 'everybody'")).rowCount === 1);
  const { rows } = await store.query<{ due: Date; job: string }>('select due, job from factline.command_due');
  expect(rows).toHaveLength(1);
  expect(await status(rows[0]!.job)).toMatchObject({ state: 'done', key: 'everybody' });
});
