import { until } from 'factline/testing';
import { memoryBroker, memoryLog } from '../index.js';
import { describeLog } from '../log.suite.spec.support.js';
import { Recorder, numbered } from '../recorder.spec.support.js';

describeLog('memory', async () => {
  const broker = memoryBroker();
  return {
    client: () => memoryLog({ broker }),
    rejectedSend: (publisher, topic) => {
      broker.failNextSend();
      return publisher.send(topic, 0, numbered(90, 91));
    },
    close: async () => undefined,
  };
});

describe('the switches of the memory broker', () => {
  const setUp = async () => {
    const broker = memoryBroker();
    const log = memoryLog({ broker });
    await log.createTopics([{ name: 't', partitions: 1 }]);
    return { broker, log, publisher: await log.publisher() };
  };

  it('can store what it rejects: the outcome of a rejected send is unknown', async () => {
    const { broker, log, publisher } = await setUp();
    broker.failNextSend({ stored: true });
    await expect(publisher.send('t', 0, numbered(0, 2))).rejects.toMatchObject({ code: 'log.unavailable' });
    expect(await publisher.send('t', 0, numbered(0, 2))).toEqual({ baseOffset: 2 });
    expect((await log.describe(['t']))[0]!.partitions).toEqual([{ start: 0, end: 4 }]);
  });

  it.each(['truncate', 'retain', 'recreate'] as const)('%s makes the position of a subscriber one that is not in the log', async (fault) => {
    const { broker, log, publisher } = await setUp();
    await publisher.send('t', 0, numbered(0, 10));
    const recorder = new Recorder(fault === 'retain' ? { 't/0': 3 } : {});
    if (fault === 'retain') broker.retainFrom('t', 0, 5);
    const subscription = await log.subscribe({ group: 'g', topics: ['t'], events: recorder });
    if (fault !== 'retain') await until('all read', () => recorder.records.length === 10);
    if (fault === 'truncate') broker.truncate('t', 0, 6);
    if (fault === 'recreate') broker.recreate('t');
    await until('told', () => recorder.outOfRanges.length === 1);
    expect(recorder.outOfRanges[0]).toMatchObject({ position: { offset: fault === 'retain' ? 3 : 10 } });
    await subscription.stop();
  });

  it('leaves holes that readers step over, counted in the next offset', async () => {
    const { broker, log, publisher } = await setUp();
    await publisher.send('t', 0, numbered(0, 2));
    broker.leaveHole('t', 0, 3);
    await publisher.send('t', 0, numbered(2, 3));
    broker.leaveHole('t', 0, 2);
    const seen: number[][] = [];
    await log.read({ topic: 't', ranges: [{ partition: 0, from: 0, to: 8 }], batch: ({ records, nextOffset }) => void seen.push([...records.map(({ offset }) => offset), nextOffset]) });
    expect(seen.flat()).toEqual([0, 1, 5, 8]);
  });

  it('keeps what was sent, even when the sender reuses its buffers', async () => {
    const { log, publisher } = await setUp();
    const value = Buffer.from('before');
    await publisher.send('t', 0, [{ key: Buffer.from('k'), value }]);
    value.write('after!');
    const values: (string | undefined)[] = [];
    await log.read({ topic: 't', ranges: [{ partition: 0, from: 0, to: 1 }], batch: ({ records }) => void values.push(records[0]!.value?.toString()) });
    expect(values).toEqual(['before']);
  });
});
