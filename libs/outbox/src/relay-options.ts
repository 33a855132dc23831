import type { TopicDeclaration } from 'factline/contracts';
import type { Clock, Duration, Logger, Signal } from 'factline/kernel';
import type { FactLog } from 'factline/log';
import type { Store } from 'factline/store';
import type { Tracing } from 'factline/tracing';
import type { Rejection } from './lanes.js';
import type { RotationLimits } from './rotation.js';
import type { RelayCounters, RelayPoint } from './tenure.js';

export interface RelayOptions {
  store: Store;
  log: FactLog;
  /** The app's name: owner of topics in their declarations, and part of the owner's name in `outboxStatus`. */
  app: string;
  /** Every topic the app writes to. Watermarks are sent for those it owns; the partition counts are compared with the log's. */
  topics?: readonly TopicDeclaration[];
  /** The signal given to FactOutbox in this process. */
  wake?: Signal;
  /** false: `start` does nothing; another process publishes. Default true. */
  enabled?: boolean;
  /** Longest pause between two looks when nothing happens; 20 ms after facts. Default 250 ms, at most 1 s for the sake of watermarks. */
  pollInterval?: Duration;
  /** Rows of one page. Default 3,000. */
  batchSize?: number;
  /** After this a send counts as unanswered and its rows are sent again. Default 45 s, above the log's own request timeout. */
  publishTimeout?: Duration;
  /** When a slot is left. */
  rotation?: RotationLimits;
  /** Awaited at named points, for tests that stop or kill a relay exactly there. */
  observe?: (point: RelayPoint) => void | Promise<void>;
  /** Records a span for each page that holds facts of sampled traces. Default: nobody does. */
  tracing?: Tracing;
  logger?: Logger;
  clock?: Clock;
}

/** What a relay says of itself: for health, metrics and the console. */
export interface RelayStatus extends RelayCounters {
  state: 'disabled' | 'stopped' | 'standby' | 'owner' | 'failing';
  owner: string;
  epoch: number | undefined;
  /** Sends that the log does not take now; facts behind them wait. */
  rejections: readonly Rejection[];
  /** Why the state is `failing`. */
  failure: { code: string; message: string; since: number } | undefined;
  /** As measured at most a second ago; zero while this relay is not the owner. */
  pendingEstimate: number;
  oldestUnsentAgeMs: number;
}
