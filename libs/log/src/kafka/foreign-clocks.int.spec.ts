import { randomUUID } from 'node:crypto';
import { until } from 'factline/testing';
import kafkajs from 'kafkajs';
import { type FactLog, type Publisher, kafkaLog } from '../index.js';
import { Recorder, numbered } from '../recorder.spec.support.js';
import { testBrokers } from './test-brokers.spec.support.js';

const DAY_MS = 86_400_000;
const brokers = testBrokers(process.env);
let log: FactLog;
let publisher: Publisher;
let topic: string;

beforeAll(async () => {
  log = kafkaLog({ brokers, clientId: 'clocks' });
  publisher = await log.publisher();
});
beforeEach(() => {
  topic = `clocks-${randomUUID()}`;
});
afterEach(() => log.deleteTopics([topic]));
afterAll(() => log.close());

describe('B12 a clock that is three days ahead', () => {
  /** The records of a send get their time before its first wait. */
  const sentInThreeDays = (from: number) => {
    const { now } = Date;
    Date.now = () => now() + 3 * DAY_MS;
    try {
      return publisher.send(topic, 0, numbered(from, from + 1));
    } finally {
      Date.now = now;
    }
  };

  it('B12: does not reach a topic of facts: the time of a record is the broker’s', async () => {
    await log.createTopics([{ name: topic, partitions: 1, settings: { 'message.timestamp.type': 'LogAppendTime' } }]);
    const times: number[] = [];
    await sentInThreeDays(0);
    await log.read({ topic, ranges: [{ partition: 0, from: 0, to: 1 }], batch: ({ records }) => void times.push(...records.map(({ timestamp }) => timestamp)) });
    expect(Math.abs(times[0]! - Date.now())).toBeLessThan(DAY_MS);
  });

  it('B12: control: on a topic that takes the producer’s time the broker refuses it, and takes the next record', async () => {
    await log.createTopics([{ name: topic, partitions: 1, settings: { 'message.timestamp.type': 'CreateTime' } }]);
    await expect(sentInThreeDays(0)).rejects.toMatchObject({ kind: 'unavailable', details: { brokerError: 'INVALID_TIMESTAMP' } });
    expect(await publisher.send(topic, 0, numbered(1, 2))).toEqual({ baseOffset: 0 });
  });
});

describe('B14 a transaction that stays open', () => {
  it('B14: holds readers up at the last stable offset, which is where their lag is counted to; nothing is told, and all is read when it ends', async () => {
    await log.createTopics([{ name: topic, partitions: 1 }]);
    await publisher.send(topic, 0, numbered(0, 2));
    const kafka = new kafkajs.Kafka({ brokers, clientId: 'clocks', logLevel: kafkajs.logLevel.NOTHING });
    const producer = kafka.producer({ transactionalId: topic, maxInFlightRequests: 1, idempotent: true, createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: numbered(2, 4).map((record) => ({ ...record, partition: 0 })) });
    await publisher.send(topic, 0, numbered(4, 6)); // behind the open transaction
    const recorder = new Recorder();
    const subscription = await log.subscribe({ group: topic, topics: [topic], events: recorder });
    await until('what is stable', () => recorder.offsets(0).length === 2);
    expect((await log.describe([topic]))[0]!.partitions).toEqual([{ start: 0, end: 2 }]);
    const failures = recorder.failures.length; // a group that is new to its broker has some
    await transaction.commit();
    await producer.disconnect();
    await until('all of it', () => recorder.offsets(0).length === 6);
    await subscription.stop();
    expect({ offsets: recorder.offsets(0), told: recorder.failures.length - failures }).toEqual({ offsets: [0, 1, 2, 3, 4, 5], told: 0 });
  });
});
