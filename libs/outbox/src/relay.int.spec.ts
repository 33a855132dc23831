import type { Watermark } from 'factline/contracts';
import { Signal, silentLogger } from 'factline/kernel';
import { until } from 'factline/testing';
import { type TestDatabase, changed, jobs, schemaIds, testDatabase } from './database.spec.support.js';
import { FactOutbox, Relay, watermarkTopic } from './index.js';
import { RecordingLog } from './recording-log.spec.support.js';

let database: TestDatabase;
let recording: RecordingLog;
const relays: Relay[] = [];

beforeAll(async () => {
  database = await testDatabase();
});
beforeEach(async () => {
  recording = new RecordingLog();
  await database.reset();
});
afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.stop()));
});
afterAll(() => database.drop());

function relay(options: Partial<ConstructorParameters<typeof Relay>[0]> = {}): Relay {
  const made = new Relay({ store: database.store, log: recording.log, app: 'spec', topics: [jobs], ...options });
  relays.push(made);
  return made;
}

describe('stating facts', () => {
  it('numbers 1, 2, 3 per key without holes, also over rollbacks, and publishes what was committed', async () => {
    const outbox = new FactOutbox({ store: database.store, schemaIds, traceparent: () => '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' });
    const rolledBack = new Error('no');
    for (let round = 0; round < 3; round++) {
      await database.store.transaction((tx) => outbox.add(tx, changed('a')));
      await expect(
        database.store.transaction(async (tx) => {
          await outbox.add(tx, changed('a'));
          throw rolledBack;
        }),
      ).rejects.toBe(rolledBack);
    }
    const many = await database.store.transaction((tx) => outbox.addMany(tx, [changed('b'), changed('a'), changed('b')]));
    expect(many.map(({ key, sequence }) => `${key}${sequence}`)).toEqual(['b1', 'a4', 'b2']);
    const counts = await relay().runOnce();
    expect(counts).toEqual({ rows: 6, pages: 1 });
    expect(recording.byKey()).toEqual(new Map([['spec.job/a', [1, 2, 3, 4]], ['spec.job/b', [1, 2]]]));
    expect(recording.facts()[0]!.headers!['traceparent']!.toString()).toMatch(/^00-4bf9/);
  });

  it('wakes a relay of the same process after the commit', async () => {
    const wake = new Signal();
    const outbox = new FactOutbox({ store: database.store, schemaIds, wake });
    const running = relay({ wake, pollInterval: '1h' });
    running.start();
    await until('the relay is idle', () => running.status().ticks >= 1);
    await database.store.transaction((tx) => outbox.add(tx, changed('woken')));
    await until('the fact is sent', () => recording.byKey().has('spec.job/woken'));
  });
});

describe('watermarks', () => {
  const marks = () => recording.sent.filter(({ topic }) => topic === watermarkTopic.name).map(({ value }) => JSON.parse(value.toString()) as Watermark);

  it('say up to when everything committed lies below which offsets, also in silence', async () => {
    const outbox = new FactOutbox({ store: database.store, schemaIds });
    await database.store.transaction((tx) => outbox.addMany(tx, ['x', 'y', 'z', 'x'].map((key) => changed(key))));
    const committed = await databaseTime();
    const running = relay();
    await running.runOnce();
    expect(marks()).toHaveLength(1);
    const [{ topic, asOf, epoch, offsets }] = marks() as [Watermark];
    expect({ topic, epoch }).toEqual({ topic: 'spec.job', epoch: running.status().epoch });
    expect(asOf).toBeGreaterThanOrEqual(Math.floor(committed));
    expect(asOf).toBeLessThanOrEqual(await databaseTime());
    for (const { partition, offset } of recording.facts()) expect(offset).toBeLessThan(offsets[partition]!);
    expect(offsets.reduce<number>((sum, offset) => sum + offset!, 0)).toBe(4);
  });

  it('speak of what is in the log now, when a topic was created again and has less than before', async () => {
    const outbox = new FactOutbox({ store: database.store, schemaIds });
    const state = (facts: number) => database.store.transaction((tx) => outbox.addMany(tx, Array.from({ length: facts }, () => changed('x'))));
    const total = () => marks().at(-1)?.offsets.reduce<number>((sum, offset) => sum + offset!, 0);
    await state(4);
    const told: object[] = [];
    const running = relay({ logger: { ...silentLogger, error: (fields) => void told.push(fields) } });
    running.start();
    await until('the first four to be told', () => total() === 4);
    expect(told).toEqual([]);
    recording.recreate();
    await state(1);
    await until('one to be told', () => total() === 1);
    expect(told).toEqual([expect.objectContaining({ topic: 'spec.job', acknowledgedTo: 4, offset: 0 })]);
  });

  it('are not sent while the facts before them are not acknowledged, and not for topics of others', async () => {
    const outbox = new FactOutbox({ store: database.store, schemaIds });
    await database.store.transaction((tx) => outbox.add(tx, changed('x')));
    recording.beforeSend = (topic) => (topic === watermarkTopic.name ? Promise.resolve() : Promise.reject(new Error('broker away')));
    const running = relay();
    running.start();
    await until('sends are rejected', () => running.status().rejectedSends > 2);
    expect(marks()).toEqual([]);
    await running.stop();
    const foreign = relay({ app: 'another' });
    recording.beforeSend = () => Promise.resolve();
    await foreign.runOnce();
    expect(recording.facts().length).toBe(1);
    expect(marks()).toEqual([]);
  });

  it('are not sent for a tick that a stop cut short', async () => {
    const outbox = new FactOutbox({ store: database.store, schemaIds });
    await database.store.transaction((tx) => outbox.addMany(tx, Array.from({ length: 12 }, () => changed('x'))));
    let stopping: Promise<void> | undefined;
    const running = relay({ batchSize: 2, observe: ({ name }) => void (name === 'page-sent' && (stopping ??= running.stop())) });
    running.start();
    await until('it stops', () => stopping !== undefined);
    await stopping;
    expect(recording.facts().length).toBeLessThan(12);
    expect(marks()).toEqual([]);
    const next = relay();
    await next.runOnce();
    await next.runOnce();
    expect(recording.byKey().get('spec.job/x')).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(marks()).toHaveLength(1);
  });

  async function databaseTime(): Promise<number> {
    const { rows } = await database.store.query<{ now: number }>('select (extract(epoch from clock_timestamp()) * 1000)::float8 as now');
    return rows[0]!.now;
  }
});
