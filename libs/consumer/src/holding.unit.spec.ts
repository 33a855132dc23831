import { until } from 'factline/testing';
import { QUEUE_FACTS, STALL_MS } from './limits.js';
import { type Scene, TOPIC, scene, unavailable, watched } from './consumer.spec.support.js';

let s: Scene;
beforeEach(async () => {
  s = await scene();
});
afterEach(() => s.close());

const pause = { code: 'consumer.paused', reason: 'lea paused it: the mail server moves', advice: 'factline resume', sinceMs: 7 };
const applied = () => s.target.transactions.reduce((sum, facts) => sum + facts, 0);

/** Subscribed, at work, and then paused. */
async function paused(options: Parameters<Scene['subscribe']>[0] = {}) {
  await s.publish(0, 10);
  const subscription = s.subscribe(options);
  await s.settled(subscription);
  s.target.pause = pause;
  await until('it to be paused', () => subscription.status.state === 'PAUSED');
  return subscription;
}

describe('what an operator pauses', () => {
  it('stands still with its reason, in its group, fetches nothing more, and goes on where it was', async () => {
    const seen = watched(s.log);
    const subscription = await paused({ log: seen.log });
    expect(subscription.status).toMatchObject({ trouble: pause, stalled: false });
    expect(seen.calls.filter((call) => call.startsWith('pause')).toSorted()).toEqual(['pause 0', 'pause 1']);
    const { delivered } = seen;
    await s.publish(0, 500);
    await s.publish(1, 500);
    s.broker.rebalance('g'); // its lanes are opened anew: by then what comes would have been applied
    await until('the partitions to be claimed again', () => s.target.claims === 2 && subscription.status.lag === 1_000);
    expect([applied(), subscription.status.state, seen.stopped]).toEqual([10, 'PAUSED', 0]);
    expect(seen.delivered - delivered).toBeLessThanOrEqual(1_000);
    s.target.pause = undefined;
    await s.settled(subscription);
    expect([applied(), seen.joined, seen.stopped]).toEqual([1_010, 1, 0]);
  });

  it('control: what nobody pauses applies all of it meanwhile', async () => {
    await s.publish(0, 10);
    const subscription = s.subscribe();
    await s.settled(subscription);
    await s.publish(0, 500);
    s.broker.rebalance('g');
    await until('all of it', () => applied() === 510);
    expect(subscription.status.state).not.toBe('PAUSED');
  });

  it('applies nothing from its first moment in a process that starts meanwhile', async () => {
    s.target.pause = pause;
    await s.publish(0, 5);
    const subscription = s.subscribe();
    await until('its partitions', () => subscription.status.lag === 5);
    expect([subscription.status.state, s.target.transactions]).toEqual(['PAUSED', []]);
    s.target.pause = undefined;
    await s.settled(subscription);
  });

  it('takes no more into memory than a queue, and is never stalled, also when the log delivers all the same', async () => {
    const seen = watched(s.log);
    s.target.pause = pause;
    const subscription = s.subscribe({ log: seen.log });
    await until('its partitions', () => subscription.status.partitions.length === 2);
    for (let published = 0; published < QUEUE_FACTS + 30_000; published += 10_000) await s.publish(0, 10_000);
    s.clock.ms += 2 * STALL_MS;
    expect(seen.delivered).toBeLessThanOrEqual(QUEUE_FACTS);
    expect(subscription.status).toMatchObject({ state: 'PAUSED', stalled: false });
    s.target.pause = undefined;
    await s.settled(subscription);
  }, 30_000);

  it('stops trying what fails, and keeps it', async () => {
    s.target.before = () => Promise.reject(unavailable());
    await s.publish(0, 3);
    const subscription = s.subscribe();
    await until('trouble', () => subscription.status.state === 'STALE');
    s.target.pause = pause;
    await until('it to be paused', () => subscription.status.state === 'PAUSED');
    s.target.before = () => undefined;
    s.target.pause = undefined;
    await s.settled(subscription);
    expect(applied()).toBe(3);
  });

  it('stays so through a swap, and goes on in the build that is live then', async () => {
    const subscription = await paused();
    await s.publish(0, 5);
    s.target.swap();
    await until('the swap to be followed', () => s.target.claims === 2 && subscription.status.state === 'PAUSED');
    expect(applied()).toBe(10);
    s.target.pause = undefined;
    await s.settled(subscription);
    expect([applied(), s.target.checkpoints.get(`${TOPIC}[0]`)?.generation]).toEqual([15, 2]);
  });

  it('is held on while the database cannot be asked', async () => {
    const subscription = await paused();
    let asked = 0;
    s.target.paused = () => Promise.reject(++asked && unavailable());
    await s.publish(0, 5);
    await until('it to have asked', () => asked > 1);
    expect([subscription.status.state, applied()]).toEqual(['PAUSED', 10]);
    s.target.paused = async () => undefined;
    await s.settled(subscription);
  });
});
