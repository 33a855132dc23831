import { randomUUID } from 'node:crypto';
import { until } from 'factline/testing';
import { Recorder, numbered } from './recorder.spec.support.js';
import type { SuiteWorld } from './suite-world.spec.support.js';

/** Members of groups. */
export function describeSubscribing(world: SuiteWorld): void {
  it('delivers from the answered positions, not from the committed ones, and goes on with what is appended', async () => {
    const { publisher, topic, subscribe } = world;
    const group = `group-${randomUUID()}`;
    await publisher.send(topic, 0, numbered(0, 10));
    const first = new Recorder();
    const subscription = await subscribe(first, group);
    await until('the first ten', () => first.records.length === 10);
    await subscription.report([{ topic, partition: 0, offset: 10 }]);
    await subscription.stop();
    const second = new Recorder({ [`${topic}/0`]: 4 });
    await subscribe(second, group);
    await until('from offset 4 on', () => second.records.length >= 6);
    await publisher.send(topic, 0, numbered(10, 12));
    await until('the appended two', () => second.records.length >= 8);
    expect(second.offsets(0)).toEqual([4, 5, 6, 7, 8, 9, 10, 11]);
    expect(first.failures.filter((error) => !/COORDINATOR/.test(error.message))).toEqual([]);
  });

  it('shares partitions between two members, bumps the epoch, and delivers nothing twice, nothing stale and nothing less', async () => {
    const { publisher, topic, subscribe, client } = world;
    const group = `group-${randomUUID()}`;
    const table: Record<string, number> = {};
    const [one, two] = [new Recorder(table), new Recorder(table)];
    const writing = { on: true, sent: 0 };
    const writer = (async () => {
      while (writing.on || writing.sent < 20) {
        for (const partition of [0, 1]) await publisher.send(topic, partition, numbered(writing.sent * 5, writing.sent * 5 + 5));
        writing.sent += 1;
      }
    })();
    await subscribe(one, group);
    await until('the first member has both partitions', () => one.share.length === 2 && one.records.length > 0);
    const firstEpoch = one.epoch;
    const leaving = await subscribe(two, group, client());
    await until('each has one', () => one.share.length === 1 && two.share.length === 1);
    expect([...one.share, ...two.share].toSorted((a, b) => a - b)).toEqual([0, 1]);
    expect(one.epoch).toBeGreaterThan(firstEpoch);
    expect(one.gone).toContain(firstEpoch);
    await until('the second member reads', () => two.records.length > 0);
    await leaving.stop();
    await until('the first has both again', () => one.share.length === 2);
    writing.on = false;
    await writer;
    const all = () => [...one.records, ...two.records];
    await until('everything is delivered', () => all().length >= writing.sent * 10);
    for (const partition of [0, 1]) {
      const offsets = all().filter((record) => record.partition === partition).map(({ offset }) => offset).sort((a, b) => a - b);
      expect(offsets).toEqual(Array.from({ length: writing.sent * 5 }, (_, i) => i));
    }
    expect([...one.stale, ...two.stale]).toEqual([]);
  });

  it('a batch that threw comes again, and that it is read again is told', async () => {
    const { publisher, topic, subscribe } = world;
    await publisher.send(topic, 0, numbered(0, 3));
    const seen = new Recorder();
    const take = seen.batch.bind(seen);
    let refusals = 1;
    seen.batch = (batch, epoch) => {
      if (refusals-- > 0) throw new Error('not now');
      take(batch, epoch);
    };
    await subscribe(seen, `group-${randomUUID()}`);
    await until('it comes again', () => seen.records.length === 3);
    expect(seen.offsets(0)).toEqual([0, 1, 2]);
    expect(seen.failures.map(({ message }) => message)).toEqual(expect.arrayContaining([expect.stringContaining('not now')]));
    await until('the recovery is told', () => seen.recoveries > 0);
  });

  it('delivers nothing of a paused partition, and all of it after the resume', async () => {
    const { publisher, topic, subscribe } = world;
    const recorder = new Recorder();
    const subscription = await subscribe(recorder, `group-${randomUUID()}`);
    subscription.pause(topic, 0);
    await until('assigned', () => recorder.share.length === 2);
    await publisher.send(topic, 0, numbered(0, 5));
    await publisher.send(topic, 1, numbered(0, 5));
    await until('the other partition', () => recorder.offsets(1).length === 5);
    await publisher.send(topic, 1, numbered(5, 6));
    await until('the other partition again', () => recorder.offsets(1).length === 6);
    expect(recorder.offsets(0)).toEqual([]);
    subscription.resume(topic, 0);
    await until('the resumed one', () => recorder.offsets(0).length === 5);
    expect(recorder.offsets(0)).toEqual([0, 1, 2, 3, 4]);
  });

  it('delivers nothing after a stop', async () => {
    const { publisher, topic, subscribe } = world;
    const group = `group-${randomUUID()}`;
    const [stopped, control] = [new Recorder(), new Recorder()];
    const subscription = await subscribe(stopped, group);
    await publisher.send(topic, 0, numbered(0, 3));
    await until('three before the stop', () => stopped.records.length === 3);
    await subscription.stop();
    await publisher.send(topic, 0, numbered(3, 6));
    await subscribe(control, group);
    await until('another member has them', () => control.records.length === 6);
    expect(stopped.records).toHaveLength(3);
    expect(stopped.gone).toContain(stopped.epoch);
  });

  it('tells of a position that is not in the log, leaves that partition unread, and reads the others', async () => {
    const { log, publisher, topic, subscribe } = world;
    await publisher.send(topic, 0, numbered(0, 3));
    await publisher.send(topic, 1, numbered(0, 3));
    const recorder = new Recorder({ [`${topic}/0`]: 99 });
    await subscribe(recorder, `group-${randomUUID()}`);
    await until('told, and the other read', () => recorder.outOfRanges.length > 0 && recorder.offsets(1).length === 3);
    await publisher.send(topic, 0, numbered(3, 4));
    await publisher.send(topic, 1, numbered(3, 4));
    await until('the other goes on', () => recorder.offsets(1).length === 4);
    expect(recorder.outOfRanges).toEqual([{ position: { topic, partition: 0, offset: 99 }, kept: { topicId: (await log.describe([topic]))[0]!.id, start: 0, end: 3 } }]);
    expect(recorder.offsets(0)).toEqual([]);
  });

  it('tells when the topic is recreated under a subscription, instead of reading the new one at the old position', async () => {
    const { publisher, topic, subscribe, recreate } = world;
    await publisher.send(topic, 0, numbered(0, 3));
    const recorder = new Recorder();
    await subscribe(recorder, `group-${randomUUID()}`);
    await until('the old records', () => recorder.offsets(0).length === 3);
    await recreate(numbered(100, 110));
    await until('told of the recreation', () => recorder.outOfRanges.some(({ position }) => position.partition === 0));
    expect(recorder.offsets(0)).toEqual([0, 1, 2]);
  });

  it('reads nothing of a topic that was recreated and filled while it asked for no records, so that no broker told it of the deletion', async () => {
    const { log, publisher, topic, subscribe, recreate } = world;
    const recorder = new Recorder({}, (await log.describe([topic]))[0]!.id);
    const subscription = await subscribe(recorder, `group-${randomUUID()}`);
    const take = recorder.batch.bind(recorder);
    recorder.batch = (batch, epoch) => {
      take(batch, epoch);
      for (const partition of [0, 1]) subscription.pause(topic, partition); // here no request is on its way
    };
    await publisher.send(topic, 0, numbered(0, 3));
    await until('the old records', () => recorder.offsets(0).length === 3);
    const topicId = await recreate(numbered(100, 110));
    for (const partition of [0, 1]) subscription.resume(topic, partition);
    await until('told of the recreation', () => recorder.outOfRanges.find(({ position }) => position.partition === 0));
    expect(recorder.outOfRanges.find(({ position }) => position.partition === 0)!.kept.topicId).toBe(topicId);
    expect(recorder.offsets(0)).toEqual([0, 1, 2]);
  });

  it('reads nothing at a position that belongs to an earlier incarnation of the topic; control: without its id it is read', async () => {
    const { log, publisher, topic, subscribe, recreate } = world;
    await publisher.send(topic, 0, numbered(0, 3));
    const { id } = (await log.describe([topic]))[0]!;
    await recreate(numbered(100, 110));
    const recorder = new Recorder({ [`${topic}/0`]: 3 }, id);
    await subscribe(recorder, `group-${randomUUID()}`);
    await until('for both partitions', () => recorder.outOfRanges.length === 2);
    expect(recorder.records).toEqual([]);

    const control = new Recorder({ [`${topic}/0`]: 3 });
    await subscribe(control, `group-${randomUUID()}`);
    await until('the others', () => control.offsets(0).length === 7);
  });

  it('subscribes to a topic that does not exist yet, and reads it once it is there', async () => {
    const { log, publisher, topic, subscribe } = world;
    await log.deleteTopics([topic]);
    const recorder = new Recorder();
    await subscribe(recorder, `group-${randomUUID()}`);
    await log.createTopics([{ name: topic, partitions: 2 }]);
    await publisher.send(topic, 1, numbered(0, 2));
    await until('read', () => recorder.offsets(1).length === 2);
    expect(recorder.share).toEqual([0, 1]);
  });

  it('ends with its client: a closed log refuses work and its subscriptions are stopped', async () => {
    const { subscribe, client } = world;
    const mine = client();
    const recorder = new Recorder();
    await subscribe(recorder, `group-${randomUUID()}`, mine);
    await until('assigned', () => recorder.share.length === 2);
    await mine.close();
    expect(recorder.gone).toContain(recorder.epoch);
    await expect(mine.publisher()).rejects.toMatchObject({ code: 'log.closed' });
  });
}
