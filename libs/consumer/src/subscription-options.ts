import type { Clock, Logger } from 'factline/kernel';
import type { FactLog } from 'factline/log';
import type { Tracing } from 'factline/tracing';
import type { Freshness } from './freshness.js';
import type { LaneTarget, SubscriptionTarget } from './target.js';

export interface FactSubscriptionOptions {
  /** Stable name, part of the group's name; renaming it starts a new group, not a new read model. */
  name: string;
  group: string;
  /** Exactly the topics that the handlers declare. */
  topics: readonly string[];
  log: FactLog;
  target: SubscriptionTarget | LaneTarget;
  freshness: Freshness;
  /** Records a span for each batch that holds facts of sampled traces; a target with lanes of its own records them itself. Default: nobody does. */
  tracing?: Tracing;
  logger?: Logger;
  clock?: Clock;
}
