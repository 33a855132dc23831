import type { PartitionStatus, Trouble } from './partition-lane.js';
import { STALL_MS } from './limits.js';
import type { BlockedKeys } from './target.js';

/**
 * LIVE: everything known is applied. CATCHING-UP: behind, and moving. STALE: the log or the database does not answer; what is there is served with its as-of.
 * REGISTRY: a schema is not known here and the registry does not answer for it. AUTH: credentials or rights are refused, by the log, the registry or the database.
 * OUTDATED: the read model was built by another version of its code. GAP: the log lost what was not applied. HALTED: a partition does not go on.
 * PAUSED: an operator wants it to stand still, or so many keys fail that only one fact is tried now and then.
 * BLOCKED-KEYS: up to date but for some keys, whose facts wait behind one that cannot be applied. STARTING: no partitions assigned yet.
 */
export type SubscriptionState = 'STARTING' | 'LIVE' | 'CATCHING-UP' | 'BLOCKED-KEYS' | 'PAUSED' | 'STALE' | 'REGISTRY' | 'AUTH' | 'OUTDATED' | 'GAP' | 'HALTED';

export interface SubscriptionStatus {
  name: string;
  group: string;
  topics: readonly string[];
  state: SubscriptionState;
  /** The worst trouble, with the advice that ends it. */
  trouble: Trouble | undefined;
  /** Whether work is waiting and none was completed for 30 s. Slow but moving is healthy. */
  stalled: boolean;
  lag: number;
  asOfMs: number | undefined;
  lastCompletedMs: number | undefined;
  /** Keys that are blocked, as of the last second. */
  blockedKeys: number;
  partitions: readonly PartitionStatus[];
  counts: { facts: number; transactions: number; fenced: number; restarts: number; rebalances: number };
}

interface Parts {
  name: string;
  group: string;
  topics: readonly string[];
  assigned: boolean;
  lanes: readonly PartitionStatus[];
  trouble: Trouble | undefined;
  pause: Trouble | undefined;
  blocked: (BlockedKeys & { sinceMs: number }) | undefined;
  counts: SubscriptionStatus['counts'];
  asOfMs: number | undefined;
  nowMs: number;
}

export function summarize({ lanes, assigned, nowMs, trouble, pause, blocked, ...rest }: Parts): SubscriptionStatus {
  const halted = lanes.find((lane) => lane.halted);
  const retrying = lanes.find((lane) => lane.trouble);
  const lag = lanes.reduce((sum, lane) => sum + lane.lag, 0);
  const worst = halted?.trouble ?? pause ?? trouble ?? retrying?.trouble;
  const shown = worst ?? (blocked && { code: 'consumer.blocked-keys', reason: `${blocked.keys} keys are blocked: their facts wait behind one that cannot be applied.`, advice: blocked.advice, sinceMs: blocked.sinceMs });
  const stalled = lanes.some((lane) => !lane.halted && lane.waitingSinceMs !== undefined && nowMs - Math.max(lane.waitingSinceMs, lane.lastCompletedMs) > STALL_MS);
  return {
    ...rest,
    counts: { ...rest.counts },
    state: stateOf(worst, halted !== undefined, assigned, lag, blocked !== undefined),
    trouble: shown,
    blockedKeys: blocked?.keys ?? 0,
    stalled,
    lag,
    lastCompletedMs: lanes.length > 0 ? Math.max(...lanes.map((lane) => lane.lastCompletedMs)) : undefined,
    partitions: lanes,
  };
}

function stateOf(worst: Trouble | undefined, halted: boolean, assigned: boolean, lag: number, blocked: boolean): SubscriptionState {
  if (worst?.code === 'projection.outdated') return 'OUTDATED';
  if (halted) return worst?.code === 'consumer.gap' ? 'GAP' : 'HALTED';
  if (worst) return waitingState(worst.code);
  if (!assigned) return 'STARTING';
  if (lag > 0) return 'CATCHING-UP';
  return blocked ? 'BLOCKED-KEYS' : 'LIVE';
}

/** Refused for who we are: somebody has to act, and then it goes on; nothing is wrong with what was refused. */
export const REFUSED: ReadonlySet<string> = new Set(['log.unauthorized', 'registry.unauthorized', 'store.login']);

function waitingState(code: string): SubscriptionState {
  if (code === 'consumer.breaker' || code === 'consumer.paused') return 'PAUSED';
  if (REFUSED.has(code)) return 'AUTH';
  return code.startsWith('registry.') ? 'REGISTRY' : 'STALE';
}
