import kafkajs from 'kafkajs';
import type { EachBatchPayload, Producer } from 'kafkajs';
import type { OutgoingRecord } from 'factline/log';
import type { Store } from 'factline/store';
import type { ExpectedRow } from './employees.js';

/*
 * The same work with nothing of the product in it: kafkajs's own producer and consumer, and COPY. What the product adds is the distance to these.
 */

/** Records a send of the raw producer. */
const RECORDS_PER_SEND = 3_000;
/** Fetch sizes at which kafkajs consumes fastest here; its default of 1 MiB a partition takes twice as long. */
const FETCH_BYTES_PER_PARTITION = 10 * 1024 * 1024;
const FETCH_BYTES = 64 * 1024 * 1024;
const FETCH_WAIT_MS = 100;

function rawKafka(brokers: readonly string[]): InstanceType<typeof kafkajs.Kafka> {
  return new kafkajs.Kafka({ brokers: [...brokers], clientId: 'bench', logLevel: kafkajs.logLevel.NOTHING });
}

export async function rawProducer(brokers: readonly string[]): Promise<Producer> {
  const producer = rawKafka(brokers).producer({ allowAutoTopicCreation: false, createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  return producer;
}

/** kafkajs producer.send of given records: acks=all, one topic-partition a send, partitions side by side. @returns milliseconds. */
export async function produceRaw(brokers: readonly string[], topic: string, byPartition: readonly (readonly OutgoingRecord[])[]): Promise<number> {
  const producer = await rawProducer(brokers);
  const started = performance.now();
  await Promise.all(
    byPartition.map(async (records, partition) => {
      for (let at = 0; at < records.length; at += RECORDS_PER_SEND) {
        const messages = records.slice(at, at + RECORDS_PER_SEND).map(({ key, value }) => ({ key, value, partition }));
        await producer.send({ topic, acks: -1, messages });
      }
    }),
  );
  const ms = performance.now() - started;
  await producer.disconnect();
  return ms;
}

/** A consumer that gets nothing for this long stands still. Seen once; without a bound the run would not have ended. */
const STANDING_MS = 30_000;

/** Reads a topic from its beginning to its end with kafkajs eachBatch and large fetches. @returns join apart from reading, milliseconds. */
export async function consumeRaw(
  brokers: readonly string[],
  topic: string,
  batch: (payload: EachBatchPayload) => Promise<void> | void,
): Promise<{ joinMs: number; ms: number; records: number }> {
  const groupId = `${topic}.${Math.random().toString(36).slice(2)}`;
  const kafka = rawKafka(brokers);
  const records = await recordsIn(kafka, topic);
  const consumer = kafka.consumer({ groupId, maxBytesPerPartition: FETCH_BYTES_PER_PARTITION, maxBytes: FETCH_BYTES, maxWaitTimeInMs: FETCH_WAIT_MS });
  const started = performance.now();
  let joined = started;
  consumer.on(consumer.events.GROUP_JOIN, () => {
    joined = performance.now();
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  let seen = 0;
  let standing: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve, reject) => {
    const moving = () => {
      clearTimeout(standing);
      standing = setTimeout(() => reject(new Error(`kafkajs got nothing of ${topic} for ${STANDING_MS} ms, after ${seen} of ${records} records`)), STANDING_MS);
    };
    moving();
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart || seen > 0) reject(payload.error); // a new broker loads its coordinators; kafkajs joins again by itself
    });
    const eachBatch = async (payload: EachBatchPayload) => {
      await batch(payload);
      moving();
      seen += payload.batch.messages.length;
      if (seen >= records) resolve();
    };
    consumer.run({ autoCommit: false, eachBatchAutoResolve: true, eachBatch }).catch(reject);
  }).finally(() => clearTimeout(standing));
  const ms = performance.now() - joined;
  await consumer.disconnect();
  return { joinMs: joined - started, ms, records };
}

async function recordsIn(kafka: ReturnType<typeof rawKafka>, topic: string): Promise<number> {
  const admin = kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  return offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
}

/** COPY of final rows into an empty table, then its key and its index. @returns milliseconds until committed. */
export async function copyRows(store: Store, rows: Iterable<ExpectedRow>): Promise<number> {
  const session = await store.session();
  try {
    await session.query('create table copied (employee_id text, name text, salary_cents bigint, currency text, location text, factline_sequence bigint)');
    const chunks: string[] = [];
    for (const { employee_id, name, salary_cents, currency, location } of rows) {
      chunks.push(`${employee_id}\t${name.replaceAll(/[\\\t]/g, ' ')}\t${salary_cents}\t${currency}\t${location}\t1\n`);
    }
    const started = performance.now();
    await session.query('begin');
    await session.copyIn('copy copied from stdin', [chunks.join('')]);
    await session.query('alter table copied add primary key (employee_id)');
    await session.query('create index on copied (location)');
    await session.query('commit');
    const ms = performance.now() - started;
    await session.query('drop table copied');
    return ms;
  } finally {
    await session.close();
  }
}
