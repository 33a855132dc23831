import type { Watermark } from 'factline/contracts';
import { factIdOf, sequenceOf } from 'factline/contracts';
import { type FactLog, kafkaLog } from 'factline/log';
import { Signal, formatId, newId } from 'factline/kernel';
import { until } from 'factline/testing';
import { type TestDatabase, changed, jobs, schemaIds, testDatabase } from './database.spec.support.js';
import { FactOutbox, Relay, type RelayPoint, watermarkTopic } from './index.js';

const FACTS = 300;
const KEYS = 20;

let database: TestDatabase;
let log: FactLog;
const topic = { ...jobs, name: `spec.job-${formatId(newId())}` };

beforeAll(async () => {
  const brokers = (process.env['FACTLINE_KAFKA'] ?? '').split(',');
  log = kafkaLog({ brokers, clientId: 'outbox-spec' });
  await log.createTopics([{ name: topic.name, partitions: topic.partitions }, watermarkTopic]);
  database = await testDatabase();
});
afterAll(async () => {
  await log.deleteTopics([topic.name]);
  await log.close();
  await database.drop();
});

it('what was stated is in Kafka in the order of each key, under the id that was answered, and below the watermark', async () => {
  const wake = new Signal();
  const outbox = new FactOutbox({ store: database.store, schemaIds, wake });
  const marks: Watermark[] = [];
  const observe = (point: RelayPoint) => {
    if (point.name === 'watermark-sent') marks.push(...point.marks);
  };
  const relay = new Relay({ store: database.store, log, app: 'spec', topics: [topic], wake, batchSize: 50, observe });
  relay.start();
  const fact = (at: number) => {
    const made = changed(`k${at % KEYS}`);
    return { ...made, type: { ...made.type, topic } };
  };
  const stated = await Promise.all(Array.from({ length: FACTS }, (_, at) => database.store.transaction((tx) => outbox.add(tx, fact(at)))));
  const { rows } = await database.store.query<{ now: number }>('select (extract(epoch from clock_timestamp()) * 1000)::float8 as now');
  await until('a watermark covers the last commit', () => (marks.at(-1)?.asOf ?? 0) >= rows[0]!.now);
  const [state] = await log.describe([topic.name]);
  expect(marks.at(-1)!.offsets).toEqual(state!.partitions.map(({ end }) => end));

  const read: { key: string; sequence: number; id: string }[] = [];
  const ranges = state!.partitions.map(({ start, end }, partition) => ({ partition, from: start, to: end }));
  await log.read({
    topic: topic.name,
    ranges,
    batch: ({ records }) => read.push(...records.map(({ key, value }) => ({ key: key.toString(), sequence: sequenceOf(value), id: formatId(Buffer.from(factIdOf(value))) }))) as never,
  });
  await relay.stop();
  for (let key = 0; key < KEYS; key++) {
    expect(read.filter((each) => each.key === `k${key}`).map(({ sequence }) => sequence)).toEqual(Array.from({ length: FACTS / KEYS }, (_, at) => at + 1));
  }
  const expected = new Map(stated.map(({ id, key, sequence }) => [id, `${key}/${sequence}`]));
  expect(new Map(read.map(({ id, key, sequence }) => [id, `${key}/${sequence}`]))).toEqual(expected);
});
