import { traceOf } from 'factline/store';
import { RecordingTracing } from 'factline/testing';
import { FactDecoder } from 'factline/contracts';
import { FactSubscription, Freshness } from 'factline/consumer';
import { LiveReactions, type Reactions, Redriver, ReactionDeadLetters } from './index.js';
import { OrderPaid, type Shop, type Site, fact, site, writers } from './shop.spec.support.js';

const trace = (nth: number, flags = '01') => `00-${nth.toString(16).padStart(32, '0')}-${'b'.repeat(16)}-${flags}`;
const traced = (key: string, sequence: number, traceparent: string) => ({ ...fact(key, sequence), headers: { traceparent: Buffer.from(traceparent) } });

let there: Site;
let shop: Shop;
let tracing: RecordingTracing;
/** By key: the trace that a fact stated by its handler would carry on. */
let carried: Map<string, string | undefined>;

beforeAll(async () => {
  there = await site();
});
afterAll(() => there.close());
beforeEach(async () => {
  shop = await there.shop();
  tracing = new RecordingTracing();
  carried = new Map();
});
afterEach(() => shop.close());

async function run(made: Reactions): Promise<LiveReactions> {
  const live = new LiveReactions(made, shop.store, new FactDecoder(made.facts, writers), 'shop', undefined, tracing);
  const subscription = new FactSubscription({ name: shop.name, group: shop.name, topics: ['orders'], log: shop.log, target: live, freshness: new Freshness(), tracing });
  subscription.start();
  shop.onClose(() => subscription.stop());
  await shop.settled(subscription);
  return live;
}

const carrying = () => shop.reactions().on(OrderPaid, ({ key }, tx) => carried.set(key, traceOf(tx)));

it('each handled fact of a sampled trace has a span in it, and what is stated there goes on from that span', async () => {
  await shop.publish(traced('a', 1, trace(1)), traced('b', 1, trace(2)), fact('c', 1), traced('d', 1, trace(4, '00')));
  await run(carrying());
  const spanOf = (nth: number) => tracing.spans.find(({ parent }) => parent === trace(nth))!;
  expect(tracing.spans).toHaveLength(2);
  expect(spanOf(1)).toMatchObject({ name: 'process orders', kind: 'consumer', links: [trace(1)], failed: false, attributes: { 'factline.subscription': shop.name, 'factline.redriven': false, 'messaging.batch.message_count': 1 } });
  expect(Object.fromEntries(carried)).toEqual({ a: spanOf(1).traceparent, b: spanOf(2).traceparent, c: undefined, d: undefined });
});

it('facts handled together have one span, with a link to each', async () => {
  await shop.publish(...[1, 2, 3].map((nth) => traced('a', nth, trace(nth))), fact('a', 4));
  await run(shop.reactions().onBatch(OrderPaid, (facts, tx) => carried.set(`${facts[0]!.meta.sequence}`, traceOf(tx))));
  const links = tracing.spans.flatMap((span) => span.links);
  expect(links).toEqual([trace(1), trace(2), trace(3)]);
  expect([...carried.values()].filter(Boolean)).toEqual(tracing.spans.map(({ traceparent }) => traceparent));
});

it('an app without a tracer hands the trace on as it came, and records nothing', async () => {
  tracing.records = false;
  await shop.publish(traced('a', 1, trace(1)), traced('b', 1, trace(2, '00')), fact('c', 1));
  await run(carrying());
  expect(Object.fromEntries(carried)).toEqual({ a: trace(1), b: undefined, c: undefined });
  expect(tracing.spans).toEqual([]);
});

it('a failure is in its span, and so is the attempt that comes after the repair', async () => {
  let broken = true;
  await shop.publish(traced('a', 1, trace(1)));
  const live = await run(
    shop.reactions({ retry: { attempts: 1 } }).on(OrderPaid, ({ key }, tx) => {
      carried.set(key, traceOf(tx));
      if (broken) throw new Error('no printer');
    }),
  );
  expect(tracing.spans).toMatchObject([{ parent: trace(1), failed: true, attributes: { 'factline.redriven': false } }]);
  broken = false;
  await new ReactionDeadLetters(shop.name, shop.store, shop.log, writers).requeue({ all: true }, { by: 'lea' });
  const redriver = new Redriver({ reactions: live.reactions, inbox: live.inbox, store: shop.store, log: shop.log, decoder: new FactDecoder(live.reactions.facts, writers), tracing });
  await redriver.step();
  expect(tracing.spans.slice(1)).toMatchObject([{ parent: trace(1), failed: false, attributes: { 'factline.redriven': true } }]);
  expect(carried.get('a')).toBe(tracing.spans[1]!.traceparent);
  expect(await shop.letters()).toEqual([]);
});
