import fc from 'fast-check';
import { FactlineError } from 'factline/kernel';
import { until } from 'factline/testing';
import { type Scene, TOPIC, broken, scene, unavailable, watched } from './consumer.spec.support.js';

let s: Scene;
beforeEach(async () => {
  s = await scene();
});
afterEach(() => s.close());

const bumpEpochs = () => {
  for (const each of s.target.checkpoints.values()) s.target.put({ ...each, epoch: each.epoch + 1 });
};

describe('a refused commit', () => {
  it('after a swap goes on in the new generation without leaving the group, nothing twice, nothing left out', async () => {
    const seen = watched(s.log);
    await s.publish(0, 1_500);
    await s.publish(1, 1_500);
    let swaps = 3;
    s.target.before = () => {
      if (swaps-- > 0) s.target.swap();
    };
    const subscription = s.subscribe({ log: seen.log });
    await s.settled(subscription);
    expect(subscription.status.counts.fenced).toBeGreaterThanOrEqual(3);
    expect([seen.joined, seen.stopped]).toEqual([1, 0]);
    expect([...s.target.checkpoints.values()].map(({ generation }) => generation)).toEqual([4, 4]);
  });

  it('after a swap to a build that is further does not apply what that contains already', async () => {
    const seen = watched(s.log);
    const subscription = s.subscribe({ log: seen.log });
    await s.settled(subscription);
    let swapped = false;
    s.target.before = () => {
      if (!swapped) s.target.swap((at) => at + 4);
      swapped = true;
    };
    await s.publish(0, 10);
    await s.publish(1, 10);
    await until('the rest is applied', () => [0, 1].every((partition) => s.target.effects.get(partition)?.at(-1) === 9));
    expect([s.target.effects.get(0), s.target.effects.get(1)]).toEqual([[4, 5, 6, 7, 8, 9], [4, 5, 6, 7, 8, 9]]);
    expect(seen.joined).toBe(1);
  });

  it('after a roll-back to a build that is behind reads again from there', async () => {
    const seen = watched(s.log);
    await s.publish(0, 20);
    const subscription = s.subscribe({ log: seen.log });
    await s.settled(subscription);
    s.target.swap((at) => Math.min(at, 5));
    s.target.effects.set(0, s.target.effects.get(0)!.slice(0, 5));
    await s.publish(0, 1);
    await s.settled(subscription);
    expect([seen.joined, seen.stopped]).toEqual([2, 1]);
  });

  it('because somebody else owns the partition asks the group again', async () => {
    const seen = watched(s.log);
    const subscription = s.subscribe({ log: seen.log });
    await s.settled(subscription);
    bumpEpochs();
    await s.publish(0, 3);
    await s.settled(subscription);
    expect([seen.joined, seen.stopped]).toEqual([2, 1]);
  });

  it('while the database is down is followed when it is back', async () => {
    const seen = watched(s.log);
    const subscription = s.subscribe({ log: seen.log });
    await s.settled(subscription);
    let failures = 2;
    s.target.onClaim = () => {
      if (failures-- > 0) throw unavailable();
    };
    s.target.swap();
    await s.publish(0, 3);
    await s.publish(1, 3);
    await s.settled(subscription);
  });
});

describe('another generation', () => {
  it('is noticed without a fact: as-of times go to the new one', async () => {
    const seen = watched(s.log);
    await s.publish(0, 1);
    const subscription = s.subscribe({ log: seen.log });
    await s.settled(subscription);
    const value = Buffer.from(JSON.stringify({ topic: TOPIC, asOf: 5_000, epoch: 1, offsets: [1, 0] }));
    s.freshness.observe({ topic: 'w', partition: 0, records: [{ offset: 0, key: Buffer.from('k'), value, timestamp: 0 }], nextOffset: 1, endOffset: 1 });
    await until('as-of times are written', () => s.target.asOf.length === 2);
    s.target.swap();
    await until('and again beside the new checkpoints', () => s.target.asOf.filter(({ generation }) => generation === 2).length === 2);
    expect(s.target.asOf).toEqual([1, 1, 2, 2].map((generation, i) => ({ partition: i % 2, generation, asOfMs: 5_000, moved: true })));
    expect(seen.joined).toBe(1);
  });

  it('that other software built is OUTDATED, not a fact that cannot be applied', async () => {
    const subscription = s.subscribe();
    await s.settled(subscription);
    let ours = false;
    s.target.before = () => {
      if (!ours) throw new FactlineError({ code: 'store.statement', kind: 'internal', message: 'column "owner" does not exist' });
    };
    s.target.onClaim = () => {
      if (!ours) throw new FactlineError({ code: 'projection.outdated', kind: 'conflict', message: 'Built by version 2.' });
    };
    s.target.swap();
    await s.publish(0, 3);
    await until('the state', () => subscription.status.state === 'OUTDATED');
    ours = true;
    await s.settled(subscription);
  });

  it('control: the same error without another generation halts', async () => {
    const subscription = s.subscribe();
    await s.settled(subscription);
    s.target.before = () => {
      throw broken();
    };
    await s.publish(0, 3);
    await until('the state', () => subscription.status.state === 'HALTED');
  });
});

describe('two members of a group', () => {
  it('share the partitions; each fact is in effect once, also while partitions move', async () => {
    const first = s.subscribe();
    await s.publish(0, 800);
    const second = s.subscribe();
    await s.publish(1, 800);
    await until('both have a share', () => first.status.partitions.length === 1 && second.status.partitions.length === 1);
    await s.publish(0, 10);
    await s.publish(1, 10);
    await first.stop();
    await s.settled(second);
  });
});

it('whatever happens in whatever order, each fact is in effect once and in order', async () => {
  await s.close();
  const step = fc.oneof(
    fc.record({ kind: fc.constant('publish' as const), partition: fc.nat(1), count: fc.integer({ min: 1, max: 600 }) }),
    fc.record({ kind: fc.constantFrom('swap' as const, 'epoch' as const, 'rebalance' as const, 'fail' as const, 'turn' as const) }),
    fc.record({ kind: fc.constant('hole' as const), partition: fc.nat(1) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      s = await scene();
      let fail = false;
      s.target.before = () => {
        if (fail) {
          fail = false;
          throw unavailable();
        }
      };
      const subscription = s.subscribe();
      for (const each of steps) {
        if (each.kind === 'publish') await s.publish(each.partition, each.count);
        else if (each.kind === 'hole') s.broker.leaveHole(TOPIC, each.partition, 3);
        else if (each.kind === 'swap') s.target.swap();
        else if (each.kind === 'epoch') bumpEpochs();
        else if (each.kind === 'rebalance') s.broker.rebalance('g');
        else if (each.kind === 'fail') fail = true;
        else await new Promise(setImmediate);
      }
      fail = false;
      await s.publish(0, 1);
      await s.publish(1, 1);
      await s.settled(subscription);
      await s.close();
    }),
    { numRuns: 40 },
  );
});
