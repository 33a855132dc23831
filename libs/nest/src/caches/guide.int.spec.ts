import { Controller, Get, Module, Param } from '@nestjs/common';
import { Cache, readModelSource } from 'factline/cache';
import { silentLogger } from 'factline/kernel';
import { FactOutbox } from 'factline/outbox';
import { projection } from 'factline/projections';
import { Store } from 'factline/store';
import { type World, until, world } from 'factline/testing';
import { FactlineModule, type Service, openService, provideProjection } from '../index.js';
import { InjectCache, getCacheToken, provideCache } from './index.js';
import { NoteTaken, taken, topicName } from '../reactions/notes.spec.support.js';

// The code that docs/guides/cache.md shows.

interface Text {
  text: string;
}

const texts = projection({ name: 'texts', version: 1, key: 'note_id', columns: { note_id: 'text', text: 'text' } }).on(taken, (_none, { key, data }) => ({ note_id: key, text: data.text }));

const textCache = provideCache({
  name: 'texts',
  inject: [Store],
  useFactory: (store: Store) =>
    new Cache<Text>({
      name: 'texts',
      load: async (noteId) => (await store.query<Text>('select text from texts.texts where note_id = $1', [noteId])).rows[0],
      loadMany: async (noteIds) => {
        const { rows } = await store.query<Text & { note_id: string }>('select note_id, text from texts.texts where note_id = any($1)', [noteIds]);
        return new Map(rows.map(({ note_id, text }) => [note_id, { text }]));
      },
      source: readModelSource(store, 'texts'),
      ttl: '10m',
      maxEntries: 50_000,
      staleAfter: '10s',
      whenStale: 'serve-with-age',
    }).on(taken, ({ key }) => [key]),
});

@Controller('texts')
class TextsController {
  constructor(@InjectCache('texts') private readonly texts: Cache<Text>) {}

  @Get(':id')
  async read(@Param('id') id: string) {
    const { value, asOf, age, stale } = await this.texts.get(id);
    return { text: value?.text ?? null, asOf, age, stale };
  }
}

let here: World;
let service: Service;
const settings = { host: '127.0.0.1', port: 0, logLevel: 'silent', shutdownDeadlineMs: 10_000 } as const;

beforeAll(async () => {
  here = await world();
  const options = { app: 'notes', databaseUrl: await here.database('notes'), kafka: { brokers: here.kafka }, registryUrl: here.registryUrl, produces: [NoteTaken] };
  @Module({ imports: [FactlineModule.forRoot(options)], controllers: [TextsController], providers: [provideProjection(texts), textCache] })
  class NotesModule {}
  service = await openService(NotesModule, settings, silentLogger);
});
afterAll(async () => {
  await service?.close();
  await here?.log().deleteTopics([topicName]);
  await here?.close();
});

const state = (text: string) => service.app.get(Store).transaction((tx) => service.app.get(FactOutbox).add(tx, NoteTaken('n-1', { text })));
const ask = async (path: string) => (await fetch(`${service.url}${path}`)).json() as Promise<Record<string, unknown>>;

it('the cache of the guide answers what the read model says, as of when, and follows each fact', async () => {
  await until('a fresh cache', async () => (await ask('/texts/n-1'))['stale'] === false);
  expect(await ask('/texts/n-1')).toMatchObject({ text: null, stale: false });
  for (const text of ['first', 'second']) {
    await state(text);
    await until(text, async () => (await ask('/texts/n-1'))['text'] === text);
  }
  const { asOf, age } = await until('an answer that is not stale', async () => [await ask('/texts/n-1')].find(({ stale }) => stale === false));
  expect(Date.parse(asOf as string)).toBeGreaterThan(Date.now() - 10_000);
  expect(age).toBeLessThan(10_000);
});

it('it is warmed from the read model, and is in /health and /metrics', async () => {
  const cache = service.app.get<Cache<Text>>(getCacheToken('texts'), { strict: false });
  cache.clear();
  expect(await cache.warm(['n-1', 'n-2'])).toBe(2);
  expect(cache.peek('n-1')).toMatchObject({ value: { text: 'second' } });
  const { caches } = await ask('/health');
  expect(caches).toMatchObject([{ name: 'texts', entries: 2, partitions: [{ topic: topicName, partition: 0 }, { topic: topicName, partition: 1 }] }]);
  const metrics = await (await fetch(`${service.url}/metrics`)).text();
  for (const name of ['hits_total', 'misses_total', 'loads_total', 'coalesced_total', 'invalidations_total', 'evictions_total', 'stale_partitions', 'entries']) expect(metrics).toMatch(new RegExp(`^factline_cache_${name}\\{cache="texts"\\} \\d+$`, 'm'));
});

it('two caches of one name are refused at start', async () => {
  const options = { app: 'notes', databaseUrl: await here.database('twice'), kafka: { brokers: here.kafka }, registryUrl: here.registryUrl };
  const one = () => new Cache<Text>({ name: 'texts', load: async () => undefined });
  @Module({ providers: [provideCache(one())], exports: [getCacheToken('texts')] })
  class OtherModule {}
  @Module({ imports: [FactlineModule.forRoot(options), OtherModule], providers: [provideCache(one())] })
  class TwiceModule {}
  await expect(openService(TwiceModule, settings, silentLogger)).rejects.toMatchObject({ code: 'nest.cache-twice' });
});
