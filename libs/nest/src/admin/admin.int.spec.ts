import { Module } from '@nestjs/common';
import { FactlineError, silentLogger } from 'factline/kernel';
import { FactOutbox } from 'factline/outbox';
import { projection } from 'factline/projections';
import { reactions } from 'factline/reactions';
import { Store } from 'factline/store';
import { type World, until, world } from 'factline/testing';
import { FactlineModule, type Service, openService, provideProjection } from '../index.js';
import { provideReactions } from '../reactions/index.js';
import { NoteRead, NoteTaken, taken, topicName } from '../reactions/notes.spec.support.js';

const TOKEN = 'a-token-of-the-spec';
let works = false;
const refusing = reactions({ name: 'refusing', from: 'beginning' }).on(taken, () => {
  if (!works) throw new FactlineError({ code: 'spec.refused', kind: 'refused', message: 'no' });
});
const folding = projection({ name: 'folding', version: 1, key: 'note_id', columns: { note_id: 'text', text: 'text' } }).on(taken, (_none, { key, data }) => {
  if (!works) throw new Error('cannot fold');
  return { note_id: key, text: data.text };
});

let here: World;
let service: Service;

const open = (settings: object) => {
  @Module({
    imports: [FactlineModule.forRoot({ app: 'notes', databaseUrl: url, kafka: { brokers: here.kafka }, registryUrl: here.registryUrl, produces: [NoteTaken, NoteRead] })],
    providers: [provideReactions(refusing), provideProjection(folding)],
  })
  class NotesModule {}
  return openService(NotesModule, { host: '127.0.0.1', port: 0, logLevel: 'silent', shutdownDeadlineMs: 10_000, ...settings }, silentLogger);
};
let url: string;
beforeAll(async () => {
  here = await world();
  url = await here.database('notes');
  service = await open({ adminToken: TOKEN });
  for (const key of ['n-1', 'n-2']) await service.app.get(Store).transaction((tx) => service.app.get(FactOutbox).add(tx, NoteTaken(key, { text: 'hello' })));
  for (const name of ['refusing', 'folding']) await until(`${name} to be blocked`, async () => ((await ask(`/dead-letters/${name}?all=true`)).body as { keys: number }).keys === 2);
});
afterAll(async () => {
  await service?.close();
  await here.log().deleteTopics([topicName]);
  await here.close();
});

