import type { Pauses, SubscriptionStatus } from 'factline/consumer';
import type { DeadLetters } from 'factline/projections';
import type { ReactionDeadLetters } from 'factline/reactions';

/** What the admin interface shows and changes. */
export interface AdminSource {
  subscriptions(): readonly SubscriptionStatus[];
  readonly pauses: Pauses;
  /** @throws FactlineError `admin.subscription-unknown` (not-found). */
  letters(name: string): DeadLetters | ReactionDeadLetters;
  /** Something was asked for: look now. */
  wake(name: string): void;
}

export const ADMIN_SOURCE = Symbol('factline admin source');
export const ADMIN_TOKEN = Symbol('factline admin token');
