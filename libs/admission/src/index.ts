export type { Granted, Limited, Taken } from './account.js';
export type { Rate } from './rate.js';
export { migrateAdmission } from './schema.js';
export { TokenBucket, type TokenBucketOptions } from './token-bucket.js';
export { type Priority, priorities } from './priority.js';
export { Shedder, type Verdict } from './shedder.js';
export { type Load, type LoadLimits, type Reading, queueReading, readings } from './signals.js';
