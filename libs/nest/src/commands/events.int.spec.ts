import { Module } from '@nestjs/common';
import { Commands, commandQueue } from 'factline/commands';
import { silentLogger } from 'factline/kernel';
import { Store } from 'factline/store';
import { type World, until, world } from 'factline/testing';
import { FactlineModule, type Service, openService } from '../index.js';
import { JobsController, provideCommands } from './index.js';
import { type Email, QUEUE, SendEmail, SendEmailSelected } from './mail.spec.support.js';

let here: World;
let service: Service;
const held = new Set<() => void>();
let holding = true;
function letGo(): void {
  for (const go of held) go();
  held.clear();
}

beforeAll(async () => {
  here = await world();
  const databaseUrl = await here.database('post');
  const queue = commandQueue({ queue: QUEUE, backlog: { limit: 3, past: 'refuse-low-priority' } }).on<Email>(SendEmailSelected, async ({ data }, _tx, run) => {
    if (data.text === 'quick') return { sent: true };
    run.progress(0.25, 'half of the half');
    if (holding) await new Promise<void>((resolve) => void held.add(resolve));
    return undefined;
  });

  @Module({
    imports: [FactlineModule.forRoot({ app: 'post', databaseUrl, kafka: { brokers: here.kafka }, registryUrl: here.registryUrl, produces: [SendEmail] })],
    controllers: [JobsController],
    providers: [provideCommands(queue)],
  })
  class PostModule {}

  service = await openService(PostModule, { host: '127.0.0.1', port: 0, logLevel: 'silent', shutdownDeadlineMs: 10_000 }, silentLogger);
});
afterAll(async () => {
  holding = false;
  letGo();
  await service?.close();
  await here?.log().deleteTopics([QUEUE]);
  await here?.close();
});

const send = async (text: string, options = {}) => (await service.app.get(Store).transaction((tx) => service.app.get(Commands).send(tx, SendEmail(`c-${text}`, { text }), options))).job;

/** The events of a job as they come; `ended` when the answer is whole. */
function follow(job: string): { readonly states: string[]; readonly text: () => string; readonly ended: Promise<void> } {
  let text = '';
  const states: string[] = [];
  const ended = (async () => {
    const response = await fetch(`${service.url}/jobs/${job}/events`);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    for await (const chunk of response.body!) {
      text += Buffer.from(chunk).toString('utf8');
      states.splice(0, states.length, ...[...text.matchAll(/^event: (.*)$/gm)].map(([, state]) => state!));
    }
  })();
  return { states, text: () => text, ended };
}

it('whoever follows a job is told how it goes, until its end', async () => {
  const job = await send('slow');
  const [one, two] = [follow(job), follow(job)];
  await until('its progress', () => one.text().includes('half of the half'));
  letGo();
  await Promise.all([one.ended, two.ended]);
  expect(one.states.at(-1)).toBe('done');
  expect(two.states.at(-1)).toBe('done');
  const last = JSON.parse(/data: (.*)\n\n$/.exec(one.text())![1]!) as object;
  expect(last).toMatchObject({ id: job, state: 'done', progress: null });
});

it('of a job that is done there is one event, and of one that is unknown a problem', async () => {
  const job = await send('quick');
  await until('the job to be done', async () => ((await (await fetch(`${service.url}/jobs/${job}`)).json()) as { state: string }).state === 'done');
  const after = follow(job);
  await after.ended;
  expect(after.states).toEqual(['done']);
  expect(after.text()).toContain('"result":{"sent":true}');
  const unknown = await fetch(`${service.url}/jobs/00000000-0000-7000-8000-000000000000/events`);
  expect([unknown.status, unknown.headers.get('content-type')]).toEqual([404, expect.stringContaining('application/problem+json')]);
});

it('the queues of an app are among its metrics', async () => {
  await send('later', { notBefore: '1h' });
  const text = await until('the waiting job', async () => {
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    return metrics.includes(`factline_queue_waiting_jobs{queue="${QUEUE}"} 1`) && metrics;
  });
  expect(text).toContain(`factline_queue_failed_jobs{queue="${QUEUE}"} 0`);
  expect(text).toMatch(new RegExp(`factline_queue_done_jobs_per_second\\{queue="${QUEUE}"\\} [0-9.]+`));
});

it('what the queue declares holds for what this app sends', async () => {
  for (const text of ['slow', 'slow-2', 'slow-3']) await send(text);
  await expect(send('slow-4', { priority: 'low' })).rejects.toMatchObject({ code: 'command.backlog' });
});

it('those who follow are let go when the service stops', async () => {
  const job = await send('last', { notBefore: '1h' });
  const follower = follow(job);
  await until('the first event', () => follower.states.length === 1);
  holding = false;
  letGo();
  await service.close();
  await follower.ended;
  expect(follower.states).toEqual(['waiting']);
});
