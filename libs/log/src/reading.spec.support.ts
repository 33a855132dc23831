import { until } from 'factline/testing';
import type { FollowOptions } from './log.js';
import { numbered } from './recorder.spec.support.js';
import type { SuiteWorld } from './suite-world.spec.support.js';

/** History, and following without a group. */
export function describeReading(world: SuiteWorld): void {
  it('reads ranges exactly, several partitions at once, in order per partition and one batch at a time', async () => {
    const { log, publisher, topic, readAll } = world;
    await publisher.send(topic, 0, numbered(0, 40));
    await publisher.send(topic, 1, numbered(0, 30));
    const offsets: number[][] = [[], []];
    let inside = 0;
    await log.read({
      topic,
      ranges: [{ partition: 0, from: 5, to: 33 }, { partition: 1, from: 29, to: 30 }],
      batch: async ({ partition, records }) => {
        expect(++inside).toBe(1);
        offsets[partition]!.push(...records.map(({ offset }) => offset));
        await Promise.resolve();
        inside -= 1;
      },
    });
    expect(offsets[0]).toEqual(Array.from({ length: 28 }, (_, i) => i + 5));
    expect(offsets[1]).toEqual([29]);
    expect((await readAll(7, 7)).records).toEqual([]);
  });

  it('finds in every partition the first record of a time or later, and the end where there is none', async () => {
    const { log, publisher, topic, readAll } = world;
    const before = Date.now() - 1_000;
    for (let at = 0; at < 6; at += 2) {
      await publisher.send(topic, 0, numbered(at, at + 2));
      const { records } = await readAll(0, at + 2);
      const { timestamp } = records.at(-1)!;
      await until('the next millisecond', () => Date.now() > timestamp); // so that each send has a time of its own
    }
    const times = (await readAll(0, 6)).records.map(({ timestamp }) => timestamp);
    expect(new Set(times).size).toBe(3);
    expect(await log.offsetsAt(topic, before)).toEqual([0, 0]);
    for (const time of new Set(times)) expect(await log.offsetsAt(topic, time)).toEqual([times.indexOf(time), 0]);
    expect(await log.offsetsAt(topic, times[5]! + 1)).toEqual([6, 0]);
    await expect(log.offsetsAt(`${topic}-none`, 0)).rejects.toMatchObject({ code: 'log.topic-unknown' });
  });

  it('refuses to read past the end, fails with what the callback threw, and stops on abort', async () => {
    const { log, publisher, topic, readAll } = world;
    await publisher.send(topic, 0, numbered(0, 3));
    await expect(readAll(0, 4)).rejects.toMatchObject({ code: 'log.out-of-range', kind: 'integrity', details: { end: 3 } });
    const broken = new Error('the fold failed');
    await expect(log.read({ topic, ranges: [{ partition: 0, from: 0, to: 3 }], batch: () => Promise.reject(broken) })).rejects.toBe(broken);
    const abort = new AbortController();
    const aborted = log.read({ topic, ranges: [{ partition: 0, from: 0, to: 3 }], batch: () => abort.abort(broken), abort: abort.signal });
    await expect(aborted).rejects.toBe(broken);
  });

  it('reads of the named incarnation of a topic only', async () => {
    const { log, publisher, topic, recreate } = world;
    await publisher.send(topic, 0, numbered(0, 3));
    const { id } = (await log.describe([topic]))[0]!;
    const found = await recreate(numbered(100, 110));
    const keys: string[] = [];
    const read = (topicId: string) => log.read({ topic, topicId, ranges: [{ partition: 0, from: 0, to: 3 }], batch: ({ records }) => void keys.push(...records.map(({ key }) => key.toString())) });
    await expect(read(id)).rejects.toMatchObject({ code: 'log.topic-recreated', details: { expected: id, found } });
    expect(keys).toEqual([]);
    await read(found); // the control
    expect(keys).toEqual(['key-100', 'key-101', 'key-102']);
  });

  it('follows one partition from before its end, without a group, until aborted', async () => {
    const { publisher, topic } = world;
    await publisher.send(topic, 1, numbered(0, 10));
    const { offsets, failures, end } = followed(world, 1, { beforeEnd: 2 });
    await until('the last two', () => offsets.length === 2);
    await publisher.send(topic, 1, numbered(10, 13));
    await until('what was appended', () => offsets.length === 5);
    await end();
    expect(offsets).toEqual([8, 9, 10, 11, 12]);
    expect(failures).toEqual([]);
  });

  it('follows a topic that does not exist yet: that is told, and it is read once it is there', async () => {
    const { log, publisher, topic } = world;
    const later = `${topic}-later`;
    const keys: string[] = [];
    const failures: unknown[] = [];
    const abort = new AbortController();
    const following = log.follow({
      topic: later,
      partition: 0,
      from: { beforeEnd: 10 },
      batch: ({ records }) => void keys.push(...records.map(({ key }) => key.toString())),
      disturbed: (error) => void failures.push(error),
      abort: abort.signal,
    });
    await until('told', () => failures.length > 0);
    expect(failures[0]).toMatchObject({ code: 'log.topic-unknown' });
    await log.createTopics([{ name: later, partitions: 1 }]);
    await publisher.send(later, 0, numbered(0, 2));
    await until('read', () => keys.length === 2);
    abort.abort();
    await following;
    await log.deleteTopics([later]);
  });

  it('tells a follower whose position is gone, and goes on at the end', async () => {
    const { publisher, topic } = world;
    await publisher.send(topic, 0, numbered(0, 2));
    const { offsets, failures, end } = followed(world, 0, { offset: 50 });
    await until('told', () => failures.length > 0);
    await publisher.send(topic, 0, numbered(2, 3));
    await until('the next record', () => offsets.length === 1);
    await end();
    expect(failures[0]).toMatchObject({ code: 'log.out-of-range' });
    expect(offsets).toEqual([2]);
  });

  it('tells a follower whose position belongs to an earlier incarnation of the topic; control: without its id it is read', async () => {
    const { log, publisher, topic, recreate } = world;
    await publisher.send(topic, 0, numbered(0, 2));
    const { id: topicId } = (await log.describe([topic]))[0]!;
    await recreate(numbered(100, 105));
    const follower = followed(world, 0, { offset: 2, topicId });
    const control = followed(world, 0, { offset: 2 });
    await until('told', () => follower.failures.length > 0);
    await until('the control', () => control.offsets.length === 3);
    const fresh = await log.publisher();
    await fresh.send(topic, 0, numbered(105, 106));
    await fresh.close();
    await until('what comes', () => follower.offsets.length === 1 && control.offsets.length === 4);
    await follower.end();
    await control.end();
    expect([follower.offsets, control.offsets, control.failures]).toEqual([[5], [2, 3, 4, 5], []]);
    expect(follower.failures[0]).toMatchObject({ code: 'log.out-of-range' });
  });
}

function followed({ log, topic }: SuiteWorld, partition: number, from: FollowOptions['from']) {
  const offsets: number[] = [];
  const failures: unknown[] = [];
  const abort = new AbortController();
  const following = log.follow({
    topic,
    partition,
    from,
    batch: ({ records }) => void offsets.push(...records.map(({ offset }) => offset)),
    disturbed: (error) => void failures.push(error),
    abort: abort.signal,
  });
  return {
    offsets,
    failures,
    end: async () => {
      abort.abort();
      await following;
    },
  };
}
