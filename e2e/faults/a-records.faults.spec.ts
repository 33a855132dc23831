import { EmployeeMoved } from '../../apps/hr/src/contracts.generated.js';
import { openDatabase } from '../../bench/scene.js';
import type { FactDefinition } from 'factline/contracts';
import { type FactLog, partitionOf } from 'factline/log';
import { FactOutbox, Relay, outboxStatus, watermarkTopic } from 'factline/outbox';
import type { Store } from 'factline/store';
import { type World, until, world } from 'factline/testing';
import { byKey, statedFacts } from '../support/employee-topic.js';
import { movedOn } from '../support/tally.js';

/** As schemas/hr/employee/topic.yaml says. */
const PARTITIONS = 6;
const DAY_MS = 86_400_000;

let here: World;
let log: FactLog;
let store: Store;
let outbox: FactOutbox;
let databases = 0;

beforeAll(async () => {
  here = await world();
  log = here.log();
});

/** Each its own outbox: a fact that is refused for good would hold up those of the next. */
beforeEach(async () => {
  const { idOf, ...database } = await openDatabase(here, `records_${++databases}`);
  store = database.store;
  outbox = new FactOutbox({ store, schemaIds: { idOf } });
});

afterAll(() => here?.close());

async function topicWith(name: string, settings: Record<string, string>): Promise<FactDefinition> {
  const topic = here.topic(name);
  await log.createTopics([{ name: topic, partitions: PARTITIONS, settings: { 'message.timestamp.type': 'LogAppendTime', ...settings } }, watermarkTopic]);
  return movedOn(topic);
}

const moved = (type: FactDefinition, key: string, location: string) => ({ ...EmployeeMoved(key, { location, salaryCents: 1 }), type });
const state = (type: FactDefinition, key: string, location: string) => store.transaction((tx) => outbox.add(tx, moved(type, key, location)));
const keyIn = (partition: number) => Array.from({ length: 100 }, (_each, at) => `k${at}`).find((key) => partitionOf(Buffer.from(key), PARTITIONS) === partition)!;

it('A9: a fact above the limit of all facts is refused where it is stated, and its transaction leaves nothing', async () => {
  const type = await topicWith('too_large', {});
  await expect(state(type, 'k', 'x'.repeat(5_000_000))).rejects.toMatchObject({ code: 'fact.too-large', kind: 'invalid' });
  const { sequence } = await state(type, 'k', 'BER');
  expect(sequence).toBe(1); // the number was given back
  const { rows } = await store.query('select from factline.outbox where topic = $1', [type.topic.name]);
  expect(rows).toHaveLength(1);
});

it('A9: a fact that the topic refuses for good is named and set aside with the later ones of its partition; other partitions go on, and nothing is dropped or overtaken', async () => {
  const type = await topicWith('small', { 'max.message.bytes': '2000' });
  const [stuck, free] = [keyIn(0), keyIn(1)];
  const relay = new Relay({ store, log, app: type.topic.owner, topics: [type.topic] });
  await state(type, stuck, 'x'.repeat(5_000));
  await state(type, free, 'BER');
  relay.start();
  try {
    const named = () => relay.status().rejections.find(({ partition }) => partition === 0);
    await until('the refused fact to be named', named);
    expect(named()!.reason).toMatch(/max\.message\.bytes/);
    await state(type, free, 'PAR');
    await state(type, stuck, 'BER');
    const found = async () => byKey(await statedFacts({ world: here, prefix: '' }, type.topic.name));
    await until('what was stated later, in another partition', async () => (await found()).get(free)?.length === 2);
    await until('the partition to be held', async () => (await outboxStatus(store)).held[0]?.facts === 2);
    expect([...(await found()).keys()]).toEqual([free]);
    expect(named()).toMatchObject({ held: true });
  } finally {
    await relay.stop();
  }
});

/** Publishes one fact with the clock of this process eight days late. @returns the time of its record, and when it happened. */
async function publishedLate(type: FactDefinition): Promise<{ recorded: number; happened: unknown }> {
  const { now } = Date;
  const relay = new Relay({ store, log, app: type.topic.owner, topics: [type.topic] });
  Date.now = () => now() - 8 * DAY_MS;
  try {
    await state(type, 'k', 'BER');
    await relay.runOnce();
  } finally {
    Date.now = now;
    await relay.stop();
  }
  const times: number[] = [];
  const partition = partitionOf(Buffer.from('k'), PARTITIONS);
  await log.read({ topic: type.topic.name, ranges: [{ partition, from: 0, to: 1 }], batch: ({ records }) => void times.push(...records.map(({ timestamp }) => timestamp)) });
  const [fact] = await statedFacts({ world: here, prefix: '' }, type.topic.name);
  return { recorded: times[0]!, happened: fact!.occurredAt };
}

it('A19: facts of last week are not taken at once by retention: the time of a record is the broker’s, and the fact says when it happened', async () => {
  const began = Date.now();
  const { recorded, happened } = await publishedLate(await topicWith('week_old', {}));
  expect(recorded).toBeGreaterThan(began - DAY_MS);
  expect(happened).toBeLessThan(began - 7 * DAY_MS);
});

it('control of A19: on a topic with the time of the sender the record would be a week old', async () => {
  const began = Date.now();
  const { recorded } = await publishedLate(await topicWith('sender_time', { 'message.timestamp.type': 'CreateTime' }));
  expect(recorded).toBeLessThan(began - 7 * DAY_MS);
});
