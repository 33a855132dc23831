import type { Trouble } from 'factline/consumer';
import type { FactDecoder } from 'factline/contracts';
import type { Store } from 'factline/store';
import type { Tracing } from 'factline/tracing';
import type { Breaker } from './breaker.js';
import type { Inbox } from './inbox.js';
import type { Reactions } from './reaction.js';
import type { Scheduler } from './scheduler.js';

export interface ReactionCounts {
  handled: number;
  transactions: number;
  duplicates: number;
  /** Transactions rolled back because another process had handled the fact. */
  overtaken: number;
}

/** What the lanes of one subscription share. */
export interface LaneParts {
  readonly reactions: Reactions;
  readonly store: Store;
  readonly decoder: FactDecoder;
  readonly inbox: Inbox;
  readonly scheduler: Scheduler;
  readonly breaker: Breaker;
  readonly counts: ReactionCounts;
  readonly tracing: Tracing;
  trouble(): Trouble | undefined;
}
