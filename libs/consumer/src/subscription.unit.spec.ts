import { FactlineError } from 'factline/kernel';
import { until } from 'factline/testing';
import { BATCH_FACTS, QUEUE_FACTS, STALL_MS } from './limits.js';
import { type Scene, TOPIC, broken, factValue, scene, unavailable, watched } from './consumer.spec.support.js';

let s: Scene;
beforeEach(async () => {
  s = await scene();
});
afterEach(() => s.close());

describe('a subscription', () => {
  it('applies what is there and what comes, each fact once, in order per partition', async () => {
    await s.publish(0, 1_200);
    await s.publish(1, 30);
    const subscription = s.subscribe();
    await s.settled(subscription);
    await s.publish(1, 700);
    await s.settled(subscription);
    expect(subscription.status).toMatchObject({ state: 'LIVE', lag: 0, stalled: false, trouble: undefined, counts: { facts: 1_930, fenced: 0 } });
  });

  it('control: an order that is not the partition’s is found by the check', async () => {
    await s.publish(0, 3);
    const subscription = s.subscribe();
    await s.settled(subscription);
    s.target.effects.get(0)!.reverse();
    await expect(s.settled(subscription)).rejects.toThrow(/toEqual/);
  });

  it('B15: goes on from the database’s position, whatever the group says', async () => {
    await s.publish(0, 10);
    const first = s.subscribe();
    await s.settled(first);
    await first.stop();
    s.broker.commit('g', [{ topic: TOPIC, partition: 0, offset: 3 }]);
    await s.publish(0, 5);
    await s.settled(s.subscribe());
    expect(s.target.transactions.reduce((sum, n) => sum + n, 0)).toBe(15);
  });

  it('C19: moves over holes without a transaction, and counts them as read', async () => {
    await s.publish(0, 2);
    s.broker.leaveHole(TOPIC, 0, 5);
    const subscription = s.subscribe();
    await s.settled(subscription);
    expect(subscription.status).toMatchObject({ lag: 0, counts: { facts: 2, transactions: 1 } });
    await s.publish(0, 2);
    await s.settled(subscription);
    expect(s.target.effects.get(0)).toEqual([0, 1, 7, 8]);
  });

  it('keeps its partitions through rebalances', async () => {
    const subscription = s.subscribe();
    for (let round = 0; round < 5; round++) {
      await s.publish(0, 700);
      s.broker.rebalance('g');
      await s.publish(1, 1);
    }
    await s.settled(subscription);
    expect(subscription.status.counts.rebalances).toBeGreaterThan(0);
  });

  it('reports group offsets only as a hint', async () => {
    await s.publish(0, 3);
    const subscription = s.subscribe();
    await s.settled(subscription);
    s.clock.ms += 10_000;
    await until('offsets are reported', () => s.broker.committed('g').get(`${TOPIC}/0`) === 3);
  });
});

describe('back-pressure', () => {
  /** More than the queue and the transaction in hand can hold together. */
  const total = QUEUE_FACTS + BATCH_FACTS + 20_000;
  const flood = async () => {
    for (let published = 0; published < total; published += 10_000) await s.publish(0, 10_000);
  };
  /** A target that does not get on, and how much was taken meanwhile. */
  const overwhelmed = async (ignorePause = false) => {
    await flood();
    let open!: () => void;
    const gate = new Promise<void>((resolve) => (open = resolve));
    s.target.before = () => gate;
    const seen = watched(s.log, ignorePause);
    const subscription = s.subscribe({ log: seen.log });
    await until('as much as fits was taken', () => (ignorePause ? seen.delivered >= total : seen.calls.includes('pause 0')), 10_000);
    return { seen, subscription, open };
  };

  it('C20: pauses a partition whose queue is full, takes no more than the limit, and resumes', async () => {
    const { seen, subscription, open } = await overwhelmed();
    await s.publish(1, 1); // the other partition is still read: by then anything for the paused one would have come too
    await until('the other partition is read', () => subscription.status.partitions[1]?.endOffset === 1);
    expect(seen.delivered).toBeLessThanOrEqual(QUEUE_FACTS + BATCH_FACTS + 1_002);
    open();
    await s.settled(subscription);
    expect(seen.calls.filter((call) => call === 'resume 0').length).toBeGreaterThan(0);
  });

  it('C20: control: a log that ignores the pause delivers everything', async () => {
    const { subscription, open } = await overwhelmed(true);
    open();
    await s.settled(subscription);
  });

  it('a partition that was paused when the group rebalanced is read again', async () => {
    const { subscription, open } = await overwhelmed();
    s.broker.rebalance('g');
    open();
    await s.settled(subscription);
  });

  it('counts bytes too', async () => {
    for (let i = 0; i < 17; i++) await s.publish(0, 1, 1024 * 1024);
    let open!: () => void;
    const gate = new Promise<void>((resolve) => (open = resolve));
    let first = true;
    s.target.before = () => (first ? ((first = false), undefined) : gate);
    const seen = watched(s.log);
    const subscription = s.subscribe({ log: seen.log });
    await s.settled(subscription);
    for (let i = 0; i < 20; i++) await s.publish(0, 1, 1024 * 1024);
    await until('the partition is paused', () => seen.calls.filter((call) => call === 'pause 0').length > 0);
    open();
    await s.settled(subscription);
  });
});

