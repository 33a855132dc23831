import type { PartitionStatus } from './partition-lane.js';
import { summarize } from './status.js';

const NOW = 100_000;
const trouble = (code: string) => ({ code, reason: 'why', advice: 'what to do', sinceMs: 5 });
const lane = (change: Partial<PartitionStatus> = {}): PartitionStatus => ({ topic: 't', partition: 0, nextOffset: 7, endOffset: 7, lag: 0, halted: false, trouble: undefined, lastCompletedMs: NOW, waitingSinceMs: undefined, ...change });
const status = (change: Partial<Parameters<typeof summarize>[0]>) =>
  summarize({ name: 's', group: 'g', topics: ['t'], assigned: true, lanes: [lane()], trouble: undefined, pause: undefined, blocked: undefined, counts: { facts: 0, transactions: 0, fenced: 0, restarts: 0, rebalances: 0 }, asOfMs: undefined, nowMs: NOW, ...change });
const blocked = { keys: 2, advice: 'look', sinceMs: 9 };

describe('the state of a subscription', () => {
  it.each<[string, string, Parameters<typeof status>[0]]>([
    ['LIVE', 'everything is applied', {}],
    ['STARTING', 'no partition is assigned', { assigned: false, lanes: [] }],
    ['CATCHING-UP', 'there is more in the log', { lanes: [lane({ lag: 3 })] }],
    ['CATCHING-UP', 'also with blocked keys', { lanes: [lane({ lag: 3 })], blocked }],
    ['BLOCKED-KEYS', 'some keys wait', { blocked }],
    ['PAUSED', 'somebody paused it, whatever else there is', { pause: trouble('consumer.paused'), trouble: trouble('log.unavailable'), lanes: [lane({ lag: 3 })], blocked }],
    ['STALE', 'the log does not answer', { trouble: trouble('log.unavailable') }],
    ['STALE', 'the database does not answer one lane', { lanes: [lane({ trouble: trouble('store.unavailable') })], blocked }],
    ['REGISTRY', 'an unknown schema waits for the registry', { lanes: [lane({ trouble: trouble('registry.unavailable') })] }],
    ['AUTH', 'the log refuses us', { trouble: trouble('log.unauthorized') }],
    ['AUTH', 'the registry refuses us', { lanes: [lane({ trouble: trouble('registry.unauthorized') })] }],
    ['AUTH', 'the database refuses us', { trouble: trouble('store.login') }],
    ['OUTDATED', 'other code built the tables', { trouble: trouble('projection.outdated') }],
    ['GAP', 'the log lost facts', { lanes: [lane({ halted: true, trouble: trouble('consumer.gap') })] }],
    ['GAP', 'the log lost facts, also of what is paused', { pause: trouble('consumer.paused'), lanes: [lane({ halted: true, trouble: trouble('consumer.gap') })] }],
    ['HALTED', 'a partition does not go on', { lanes: [lane({ halted: true, trouble: trouble('projection.breaker') })], blocked }],
  ])('%s: %s', (state, _what, change) => {
    expect(status(change).state).toBe(state);
  });

  it('says why, since when and what ends it; what is worse hides what is blocked', () => {
    expect(status({ blocked }).trouble).toEqual({ code: 'consumer.blocked-keys', reason: expect.stringContaining('2 keys') as string, advice: 'look', sinceMs: 9 });
    expect(status({ blocked, trouble: trouble('log.unauthorized') })).toMatchObject({ trouble: { code: 'log.unauthorized', sinceMs: 5 }, blockedKeys: 2 });
  });

  it('stalled is work that waits and none that was done for 30 s; slow but moving is not', () => {
    expect(status({ lanes: [lane({ lag: 1, waitingSinceMs: NOW - 31_000, lastCompletedMs: NOW - 31_000 })] }).stalled).toBe(true);
    expect(status({ lanes: [lane({ lag: 1, waitingSinceMs: NOW - 31_000, lastCompletedMs: NOW - 29_000 })] }).stalled).toBe(false);
  });
});
