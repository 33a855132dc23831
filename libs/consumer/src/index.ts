export { type Checkpoint, advanceCheckpoint, checkpointTable, claimCheckpoints, createCheckpoints, findGaps, gap, readCheckpoints } from './checkpoint.js';
export { type DeadLetter, type Parked, type Records, inSequence, lastKnown, placeOf, readRecords, recordOf } from './dead-letters/dead-letter.js';
export { type DeadLetterFilter, DeadLetterTable, type KeyPlace } from './dead-letters/table.js';
export { Freshness } from './freshness.js';
export { type SubscriptionState, type SubscriptionStatus } from './status.js';
export { FactSubscription, type FactSubscriptionOptions } from './subscription.js';
export type { LaneEvents, LaneOpening, PartitionLane, PartitionStatus, Trouble } from './partition-lane.js';
export type { BlockedKeys, LaneTarget, SubscriptionTarget, Work } from './target.js';
export { followWatermarks } from './watermarks.js';