async function ask(path: string, body?: object, token: string | undefined = TOKEN) {
  const answer = await fetch(`${service.adminUrl}${path}`, {
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
    headers: { ...(token && { authorization: `Bearer ${token}` }), ...(body && { 'content-type': 'application/json' }) },
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

describe('the admin interface', () => {
  it.each([[''], ['wrong'], [`${TOKEN}x`]])('answers nobody without its token (%j), on any route', async (token) => {
    for (const [path, body] of [['/subscriptions'], ['/dead-letters/refusing?all=true'], ['/subscriptions/refusing/pause', { by: 'x', reason: 'x' }], ['/subscriptions/refusing/resume', { by: 'x' }], ['/dead-letters/refusing/requeue', { all: true, by: 'x' }], ['/dead-letters/refusing/purge', { all: true, by: 'x', reason: 'x' }], ['/dead-letters/refusing/edit', {}], ['/dead-letters/refusing/redrives/1/cancel', {}]] as [string, object?][]) {
      expect(await ask(path, body, token)).toMatchObject({ status: 401, body: { code: 'admin.unauthorized' } });
    }
  });

  it('is not there without a token, and not on the port of the service', async () => {
    expect((await fetch(`${service.url}/dead-letters/refusing?all=true`, { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(404);
    expect(new URL(service.adminUrl!).hostname).toBe('127.0.0.1');
    const without = await open({});
    expect(without.adminUrl).toBeUndefined();
    await without.close();
  });

  it('shows what is blocked and the facts of a key as the app reads them', async () => {
    expect((await ask('/subscriptions')).body).toMatchObject({ items: [{ name: 'folding' }, { name: 'refusing' }] });
    expect((await ask('/dead-letters/refusing?code=spec.refused')).body).toMatchObject({ keys: 2, facts: 2, items: [{ code: 'spec.refused' }, { code: 'spec.refused' }] });
    const { items } = (await ask('/dead-letters/folding?all=true')).body as { items: { schemaId: number }[] };
    expect((await ask(`/dead-letters/folding?schema=${items[0]!.schemaId}`)).body).toMatchObject({ keys: 2 });
    expect((await ask(`/dead-letters/folding?schema=${items[0]!.schemaId + 1}`)).body).toMatchObject({ keys: 0 });
    expect((await ask('/dead-letters/folding?schema=one')).status).toBe(400);
    expect((await ask('/dead-letters/folding/keys/n-1')).body).toMatchObject({ items: [{ code: 'projection.fold-failed', fact: { data: { text: 'hello' } } }] });
  });

  it('refuses what is not said: a filter, who and why, an unknown field, an unknown subscription, an edit of a read model', async () => {
    expect(await ask('/dead-letters/refusing')).toMatchObject({ status: 400, body: { code: 'dead-letters.filter' } });
    expect(await ask('/dead-letters/refusing/requeue', { by: 'lea' })).toMatchObject({ status: 400, body: { code: 'dead-letters.filter' } });
    expect(await ask('/dead-letters/refusing/purge', { all: true })).toMatchObject({ status: 400, body: { errors: expect.arrayContaining([expect.objectContaining({ path: 'by' }), expect.objectContaining({ path: 'reason' })]) as object } });
    expect(await ask('/dead-letters/refusing/requeue', { all: true, by: 'lea', force: true })).toMatchObject({ status: 400 });
    expect(await ask('/dead-letters/nobody?all=true')).toMatchObject({ status: 404, body: { code: 'admin.subscription-unknown' } });
    expect(await ask('/dead-letters/folding/edit', { key: 'n-1', offset: 0, data: {}, reason: 'x', by: 'x' })).toMatchObject({ status: 422, body: { code: 'dead-letters.read-model' } });
    expect(await ask('/dead-letters/refusing/redrives/one')).toMatchObject({ status: 400 });
  });

  it.each([['refusing', 'reactions'], ['folding', 'subscriptions']])('pauses %s and lets it go on, for whoever says who and why', async (name, of) => {
    expect(await ask(`/subscriptions/${name}/pause`, { by: 'lea' })).toMatchObject({ status: 400 });
    expect(await ask('/subscriptions/nobody/pause', { by: 'lea', reason: 'x' })).toMatchObject({ status: 404, body: { code: 'pause.subscription-unknown' } });
    expect(await ask(`/subscriptions/${name}/pause`, { by: 'lea', reason: 'we move' })).toMatchObject({ status: 200, body: { subscription: name, by: 'lea', reason: 'we move' } });
    const health = async () => ((await (await fetch(`${service.url}/health`)).json()) as Record<string, { name: string; state: string }[]>)[of]!.find((each) => each.name === name)!;
    const since = expect.stringMatching(/^\d{4}-/) as string;
    expect(await until('it to be paused', async () => ((await health()).state === 'PAUSED' ? health() : undefined))).toMatchObject({ trouble: { code: 'consumer.paused', reason: 'lea paused it: we move', since, advice: expect.stringContaining(`factline resume ${name} --app notes`) as string }, stalled: false });
    expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
    expect(await ask(`/subscriptions/${name}/pause`, { by: 'tom', reason: 'x' })).toMatchObject({ status: 409, body: { code: 'pause.paused' } });
    expect(await ask(`/subscriptions/${name}/resume`, { by: 'tom' })).toMatchObject({ status: 200, body: { by: 'lea' } });
    await until('it to go on', async () => (await health()).state !== 'PAUSED');
    expect(await ask(`/subscriptions/${name}/resume`, { by: 'tom' })).toMatchObject({ status: 409, body: { code: 'pause.not-paused' } });
  });

  it('re-drives reactions and read models, with care', async () => {
    works = true;
    const { status, body } = await ask('/dead-letters/refusing/requeue', { all: true, canary: 1, rate: 100, stopAtPercent: 50, by: 'lea' });
    expect([status, body]).toEqual([202, { redrive: expect.objectContaining({ state: 'running', keys: 2, requestedBy: 'lea' }) as object }]);
    const { id } = body['redrive'] as { id: string };
    await until('its end', async () => (await ask(`/dead-letters/refusing/redrives/${id}`)).body['state'] === 'done');
    expect(await ask('/dead-letters/folding/requeue', { key: 'n-1', by: 'lea' })).toMatchObject({ status: 202, body: { done: [{ key: 'n-1', applied: 1, waiting: 0 }] } });
    expect(await ask('/dead-letters/folding/purge', { key: 'n-2', reason: 'not ours', by: 'lea' })).toMatchObject({ status: 200, body: { keys: 1, facts: 1 } });
    for (const name of ['refusing', 'folding']) expect((await ask(`/dead-letters/${name}?all=true`)).body).toMatchObject({ keys: 0 });
  });
});
