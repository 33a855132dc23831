import { FactlineError, silentLogger } from 'factline/kernel';
import { until } from 'factline/testing';
import { findGaps } from './checkpoint.js';
import { type Scene, TOPIC, scene, watched, watermarks } from './consumer.spec.support.js';

let s: Scene;
beforeEach(async () => {
  s = await scene();
});
afterEach(() => s.close());

/** Ten facts in each partition, applied; then the subscription is stopped. */
const appliedTen = async () => {
  await s.publish(0, 10);
  await s.publish(1, 10);
  const subscription = s.subscribe();
  await s.settled(subscription);
  return subscription;
};

const faults = {
  'the topic was created again': { make: async () => s.broker.recreate(TOPIC), reason: /deleted and created again|the log has 0 to 0/, partitions: [0, 1] },
  'the tail was lost': { make: async () => s.broker.truncate(TOPIC, 0, 7), reason: /its tail was lost|the log has 0 to 7/, partitions: [0] },
  'retention passed it': {
    make: async () => {
      s.broker.truncate(TOPIC, 0, 10);
      s.broker.retainFrom(TOPIC, 0, 12);
    },
    reason: /retention removed facts that were never applied|the log has 12 to 12/,
    partitions: [0],
  },
};

describe.each(Object.entries(faults))('B8, B9, B10 GAP: %s', (_name, { make, reason, partitions }) => {
  const isGap = async (subscription: ReturnType<Scene['subscribe']>) => {
    await until('the state', () => subscription.status.state === 'GAP' && subscription.status.partitions.filter(({ halted }) => halted).length === partitions.length);
    expect(subscription.status.trouble).toMatchObject({ code: 'consumer.gap', reason: expect.stringMatching(reason), advice: expect.stringContaining('factline replay run'), sinceMs: s.clock.ms });
    expect(subscription.status.partitions.filter(({ halted }) => halted).map(({ partition }) => partition)).toEqual(partitions);
    expect(s.target.checkpoints.get(`${TOPIC}[0]`)).toMatchObject({ nextOffset: 10 });
  };

  it('found when partitions are assigned; the others go on', async () => {
    await (await appliedTen()).stop();
    await make();
    const told: object[] = [];
    const subscription = s.subscribe({ logger: { ...silentLogger, error: (fields) => void told.push(fields) } });
    await isGap(subscription);
    expect(told).toHaveLength(partitions.length);
    await s.publish(1, 3);
    if (!partitions.includes(1)) await until('the other partition goes on', () => s.target.effects.get(1)?.length === 13);
    expect(s.target.effects.get(0)).toHaveLength(10);
  });

  it('found while reading; the others go on', async () => {
    const subscription = await appliedTen();
    await make();
    await isGap(subscription);
    await s.publish(1, 3);
    if (!partitions.includes(1)) await until('the other partition goes on', () => s.target.effects.get(1)?.length === 13);
  });

  it('claims nothing newer, whatever the producer says of the log as it is now; the others do', async () => {
    const tell = async (asOf: number) => s.freshness.observe(watermarks({ topic: TOPIC, asOf, epoch: 1, offsets: (await s.log.describe([TOPIC]))[0]!.partitions.map(({ end }) => end) }));
    const asOf = () => [0, 1].map((partition) => s.freshness.asOf(TOPIC, partition));
    const subscription = await appliedTen();
    await tell(1_000);
    expect(asOf()).toEqual([1_000, 1_000]);
    await make();
    await tell(2_000); // nobody has met the gap yet
    await isGap(subscription);
    await tell(3_000);
    expect(asOf()).toEqual([0, 1].map((partition) => (partitions.includes(partition) ? 1_000 : 3_000)));
    await subscription.stop();
    await isGap(s.subscribe());
    await tell(4_000);
    expect(asOf()).toEqual([0, 1].map((partition) => (partitions.includes(partition) ? undefined : 4_000)));
  });

  it('ends when another build goes live that fits the log', async () => {
    const subscription = await appliedTen();
    await make();
    await isGap(subscription);
    const [topic] = await s.log.describe([TOPIC]);
    s.target.swap();
    for (const each of s.target.checkpoints.values()) {
      const { start } = topic!.partitions[each.partition]!;
      s.target.put({ ...each, topicId: topic!.id, nextOffset: start, lastOffset: null, lastFactId: null });
      s.target.effects.set(each.partition, []);
    }
    await s.publish(0, 2);
    await s.settled(subscription);
  });
});

