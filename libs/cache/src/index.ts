export { Cached } from './answer.js';
export { Cache } from './cache.js';
export type { Counts } from './counts.js';
export type { CacheOptions, LoadContext, WhenStale } from './options.js';
export { type CacheSource, type Reached, type SourceState, readModelSource } from './source.js';
export type { CacheStatus, RegionStatus } from './status.js';
export type { CacheFeed } from './tail.js';
