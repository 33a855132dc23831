import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { until } from 'factline/testing';
import kafkajs from 'kafkajs';
import { type FactLog, type LogRecord, kafkaLog } from '../index.js';
import { Recorder, numbered } from '../recorder.spec.support.js';
import { UNPACKED_BATCH_BYTES_MAX } from '../limits.js';
import { BATCH_LENGTH_OVERHEAD, BatchField, encodeBatch } from './batch-encoding.js';
import { brokerFactory } from './client.js';
import { crc32c } from './crc32c.js';
import { goldenBatches } from './golden-batches.spec.support.js';
import { Session, leadersOf } from './session.js';
import { testBrokers } from './test-brokers.spec.support.js';
import { Writer } from './wire.js';

/** What other producers leave in a topic: aborted transactions, compacted holes, any codec. */
describe('records of foreign producers', () => {
  let log: FactLog;
  let topic: string;
  const setUp = async (settings: Record<string, string> = {}) => {
    topic = `foreign-${randomUUID()}`;
    await log.createTopics([{ name: topic, partitions: 1, settings }]);
  };
  const readAll = async (from = 0) => {
    const [state] = await log.describe([topic]);
    const { end } = state!.partitions[0]!;
    const records: LogRecord[] = [];
    let next = from;
    await log.read({
      topic,
      ranges: [{ partition: 0, from, to: end }],
      batch: (batch) => {
        records.push(...batch.records);
        next = batch.nextOffset;
      },
    });
    return { records, next, end };
  };

  beforeAll(() => {
    log = kafkaLog({ brokers: testBrokers(process.env), clientId: 'foreign' });
  });
  afterEach(() => log?.deleteTopics([topic]));
  afterAll(() => log?.close());

  it('C19: aborted transactions are never delivered, and their offsets are no gap', async () => {
    await setUp();
    const kafka = new kafkajs.Kafka({ brokers: testBrokers(process.env), clientId: 'foreign', logLevel: kafkajs.logLevel.NOTHING });
    const producer = kafka.producer({ transactionalId: topic, maxInFlightRequests: 1, idempotent: true, createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
    await producer.connect();
    const send = async (from: number, to: number, end: 'commit' | 'abort') => {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: numbered(from, to).map((record) => ({ ...record, partition: 0 })) });
      await transaction[end]();
    };
    await send(0, 3, 'commit'); // offsets 0 to 2, marker 3
    await send(10, 14, 'abort'); // 4 to 7, marker 8
    await send(3, 5, 'commit'); // 9 and 10, marker 11
    await send(20, 22, 'abort'); // 12 and 13, marker 14
    await producer.disconnect();
    await until('the last marker', async () => (await log.describe([topic]))[0]!.partitions[0]!.end === 15); // the coordinator writes it after it has answered
    const { records, next, end } = await readAll();
    expect(records.map(({ key }) => key.toString())).toEqual(['key-0', 'key-1', 'key-2', 'key-3', 'key-4']);
    expect([next, end]).toEqual([15, 15]);
    expect((await readAll(5)).records.map(({ offset }) => offset)).toEqual([9, 10]);
    const recorder = new Recorder({ [`${topic}/0`]: 1 });
    const subscription = await log.subscribe({ group: topic, topics: [topic], events: recorder });
    await until('the position behind the last marker', () => recorder.positions[`${topic}/0`] === 15);
    expect(recorder.offsets(0)).toEqual([1, 2, 9, 10]);
    await subscription.stop();
  });

  it('every codec is read as the broker keeps it', async () => {
    await setUp();
    const session = new Session(brokerFactory({ brokers: [], clientId: 'foreign' }), testBrokers(process.env));
    const { leaders } = leadersOf(await session.look([topic]), topic);
    const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
    for (const codec of codecs) {
      const batch = Buffer.from(goldenBatches[codec], 'base64');
      const body = new Writer().int16(-1).int16(-1).int32(10_000).int32(1).string(topic).int32(1).int32(0).int32(batch.length).bytes(batch).buffer;
      await session.ask(leaders[0]!, { api: 0, version: 7, name: 'Produce', body, read: () => undefined });
    }
    session.close();
    const { records } = await readAll();
    expect(records.map(({ offset }) => offset)).toEqual(Array.from({ length: 60 }, (_, i) => i));
    for (const [i, record] of records.entries()) {
      expect(record.key.toString()).toBe(`key-${i % 12}`);
      expect(record.value?.toString() ?? null).toBe(i % 12 === 5 ? null : `value-${i % 12} `.repeat(i % 12 === 7 ? 40 : 6));
    }
    expect((await readAll(27)).records.map(({ offset }) => offset)[0]).toBe(27);
  });

  it('D14: a batch that unpacks to more than the limit is told and never handed over, and the other partition goes on', async () => {
    topic = `foreign-${randomUUID()}`;
    await log.createTopics([{ name: topic, partitions: 2 }]);
    const session = new Session(brokerFactory({ brokers: [], clientId: 'foreign' }), testBrokers(process.env));
    const { leaders } = leadersOf(await session.look([topic]), topic);
    const bomb = gzipBomb(UNPACKED_BATCH_BYTES_MAX);
    expect(bomb.length).toBeLessThan(1024 * 1024); // the broker takes it
    const body = new Writer().int16(-1).int16(-1).int32(10_000).int32(1).string(topic).int32(1).int32(0).int32(bomb.length).bytes(bomb).buffer;
    await session.ask(leaders[0]!, { api: 0, version: 7, name: 'Produce', body, read: () => undefined });
    session.close();
    expect((await log.describe([topic]))[0]!.partitions[0]).toEqual({ start: 0, end: 1 });
    const recorder = new Recorder();
    const subscription = await log.subscribe({ group: topic, topics: [topic], events: recorder });
    await until('it is told', () => recorder.failures.some((failure) => (failure as { code?: string }).code === 'log.batch-unreadable'));
    const publisher = await log.publisher();
    await publisher.send(topic, 1, numbered(0, 3));
    await publisher.close();
    await until('the other partition goes on', () => recorder.offsets(1).length === 3);
    await subscription.stop();
    expect(recorder.offsets(0)).toEqual([]);
    await expect(readAll()).rejects.toMatchObject({ code: 'log.batch-unreadable', kind: 'integrity', retry: false });
  });

  it('holes of compaction are stepped over, from inside a hole too', async () => {
    await setUp({ 'cleanup.policy': 'compact', 'segment.ms': '50', 'min.cleanable.dirty.ratio': '0.001', 'min.compaction.lag.ms': '0', 'max.compaction.lag.ms': '1' });
    const publisher = await log.publisher();
    const same = (value: number) => [{ key: Buffer.from('same'), value: Buffer.from(`${value}`) }];
    for (let i = 0; i < 10; i++) await publisher.send(topic, 0, same(i));
    let sent = 10;
    await until('the log cleaner', async () => {
      await publisher.send(topic, 0, same(sent++)); // a segment rolls when something is appended after its time
      return (await readAll()).records[0]!.offset > 5;
    });
    const { records, next, end } = await readAll();
    expect(next).toBe(end);
    expect(records.at(-1)!.offset).toBe(end - 1);
    const hole = records[0]!.offset - 2;
    expect((await readAll(hole)).records[0]!.offset).toBeGreaterThanOrEqual(records[0]!.offset); // the broker may have compacted more meanwhile
    await publisher.close();
  });
});

/** One batch of one record whose value is zeros, more of them than the limit, packed to a thousandth. */
function gzipBomb(limit: number): Buffer {
  const zeros = Buffer.alloc(limit + 1);
  const length = new Writer(8).unsignedVarint(zeros.length * 2).buffer; // zig-zag
  const fields = Buffer.concat([Buffer.of(0, 0, 0, 2, 0x6b), length, zeros, Buffer.of(0)]); // attributes, differences, the key 'k', no headers
  const records = gzipSync(Buffer.concat([new Writer(8).unsignedVarint(fields.length * 2).buffer, fields]));
  const batch = Buffer.concat([encodeBatch([{ key: Buffer.from('k'), value: Buffer.alloc(0) }], Date.now()).subarray(0, BatchField.records), records]);
  batch.writeInt32BE(batch.length - BATCH_LENGTH_OVERHEAD, BatchField.length);
  batch.writeInt16BE(1, BatchField.attributes);
  batch.writeUInt32BE(crc32c(batch, BatchField.attributes, batch.length), BatchField.crc);
  return batch;
}
