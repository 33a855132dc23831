import type { Watermark } from 'factline/contracts';
import { type Clock, systemClock } from 'factline/kernel';
import { partitionOf } from 'factline/log';
import { type TestDatabase, changed, jobs, schemaIds, testDatabase, until } from './database.spec.support.js';
import { FactOutbox, Relay, outboxDoctor, outboxStatus, watermarkTopic } from './index.js';
import { HOLD_AFTER_MS } from './limits.js';
import { RecordingLog } from './recording-log.spec.support.js';

const PARTITIONS = 3;
const keyIn = (partition: number) => Array.from({ length: 100 }, (_each, at) => `k${at}`).find((key) => partitionOf(Buffer.from(key), PARTITIONS) === partition)!;
const [STUCK, FREE] = [keyIn(0), keyIn(1)];

let database: TestDatabase;
let recording: RecordingLog;
let outbox: FactOutbox;
let passedMs: number;
const clock: Clock = { now: () => systemClock.now(), monotonic: () => systemClock.monotonic() + passedMs };
const relays: Relay[] = [];

beforeAll(async () => {
  database = await testDatabase();
});
beforeEach(async () => {
  recording = new RecordingLog(PARTITIONS);
  passedMs = 0;
  await database.reset();
  outbox = new FactOutbox({ store: database.store, schemaIds });
});
afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.stop()));
});
afterAll(() => database.drop());

function startRelay(): Relay {
  const relay = new Relay({ store: database.store, log: recording.log, app: 'spec', topics: [jobs], clock, pollInterval: 20 });
  relays.push(relay);
  relay.start();
  return relay;
}

const state = (...keys: string[]) => database.store.transaction((tx) => outbox.addMany(tx, keys.map((key) => changed(key))));
const refuse = () => {
  recording.beforeSend = (topic, partition) => (topic === jobs.name && partition === 0 ? Promise.reject(new Error('this partition takes nothing')) : Promise.resolve());
};
const sent = (key: string) => recording.byKey().get(`${jobs.name}/${key}`) ?? [];
const rejected = (relay: Relay) => until('the partition to be refused', () => relay.status().rejections.length > 0);
const setAside = async () => (await outboxStatus(database.store)).held.map(({ topic, partition, facts }) => ({ topic, partition, facts }));
const lastMark = () => recording.sent.filter(({ topic }) => topic === watermarkTopic.name).map(({ value }) => JSON.parse(value.toString()) as Watermark).at(-1);

it('goes on with other partitions when one takes nothing for 10 s, says so, and sends what it set aside in its order when that takes facts again', async () => {
  refuse();
  const relay = startRelay();
  await state(STUCK, FREE);
  await rejected(relay);
  await state(FREE, STUCK); // waits behind the page that is not acknowledged
  passedMs = HOLD_AFTER_MS;
  await until('the other partition to go on', () => sent(FREE).length === 2);
  await until('the facts in the table', async () => (await setAside())[0]?.facts === 2);
  expect(await setAside()).toEqual([{ topic: jobs.name, partition: 0, facts: 2 }]);
  expect(relay.status().rejections).toMatchObject([{ topic: jobs.name, partition: 0, held: true, reason: 'this partition takes nothing' }]);
  expect((await outboxStatus(database.store)).delivered.map(({ key }) => key)).toEqual([FREE, FREE]);
  expect((await outboxStatus(database.store)).pending.rows).toBe(2);
  expect(await outboxDoctor(database.store)).toMatchObject([{ code: 'outbox.partition-held', severity: 'problem', message: expect.stringContaining('2 are set aside') as string }]);
  passedMs += HOLD_AFTER_MS; // a watermark is due
  await state(FREE);
  await until('a watermark that says nothing of that partition', () => lastMark()?.offsets[0] === null && lastMark()?.offsets[1] === 3);
  recording.beforeSend = () => Promise.resolve();
  await until('all of it', () => sent(STUCK).length >= 2);
  await until('the table to be empty', async () => (await setAside()).length === 0);
  await state(STUCK);
  await until('the partition to be used again', () => sent(STUCK).includes(3));
  expect(sent(STUCK)).toEqual([1, 2, 3]);
  expect(sent(FREE)).toEqual([1, 2, 3]);
  expect(relay.status().rejections).toEqual([]);
  passedMs += HOLD_AFTER_MS;
  await state(FREE);
  await until('a watermark of all partitions', () => lastMark()?.offsets[0] === 3);
});

it('leaves what was set aside to the next owner, which sends nothing past it', async () => {
  refuse();
  const first = startRelay();
  await state(STUCK, FREE);
  await rejected(first);
  passedMs = HOLD_AFTER_MS;
  await until('the fact in the table', async () => (await setAside()).length === 1);
  await first.stop();
  const second = startRelay();
  await state(STUCK, FREE);
  await until('the next owner to go on with the other partition', () => sent(FREE).length === 2);
  await until('the later fact behind the earlier one', async () => (await setAside())[0]?.facts === 2);
  recording.beforeSend = () => Promise.resolve();
  await until('both', () => sent(STUCK).length >= 2);
  expect(sent(STUCK)).toEqual([1, 2]);
  await until('the partition to be released', async () => second.status().rejections.length === 0 && (await setAside()).length === 0);
});

it('control: before those 10 s everything behind it waits, and a log that takes nothing at all sets nothing aside', async () => {
  refuse();
  const relay = startRelay();
  await state(STUCK, FREE);
  await rejected(relay);
  await state(FREE);
  await until('more attempts', () => relay.status().rejections[0]!.attempts > 3);
  expect(sent(FREE)).toEqual([1]);
  await relay.stop();
  recording = new RecordingLog(PARTITIONS);
  recording.beforeSend = () => Promise.reject(new Error('away'));
  const other = startRelay();
  await until('both partitions to be refused', () => other.status().rejections.length === 2);
  passedMs = HOLD_AFTER_MS;
  await until('more attempts', () => other.status().rejections.every(({ attempts }) => attempts > 4));
  expect(await setAside()).toEqual([]);
});