it('B8 GAP: a log that lost its tail and was written again is recognised by the fact that is not where it was', async () => {
  await (await appliedTen()).stop();
  s.broker.truncate(TOPIC, 0, 8);
  await s.publish(0, 6);
  const subscription = s.subscribe();
  await until('the state', () => subscription.status.state === 'GAP');
  expect(subscription.status.trouble?.reason).toMatch(/no longer at its offset/);
  expect(s.target.effects.get(0)).toHaveLength(10);
});

it('control: the same facts at the same offsets are no gap', async () => {
  await (await appliedTen()).stop();
  await s.publish(0, 6);
  await s.settled(s.subscribe());
});

it('retention that removed applied facts only is no gap, even when it took the last one', async () => {
  await (await appliedTen()).stop();
  s.broker.retainFrom(TOPIC, 0, 10);
  await s.publish(0, 2);
  const subscription = s.subscribe();
  await until('it goes on', () => s.target.effects.get(0)?.length === 12);
  expect(subscription.status.state).toBe('LIVE');
});

it('a gap found while a transaction runs is still shown when that has ended', async () => {
  const subscription = await appliedTen();
  let open!: () => void;
  s.target.before = () => new Promise<void>((resolve) => (open = resolve));
  await s.publish(0, 1);
  await until('it is being applied', () => s.target.applying === 1);
  s.broker.recreate(TOPIC);
  await until('the state', () => subscription.status.state === 'GAP');
  open();
  await until('the transaction has ended', () => subscription.status.partitions[0]?.nextOffset === 11);
  expect(subscription.status).toMatchObject({ state: 'GAP', trouble: { code: 'consumer.gap' } });
});

it('findGaps names each misfit by partition', async () => {
  await (await appliedTen()).stop();
  s.broker.truncate(TOPIC, 1, 4);
  const [topic] = await s.log.describe([TOPIC]);
  const gaps = await findGaps(s.log, [topic!], [...s.target.checkpoints.values()]);
  expect([...gaps.keys()]).toEqual([`${TOPIC}[1]`]);
  expect(gaps.get(`${TOPIC}[1]`)).toMatchObject({ code: 'consumer.gap', kind: 'integrity', retry: false, details: { topic: TOPIC, partition: 1, nextOffset: 10 } });
});

describe('OUTDATED', () => {
  it('serves nothing new and says what to do, and goes on by itself once the database agrees', async () => {
    await s.publish(0, 3);
    let outdated = true;
    s.target.onClaim = () => {
      if (outdated) throw new FactlineError({ code: 'projection.outdated', kind: 'conflict', message: 'Built by version 1.', advice: 'factline replay run accounts' });
    };
    const subscription = s.subscribe();
    await until('the state', () => subscription.status.state === 'OUTDATED');
    expect(subscription.status.trouble).toMatchObject({ advice: 'factline replay run accounts' });
    expect(s.target.effects.size).toBe(0);
    outdated = false;
    await s.settled(subscription);
  });
});

describe('D14: bytes that are broken', () => {
  const broken = (partition: number) => new FactlineError({ code: 'log.batch-unreadable', kind: 'integrity', message: 'its checksum is wrong', details: { topic: TOPIC, partition, offset: 3 } });

  it('halt their partition when they are broken each time, and the others go on', async () => {
    const seen = watched(s.log);
    const subscription = s.subscribe({ log: seen.log });
    await until('the assignment', () => subscription.status.partitions.length === 2);
    for (const attempt of [1, 2, 3]) seen.events!.disturbed(broken(0), attempt);
    await s.publish(1, 5);
    await until('the other partition', () => s.target.effects.get(1)?.length === 5);
    expect(subscription.status).toMatchObject({ state: 'HALTED', trouble: { code: 'log.batch-unreadable' } });
    expect(seen.calls).toContain('pause 0');
  });

  it('once, on the way, halt nothing', async () => {
    const seen = watched(s.log);
    const subscription = s.subscribe({ log: seen.log });
    await until('the assignment', () => subscription.status.partitions.length === 2);
    seen.events!.disturbed(broken(0), 1);
    expect(subscription.status.state).toBe('STALE');
    await s.publish(0, 5);
    await s.settled(subscription);
  });
});
