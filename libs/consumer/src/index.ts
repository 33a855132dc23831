export { type Checkpoint, advanceCheckpoint, checkpointTable, claimCheckpoints, createCheckpoints, findGaps, gap, readCheckpoints } from './checkpoint.js';
export { Freshness } from './freshness.js';
export { type SubscriptionState, type SubscriptionStatus } from './status.js';
export { FactSubscription, type FactSubscriptionOptions } from './subscription.js';
export type { BlockedKeys, SubscriptionTarget, Work } from './target.js';
export { followWatermarks } from './watermarks.js';