describe('failures', () => {
  it('a transient one is tried again in place, and nothing overtakes', async () => {
    let failures = 3;
    s.target.before = () => {
      if (failures-- > 0) throw unavailable();
    };
    await s.publish(0, 600);
    const subscription = s.subscribe();
    await until('trouble is shown', () => subscription.status.state === 'STALE');
    expect(subscription.status.trouble).toMatchObject({ code: 'store.unavailable' });
    await s.settled(subscription);
    expect(subscription.status.trouble).toBeUndefined();
  });

  it('a log that does not answer is STALE, and LIVE again as soon as it answers, also when no fact comes', async () => {
    const seen = watched(s.log);
    const subscription = s.subscribe({ log: seen.log });
    await s.settled(subscription);
    seen.events!.disturbed(new Error('broker 1 does not answer'), 1);
    expect(subscription.status).toMatchObject({ state: 'STALE', trouble: { code: 'consumer.disturbed', reason: 'broker 1 does not answer' } });
    seen.events!.recovered(1);
    expect(subscription.status).toMatchObject({ state: 'LIVE', trouble: undefined });
  });

  it('one that cannot pass by itself halts its partition only, visibly', async () => {
    s.target.before = ({ partition }) => {
      if (partition === 0) throw broken();
    };
    await s.publish(0, 5);
    await s.publish(1, 5);
    const subscription = s.subscribe();
    await until('the other partition is applied', () => s.target.effects.get(1)?.length === 5);
    await until('the state', () => subscription.status.state === 'HALTED');
    const { trouble, partitions } = subscription.status;
    expect(trouble).toEqual({ code: 'projection.fold-failed', reason: 'The fold failed.', advice: 'Correct the fold.', sinceMs: s.clock.ms });
    expect(partitions).toMatchObject([{ partition: 0, halted: true, nextOffset: 0 }, { partition: 1, halted: false, nextOffset: 5 }]);
    await s.publish(1, 5);
    await until('the other partition goes on', () => s.target.effects.get(1)?.length === 10);
    expect(s.target.effects.get(0)).toBeUndefined();
    expect(subscription.status.state).toBe('HALTED');
  });

  it('one that is no error of ours is a defect, with the same effect', async () => {
    s.target.before = () => {
      throw new TypeError('undefined is not a function');
    };
    await s.publish(0, 1);
    const subscription = s.subscribe();
    await until('the state', () => subscription.status.state === 'HALTED');
    expect(subscription.status.trouble).toMatchObject({ code: 'consumer.defect' });
  });

  it('a halted partition stays halted through a rebalance, and the others are read', async () => {
    s.target.before = ({ partition }) => {
      if (partition === 0) throw broken();
    };
    await s.publish(0, 1);
    const subscription = s.subscribe();
    await until('the state', () => subscription.status.state === 'HALTED');
    s.broker.rebalance('g');
    await s.publish(1, 3);
    await until('the other partition is applied', () => s.target.effects.get(1)?.length === 3);
    await until('the state', () => subscription.status.state === 'HALTED');
  });

  it('a database that is down at the start only delays it', async () => {
    let failures = 2;
    s.target.onClaim = () => {
      if (failures-- > 0) throw unavailable();
    };
    await s.publish(0, 3);
    const subscription = s.subscribe();
    await s.settled(subscription);
    expect(s.target.claims).toBe(3);
  });
});

