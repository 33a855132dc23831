import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Inject, Module } from '@nestjs/common';
import type { ReceivedFact } from 'factline/contracts';
import { FactlineError, silentLogger } from 'factline/kernel';
import { FactOutbox } from 'factline/outbox';
import { reactions } from 'factline/reactions';
import { Store, type Tx } from 'factline/store';
import { type World, until, world } from 'factline/testing';
import { FactlineModule, type Service, openService } from '../index.js';
import { OnFact, OnFacts, ReactionController, provideReactions } from './index.js';
import { type Note, NoteRead, NoteTaken, read, taken, topicName } from './notes.spec.support.js';

// The code that docs/reactions.md shows.

@ReactionController({ name: 'filing', from: 'beginning' })
class Filing {
  constructor(@Inject(FactOutbox) private readonly outbox: FactOutbox) {}

  @OnFact(taken)
  async file({ key, data }: ReceivedFact<Note>, tx: Tx) {
    await tx.query('insert into filed (note, text) values ($1, $2)', [key, data.text]);
    await this.outbox.add(tx, NoteRead(key, { text: data.text })); // commits with the row, and says which fact caused it
  }
}

@ReactionController({ name: 'counting', from: 'beginning' })
class Counting {
  @OnFacts(read, { facts: 200 })
  async count(facts: readonly ReceivedFact<Note>[], tx: Tx) {
    await tx.query('insert into counted (note, cause) select * from unnest($1::text[], $2::text[])', [facts.map(({ key }) => key), facts.map(({ meta }) => meta.causationId)]);
  }
}

const announcing = (board: string) =>
  reactions({ name: 'announcing', from: 'now', timeout: '10s', retry: { retryIf: (error) => error instanceof TypeError && error.message === 'fetch failed' } }).on(taken, async ({ key, meta }, _tx, { signal }) => {
    const { ok, status } = await fetch(`${board}/notes/${key}`, { method: 'POST', headers: { 'idempotency-key': meta.id }, signal });
    if (status >= 500) throw new FactlineError({ code: 'board.unavailable', kind: 'unavailable', message: `The board answers ${status}.` });
    if (!ok) throw new FactlineError({ code: 'board.refused', kind: 'refused', message: `The board refuses with ${status}.` });
  });

let here: World;
let service: Service;
let board: Server;
let store: Store;
const asked: { path: string; idempotencyKey: unknown }[] = [];

beforeAll(async () => {
  here = await world();
  board = createServer(({ url, headers }, response) => {
    const path = url!;
    asked.push({ path, idempotencyKey: headers['idempotency-key'] });
    const status = path.includes('unwanted') ? 422 : asked.filter((each) => each.path === path).length < 3 ? 503 : 201;
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => board.listen(0, '127.0.0.1', resolve));
  const databaseUrl = await here.database('notes');
  const migrations = [{ name: 'effects', sql: 'create table filed (note text, text text); create table counted (note text, cause text)' }];

  @Module({
    imports: [FactlineModule.forRoot({ app: 'notes', databaseUrl, kafka: { brokers: here.kafka }, registryUrl: here.registryUrl, produces: [NoteTaken, NoteRead], migrations })],
    controllers: [Filing, Counting],
    providers: [provideReactions(announcing(`http://127.0.0.1:${(board.address() as AddressInfo).port}`))],
  })
  class NotesModule {}

  service = await openService(NotesModule, { host: '127.0.0.1', port: 0, logLevel: 'silent', shutdownDeadlineMs: 10_000 }, silentLogger);
  store = service.app.get(Store);
  await until('all to be live', async () => {
    const { reactions: all } = (await (await fetch(`${service.url}/health`)).json()) as { reactions: { state: string }[] };
    return all.length === 3 && all.every(({ state }) => state === 'LIVE');
  });
});
afterAll(async () => {
  await service?.close();
  board?.close();
  await here?.log().deleteTopics([topicName]);
  await here?.close();
});

const take = async (key: string) => (await store.transaction((tx) => service.app.get(FactOutbox).add(tx, NoteTaken(key, { text: `text of ${key}` })))).id;

it('the reactions of the guide do what it says: the effect once, its fact with its cause, and outside the same key for each attempt', async () => {
  const id = await take('n-1');
  await until('the note to be counted', async () => (await store.query('select from counted')).rowCount === 1);
  expect((await store.query('select note, text from filed')).rows).toEqual([{ note: 'n-1', text: 'text of n-1' }]);
  expect((await store.query('select note, cause from counted')).rows).toEqual([{ note: 'n-1', cause: id }]);
  const announced = { path: '/notes/n-1', idempotencyKey: id };
  await until('the third attempt', () => asked.length === 3);
  expect(asked).toEqual([announced, announced, announced]);
});

it('what the board refuses is asked once, and is a dead letter', async () => {
  await take('unwanted');
  const letter = await until('the dead letter', async () => (await store.query<{ key: string; code: string }>('select key, code from announcing.dead_letter')).rows[0]);
  expect(letter).toEqual({ key: 'unwanted', code: 'board.refused' });
  expect(asked.filter(({ path }) => path === '/notes/unwanted')).toHaveLength(1);
});
