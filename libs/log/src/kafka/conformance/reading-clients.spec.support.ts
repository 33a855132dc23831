import kafkajs from 'kafkajs';
import { until } from 'factline/testing';
import type { FactLog } from '../../index.js';
import { Recorder } from '../../recorder.spec.support.js';

/** What a client that reads did with one partition. */
export interface ReadingClient {
  /** Offsets handed over, in order. */
  readonly offsets: number[];
  /** What the client told of its own accord: a position that is not there, a failure, its end. */
  readonly told: string[];
  stop(): Promise<void>;
}

export interface ReadingOptions {
  brokers: readonly string[];
  log: FactLog;
  topic: string;
  /** Default: one for the topic. */
  group?: string;
  /** The position from which the application wants to go on. */
  from: number;
  /** Runs for each batch that is handed over, before its offsets are noted: throw to refuse it. */
  refuse?: () => void;
}

export type MakeReadingClient = (options: ReadingOptions) => Promise<ReadingClient>;

/** The client behind the log's port. */
export const ourSubscription: MakeReadingClient = async ({ log, topic, group = topic, from, refuse = () => undefined }) => {
  const recorder = new Recorder({ [`${topic}/0`]: from });
  const told: string[] = [];
  const take = recorder.batch.bind(recorder);
  recorder.batch = (batch, epoch) => {
    refuse();
    take(batch, epoch);
  };
  recorder.outOfRange = (position, { start, end }) => void told.push(`offset ${position.offset} is not in the log, which has ${start} to ${end}`);
  recorder.disturbed = (error) => void told.push(error.message);
  const subscription = await log.subscribe({ group, topics: [topic], events: recorder });
  return {
    get offsets() {
      return recorder.offsets(0);
    },
    told,
    stop: () => subscription.stop(),
  };
};

/** kafkajs's own consumer at the same position, without our rules: the control. */
export const kafkajsConsumer: MakeReadingClient = async ({ brokers, topic, group = topic, from, refuse = () => undefined }) => {
  const kafka = new kafkajs.Kafka({ brokers: [...brokers], clientId: 'conformance', logLevel: kafkajs.logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: String(from) }] });
  await admin.disconnect();
  const consumer = kafka.consumer({ groupId: group, maxWaitTimeInMs: 50 });
  const offsets: number[] = [];
  const told: string[] = [];
  consumer.on('consumer.crash', ({ payload }) => void told.push(`${payload.error.name}, restarts by itself: ${payload.restart}`));
  await consumer.connect();
  await consumer.subscribe({ topic });
  let joined = false;
  consumer.on('consumer.group_join', () => (joined = true));
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      refuse();
      offsets.push(...batch.messages.map(({ offset }) => Number(offset)));
    },
  });
  await until('the consumer to join', () => joined);
  return { offsets, told, stop: () => consumer.disconnect() };
};
