import { randomUUID } from 'node:crypto';
import { until } from 'factline/testing';
import kafkajs from 'kafkajs';
import { type FactLog, kafkaLog } from '../../index.js';
import { numbered } from '../../recorder.spec.support.js';
import { testBrokers } from '../test-brokers.spec.support.js';
import { type MakeReadingClient, type ReadingClient, kafkajsConsumer, ourSubscription } from './reading-clients.spec.support.js';

const brokers = testBrokers(process.env);
let log: FactLog;
let topic: string;
let client: ReadingClient | undefined;

beforeAll(() => {
  log = kafkaLog({ brokers, clientId: 'conformance' });
});
beforeEach(async () => {
  topic = `conformance-${randomUUID()}`;
  await log.createTopics([{ name: topic, partitions: 1 }]);
});
afterEach(async () => {
  await client?.stop();
  client = undefined;
  await log.deleteTopics([topic]);
});
afterAll(() => log.close());

const send = async (from: number, to: number) => {
  const publisher = await log.publisher();
  await publisher.send(topic, 0, numbered(from, to));
  await publisher.close();
};

/** What retention does, at once and not within five minutes. */
async function removeBelow(offset: number): Promise<void> {
  const admin = new kafkajs.Kafka({ brokers, clientId: 'conformance', logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.fetchTopicOffsets(topic); // else it does not know the topic
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
  await admin.disconnect();
}

describe('B10 retention passed a position', () => {
  /** Ten records; the application stands at 2; the log begins at 5. */
  const passed = async (make: MakeReadingClient): Promise<ReadingClient> => {
    await send(0, 10);
    await removeBelow(5);
    return (client = await make({ brokers, log, topic, from: 2 }));
  };

  it('B10: our subscription says so and hands over nothing, also of what comes later', async () => {
    const ours = await passed(ourSubscription);
    const lost = /^offset 2 is not in the log, which has 5 to \d+$/;
    await until('it is told', () => ours.told.some((each) => lost.test(each)));
    await send(10, 12);
    const control = await ourSubscription({ brokers, log, topic, group: `${topic}-control`, from: 5 });
    await until('the control reads them', () => control.offsets.length === 7);
    await control.stop();
    expect(ours.offsets).toEqual([]);
    expect(ours.told.filter((each) => lost.test(each))).toHaveLength(1);
  });

  it('B10: control: kafkajs alone jumps to the end and says nothing: what was kept is skipped with what was lost', async () => {
    const alone = await passed(kafkajsConsumer);
    let sent = 10;
    await until('it reads again', async () => {
      await send(sent, ++sent); // it is at the end at some time, and then reads what comes
      return alone.offsets.length > 0;
    });
    expect(alone.told).toEqual([]);
    expect(alone.offsets[0]).toBeGreaterThanOrEqual(10);
  });
});

describe('C21 the consumer crashed and the process lives', () => {
  /** A handler that refuses one batch for a reason that no retry helps, as the client's own errors may be. */
  const refusedOnce = async (make: MakeReadingClient): Promise<ReadingClient> => {
    let refusals = 1;
    await send(0, 3);
    const made = await make({
      brokers,
      log,
      topic,
      from: 0,
      refuse: () => {
        if (refusals-- > 0) throw new kafkajs.KafkaJSNonRetriableError('not retriable');
      },
    });
    client = made;
    await until('it is told', () => made.told.some((each) => /not retriable|NonRetriable/.test(each)));
    return made;
  };

  it('C21: our subscription tells it, and reads on', async () => {
    const ours = await refusedOnce(ourSubscription);
    await until('it reads on', () => ours.offsets.length === 3);
    expect(ours.offsets).toEqual([0, 1, 2]);
  });

  it('C21: control: kafkajs alone ends for good, outside its group, and the process does not', async () => {
    const alone = await refusedOnce(kafkajsConsumer);
    expect(alone.told).toEqual(['KafkaJSNonRetriableError, restarts by itself: false']);
    const admin = new kafkajs.Kafka({ brokers, clientId: 'conformance', logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    await until('the group to be empty', async () => (await admin.describeGroups([topic])).groups[0]!.members.length === 0);
    await admin.disconnect();
    expect(alone.offsets).toEqual([]);
  });
});
