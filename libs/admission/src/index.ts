export type { Granted, Limited, Taken } from './account.js';
export type { Rate } from './rate.js';
export { migrateAdmission } from './schema.js';
export { TokenBucket, type TokenBucketOptions } from './token-bucket.js';
