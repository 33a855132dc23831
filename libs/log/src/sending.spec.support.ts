import { numbered } from './recorder.spec.support.js';
import type { SuiteWorld } from './suite-world.spec.support.js';

/** Topics and sends. */
export function describeSending(world: SuiteWorld): void {
  it('appends in order, answers base offsets, and reads back key, value, headers and time', async () => {
    const { publisher, topic, readAll } = world;
    const before = Date.now();
    expect(await publisher.send(topic, 0, numbered(0, 3))).toEqual({ baseOffset: 0 });
    expect(await publisher.send(topic, 0, [{ key: Buffer.from('kø'), value: Buffer.alloc(0), headers: { traceparent: Buffer.from('00-1') } }])).toEqual({ baseOffset: 3 });
    expect(await publisher.send(topic, 1, numbered(0, 1))).toEqual({ baseOffset: 0 });
    const { records } = await readAll(0, 4);
    expect(records.map(({ offset, key, value }) => [offset, key.toString(), value?.toString()])).toEqual([
      [0, 'key-0', 'value-0'],
      [1, 'key-1', 'value-1'],
      [2, 'key-2', 'value-2'],
      [3, 'kø', ''],
    ]);
    expect(records[3]!.headers!['traceparent']).toEqual(Buffer.from('00-1'));
    expect(records[0]!.headers).toBeUndefined();
    expect(records[0]!.timestamp).toBeGreaterThanOrEqual(before - 1_000);
  });

  it('describes starts and ends, and refuses a topic that does not exist', async () => {
    const { log, publisher, topic } = world;
    await publisher.send(topic, 1, numbered(0, 7));
    const [state] = await log.describe([topic]);
    expect(state!.partitions).toEqual([{ start: 0, end: 0 }, { start: 0, end: 7 }]);
    await expect(log.describe([topic, 'suite-nowhere'])).rejects.toMatchObject({ code: 'log.topic-unknown', kind: 'not-found' });
  });

  it('leaves an existing topic alone, and gives a recreated one another id', async () => {
    const { log, publisher, topic } = world;
    await publisher.send(topic, 0, numbered(0, 1));
    const [first] = await log.describe([topic]);
    await log.createTopics([{ name: topic, partitions: 9 }]);
    const [same] = await log.describe([topic]);
    expect(same).toEqual({ ...first, partitions: [{ start: 0, end: 1 }, { start: 0, end: 0 }] });
    await log.deleteTopics([topic, 'suite-nowhere']);
    await log.createTopics([{ name: topic, partitions: 2 }]);
    const [second] = await log.describe([topic]);
    expect(second!.id).not.toBe(first!.id);
    expect(second!.partitions[0]).toEqual({ start: 0, end: 0 });
  });

  it('refuses an empty key, no records and a partition that does not exist, and sends on after that', async () => {
    const { publisher, topic } = world;
    await expect(publisher.send(topic, 0, [{ key: Buffer.alloc(0), value: Buffer.from('x') }])).rejects.toMatchObject({ code: 'log.send-invalid', kind: 'invalid' });
    await expect(publisher.send(topic, 0, [])).rejects.toMatchObject({ code: 'log.send-invalid' });
    await expect(publisher.send(topic, 2, numbered(0, 1))).rejects.toMatchObject({ code: 'log.partition-unknown' });
    expect(await publisher.send(topic, 0, numbered(0, 1))).toEqual({ baseOffset: 0 });
  });

  it('sends again after a rejected send, in the order of the calls', async () => {
    const { publisher, topic, readAll, driver } = world;
    await publisher.send(topic, 0, numbered(0, 2));
    await expect(driver.rejectedSend(publisher, topic)).rejects.toMatchObject({ name: 'FactlineError' });
    await Promise.all([publisher.send(topic, 0, numbered(2, 4)), publisher.send(topic, 1, numbered(0, 1))]);
    const { records } = await readAll(0, 4);
    expect(records.map(({ key }) => key.toString())).toEqual(['key-0', 'key-1', 'key-2', 'key-3']);
  });
}
