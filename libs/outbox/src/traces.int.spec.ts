import { type Tx, tracedBy } from 'factline/store';
import { RecordingTracing } from 'factline/testing';
import { type TestDatabase, changed, jobs, schemaIds, testDatabase } from './database.spec.support.js';
import { FactOutbox, Relay } from './index.js';
import { RecordingLog } from './recording-log.spec.support.js';

const REQUEST = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const HANDLER = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b8-01';

let database: TestDatabase;
let recording: RecordingLog;
let tracing: RecordingTracing;
let relay: Relay;
let active: string | undefined;
let outbox: FactOutbox;

beforeAll(async () => {
  database = await testDatabase();
});
beforeEach(async () => {
  await database.reset();
  recording = new RecordingLog();
  tracing = new RecordingTracing();
  relay = new Relay({ store: database.store, log: recording.log, app: 'spec', topics: [jobs], tracing, batchSize: 3 });
  outbox = new FactOutbox({ store: database.store, schemaIds, traceparent: () => active });
});
afterEach(() => relay.stop());
afterAll(() => database.drop());

function state(key: string, trace?: string, before: (tx: Tx) => void = () => undefined) {
  active = trace;
  return database.store.transaction((tx) => {
    before(tx);
    return outbox.add(tx, changed(key));
  });
}

const headers = () => recording.facts().map(({ key, headers: of }) => [key, of?.['traceparent']?.toString()]);

it('a page with facts of sampled traces is sent in one span, linked to each of them; the header keeps the trace of whoever stated the fact', async () => {
  await state('a', REQUEST);
  await state('a', REQUEST);
  await state('b');
  await state('c');
  await relay.runOnce();
  expect(headers()).toEqual(expect.arrayContaining([['a', REQUEST], ['a', REQUEST], ['b', undefined], ['c', undefined]]));
  expect(tracing.spans).toMatchObject([{ name: 'send spec.job', kind: 'producer', parent: REQUEST, links: [REQUEST], failed: false, attributes: { 'messaging.batch.message_count': 3, 'messaging.destination.name': 'spec.job' } }]);
});

it('an unsampled trace leaves nothing: no header, no span', async () => {
  await state('a', undefined);
  await state('b', 'no traceparent at all, and longer than any: '.repeat(10));
  await relay.runOnce();
  expect(headers()).toEqual(expect.arrayContaining([['a', undefined], ['b', undefined]]));
  expect(tracing.spans).toEqual([]);
});

it('without a tracer the header is there all the same, for consumers that have one', async () => {
  tracing.records = false;
  await state('a', REQUEST);
  await relay.runOnce();
  expect(headers()).toEqual([['a', REQUEST]]);
  expect(tracing.spans).toEqual([]);
});

it('what a transaction is traced by goes before what is active', async () => {
  await state('a', REQUEST, (tx) => tracedBy(tx, HANDLER));
  await relay.runOnce();
  expect(headers()).toEqual([['a', HANDLER]]);
});

it('a span tells when the relay gave up, and the facts are sent by the next owner', async () => {
  await state('a', REQUEST);
  let stopping: Promise<void> | undefined;
  recording.beforeSend = () => {
    stopping = relay.stop();
    return Promise.reject(new Error('the broker is away'));
  };
  await expect(relay.runOnce()).rejects.toMatchObject({ code: 'relay.stopped' });
  await stopping;
  expect(tracing.spans).toMatchObject([{ failed: true }]);
  recording.beforeSend = () => Promise.resolve();
  const next = new Relay({ store: database.store, log: recording.log, app: 'spec', topics: [jobs], tracing });
  await next.runOnce();
  await next.stop();
  expect(headers()).toEqual([['a', REQUEST]]);
  expect(tracing.spans).toMatchObject([{ failed: true }, { failed: false, links: [REQUEST] }]);
});
