import type { Fact, Watermark } from 'factline/contracts';
import { type Clock, FactlineError, systemClock } from 'factline/kernel';
import { partitionOf } from 'factline/log';
import { until } from 'factline/testing';
import { type TestDatabase, changed, jobs, schemaIds, testDatabase } from './database.spec.support.js';
import { FactOutbox, Relay, outboxDoctor, outboxStatus, watermarkTopic } from './index.js';
import { HELD_FACTS, HOLD_AFTER_MS } from './limits.js';
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

function startRelay(topics = [jobs]): Relay {
  const relay = new Relay({ store: database.store, log: recording.log, app: 'spec', topics, clock, pollInterval: 20 });
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

describe('a topic of which the log knows nothing', () => {
  const gone = { ...jobs, name: 'spec.gone' };
  const inGone = (key: string): Fact => ({ ...changed(key), type: { ...changed(key).type, topic: gone } });
  const stateGone = (...keys: string[]) => database.store.transaction((tx) => outbox.addMany(tx, keys.map(inGone)));
  const forget = (...topics: string[]) => {
    recording.beforeDescribe = (topic) => (topics.includes(topic) ? Promise.reject(new FactlineError({ code: 'log.topic-unknown', kind: 'unavailable', message: `There is no topic '${topic}'.` })) : Promise.resolve());
  };
  const sentThere = (key: string) => recording.byKey().get(`${gone.name}/${key}`) ?? [];
  const oneSetsAside = async (facts = 1) => {
    forget(gone.name);
    const first = startRelay([jobs, gone]);
    await stateGone(...Array<string>(facts).fill(STUCK));
    await tried(first, 1);
    passedMs = HOLD_AFTER_MS;
    await until('the facts in the table', async () => (await setAside())[0]?.facts === facts);
    await first.stop();
  };
  const tried = (relay: Relay, attempts: number) => until('more attempts', () => relay.status().rejections.some((rejection) => rejection.attempts > attempts));

  it('holds up the others for 10 s; then its facts are set aside, and sent in their order when it is there', async () => {
    forget(gone.name);
    const relay = startRelay([jobs, gone]);
    await stateGone(STUCK, FREE);
    await state(FREE);
    await tried(relay, 1);
    expect(sent(FREE)).toEqual([]); // control: before those 10 s
    passedMs = HOLD_AFTER_MS;
    await until('the other topic to go on', () => sent(FREE).length === 1);
    await stateGone(STUCK);
    await state(FREE);
    await until('the facts in the table', async () => (await setAside()).reduce((sum, { facts }) => sum + facts, 0) === 3);
    await until('the fact of the other topic behind them', () => sent(FREE).length === 2);
    expect(await setAside()).toEqual([
      { topic: gone.name, partition: 0, facts: 2 },
      { topic: gone.name, partition: 1, facts: 1 },
    ]);
    expect(relay.status().rejections).toMatchObject([{ topic: gone.name, partition: -1, held: true, reason: expect.stringContaining('There is no topic') as string }]);
    expect(sent(FREE)).toEqual([1, 2]);
    recording.partitions = PARTITIONS + 1;
    forget();
    await until('to be told that it was made otherwise', () => relay.status().rejections[0]!.reason.includes(`has ${PARTITIONS + 1} partitions`));
    recording.partitions = PARTITIONS;
    await until('the table to be empty', async () => (await setAside()).length === 0);
    await stateGone(STUCK, FREE);
    await until('later ones', () => sentThere(STUCK).includes(3) && sentThere(FREE).includes(2));
    expect([sentThere(STUCK), sentThere(FREE)]).toEqual([[1, 2, 3], [1, 2]]);
    expect(relay.status().rejections).toEqual([]);
  });

  it('is left to the next owner, which sends one of each, and goes on with the others', async () => {
    await oneSetsAside();
    const second = startRelay([jobs, gone]);
    await stateGone(STUCK);
    await state(FREE);
    await tried(second, 1);
    passedMs *= 2;
    await until('the other topic to go on', () => sent(FREE).length === 1);
    await until('the later fact behind the earlier one', async () => (await setAside())[0]?.facts === 2);
    forget();
    await until('both', () => sentThere(STUCK).length >= 2);
    await until('the table to be empty', async () => (await setAside()).length === 0);
    expect(sentThere(STUCK)).toEqual([1, 2]);
  });

  it('may be declared with other partitions when it is made: what was set aside goes where its key belongs, and first', async () => {
    await oneSetsAside(HELD_FACTS + 1); // more than are looked at at once
    recording.partitions = [4, 5, 6, 7].find((count) => partitionOf(Buffer.from(STUCK), count) !== 0)!;
    forget();
    startRelay([{ ...gone, partitions: recording.partitions }]);
    await stateGone(STUCK);
    await until('all of them', () => sentThere(STUCK).length >= HELD_FACTS + 2);
    expect(sentThere(STUCK)).toEqual(Array.from({ length: HELD_FACTS + 2 }, (_each, at) => at + 1));
    expect(new Set(recording.facts().map(({ partition }) => partition))).toEqual(new Set([partitionOf(Buffer.from(STUCK), recording.partitions)]));
  });

  it('control: sets nothing aside when the log knows nothing of any topic, when it has other partitions than declared, or when there is no other', async () => {
    for (const [topics, away] of [[[jobs, gone], [jobs.name, gone.name]], [[jobs, { ...gone, partitions: 5 }], []], [[gone], [gone.name]]] as const) {
      await database.reset();
      recording = new RecordingLog(PARTITIONS);
      passedMs = 0;
      forget(...away);
      const relay = startRelay([...topics]);
      await stateGone(STUCK);
      await tried(relay, 1);
      passedMs = HOLD_AFTER_MS;
      await tried(relay, 3);
      expect(await setAside()).toEqual([]);
      await relay.stop();
    }
  });
});