describe('stalled', () => {
  it('C21: is work that waits while none is completed for 30 s; idle and slow but moving are healthy', async () => {
    const subscription = s.subscribe();
    await s.settled(subscription);
    s.clock.ms += 10 * STALL_MS;
    expect(subscription.status.stalled).toBe(false);
    let open!: () => void;
    s.target.before = () => new Promise<void>((resolve) => (open = resolve));
    await s.publish(0, 1);
    await until('it is being applied', () => s.target.applying === 1);
    s.clock.ms += STALL_MS;
    expect(subscription.status.stalled).toBe(false);
    await s.publish(0, 1);
    await until('more is waiting', () => subscription.status.lag === 2);
    open();
    await until('the first is done, the second is being applied', () => s.target.effects.get(0)?.length === 1 && s.target.applying === 1);
    s.clock.ms += STALL_MS;
    expect(subscription.status.stalled).toBe(false);
    s.clock.ms += 1;
    expect(subscription.status.stalled).toBe(true);
    open();
    await s.settled(subscription);
    expect(subscription.status.stalled).toBe(false);
  });

  it.each(['store.unavailable', 'registry.unavailable'])('is not what says why it waits (%s): a restart would not help', async (code) => {
    s.target.before = () => {
      throw new FactlineError({ code, kind: 'unavailable', message: 'away' });
    };
    await s.publish(0, 1);
    const subscription = s.subscribe();
    await until('trouble', () => subscription.status.trouble?.code === code);
    s.clock.ms += 2 * STALL_MS;
    expect(subscription.status.stalled).toBe(false);
  });
});

describe.each(['store.login', 'registry.unauthorized'])('AUTH: %s while facts are applied', (code) => {
  it('halts nothing: it goes on when somebody has put it in order', async () => {
    let failures = 2;
    s.target.before = () => {
      if (failures-- > 0) throw new FactlineError({ code, kind: 'configuration', message: 'refused' });
    };
    await s.publish(0, 3);
    const subscription = s.subscribe();
    await until('the state', () => subscription.status.state === 'AUTH');
    await s.settled(subscription);
  });
});

describe('stop', () => {
  it('lets the transaction in hand end, and starts no other', async () => {
    let open!: () => void;
    s.target.before = () => new Promise<void>((resolve) => (open = resolve));
    await s.publish(0, 1);
    const subscription = s.subscribe();
    await until('it is being applied', () => s.target.applying === 1);
    await s.publish(0, 1);
    await until('the second is queued', () => subscription.status.lag === 2);
    const stopped = subscription.stop();
    open();
    await stopped;
    expect(s.target.effects.get(0)).toEqual([0]);
    expect(s.target.applying).toBe(0);
  });

  it('while it waits to try again ends the wait', async () => {
    s.target.before = () => {
      throw unavailable();
    };
    await s.publish(0, 1);
    const subscription = s.subscribe();
    await until('trouble', () => subscription.status.state === 'STALE');
    await subscription.stop();
  });

  it('while the log is still being joined leaves the group again', async () => {
    const seen = watched(s.log);
    let open!: () => void;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const slow = { ...seen.log, subscribe: async (options: Parameters<typeof seen.log.subscribe>[0]) => gate.then(() => seen.log.subscribe(options)) };
    const subscription = s.subscribe({ log: slow });
    const stopped = subscription.stop();
    open();
    await stopped;
    expect([seen.joined, seen.stopped]).toEqual([1, 1]);
    await s.publish(0, 1);
    expect(s.target.claims).toBe(0);
  });

  it('while partitions are being claimed opens none', async () => {
    let open!: () => void;
    s.target.onClaim = () => new Promise<void>((resolve) => (open = resolve));
    const subscription = s.subscribe();
    await until('it claims', () => s.target.claims === 1);
    await subscription.stop();
    open();
    await until('the claim has been answered', () => s.target.checkpoints.size === 2);
    for (let turn = 0; turn < 10; turn++) await s.publish(0, 1);
    expect(subscription.status.partitions).toEqual([]);
  });
});

it('a fact value of the specs is as short as a fact can be', () => expect(factValue()).toHaveLength(22));
