import { Test } from '@nestjs/testing';
import { Store } from 'factline/store';
import { ReadModels } from '../module/read-models.js';
import { FactlineRuntime } from '../module/runtime.js';
import { HealthController } from './health.controller.js';

async function healthWith({ stalled = false, stalledReactions = false, state = 'LIVE', caches = [], query = () => Promise.resolve(), stopping = false }: { stalled?: boolean; stalledReactions?: boolean; state?: string; caches?: object[]; query?: () => Promise<unknown>; stopping?: boolean }) {
  const subscription = { name: 'payees', stalled, state, trouble: undefined, partitions: [], lag: 0 };
  const module = await Test.createTestingModule({
    controllers: [HealthController],
    providers: [
      { provide: FactlineRuntime, useValue: { stopping, status: { app: 'x', relay: {}, subscriptions: [subscription], reactions: [{ ...subscription, name: 'mails', stalled: stalledReactions }], caches } } },
      { provide: Store, useValue: { query } },
      { provide: ReadModels, useValue: { asOf: () => Promise.resolve(new Date(0)) } },
    ],
  }).compile();
  const answered = { status: 0 };
  const response = { status: (code: number) => (answered.status = code) } as never;
  return { controller: module.get(HealthController), response, answered };
}

it('lives while it moves, also when the broker is away', async () => {
  const { controller, response, answered } = await healthWith({ state: 'STALE' });
  expect(controller.live(response)).toEqual({ live: true });
  expect(answered.status).toBe(200);
});

it('does not live when work waits and none is done', async () => {
  const { controller, response, answered } = await healthWith({ stalled: true });
  expect(controller.live(response)).toEqual({ live: false, stalled: ['payees'] });
  expect(answered.status).toBe(503);
  const reacting = await healthWith({ stalledReactions: true });
  expect(reacting.controller.live(reacting.response)).toEqual({ live: false, stalled: ['mails'] });
});

it.each([
  ['the database refuses', { query: () => Promise.reject(new Error('refused')) }],
  ['the database does not answer', { query: () => new Promise(() => undefined) }],
  ['it is stopping', { stopping: true }],
])('is not ready when %s', async (_what, given) => {
  const { controller, response, answered } = await healthWith(given);
  expect(await controller.ready(response)).toMatchObject({ ready: false });
  expect(answered.status).toBe(503);
});

it('says since when answers hold', async () => {
  const { controller } = await healthWith({});
  expect((await controller.all()).subscriptions).toMatchObject([{ name: 'payees', asOf: '1970-01-01T00:00:00.000Z', trouble: null }]);
});

it('says which partitions of a cache are stale, and since when they hold', async () => {
  const { controller } = await healthWith({ caches: [{ name: 'stock', entries: 2, loading: 0, counts: { hits: 7 }, regions: [{ topic: 't', partition: 0, asOfMs: 0, stale: true }, { topic: 't', partition: 1, asOfMs: null, stale: true }] }] });
  expect((await controller.all()).caches).toEqual([
    { name: 'stock', entries: 2, loading: 0, counts: { hits: 7 }, partitions: [{ topic: 't', partition: 0, stale: true, asOf: '1970-01-01T00:00:00.000Z' }, { topic: 't', partition: 1, stale: true, asOf: null }] },
  ]);
});
