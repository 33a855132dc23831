/** Entries of a cache, by default: at about 1 KB each 10 MB, and more keys than are hot at once. */
export const ENTRIES = 10_000;
/** How long an entry lives, by default: what facts change is evicted when they do, so this is for what no fact tells. */
export const TTL_MS = 10 * 60 * 1_000;
/** How long "there is none" is kept, by default: creation evicts it, and who asks for what is not there asks for many. */
export const NEGATIVE_TTL_MS = 30 * 1_000;
/** Part of the TTL that is random, by default: entries loaded together do not expire together. */
export const JITTER = 0.1;
/** Loads of one cache at once, by default: fewer than a service has database connections (10), so that a cold cache leaves some. */
export const CONCURRENT_LOADS = 6;
/** Loads that wait for their turn: at 6 at once and 5 ms each about a second of waiting; more would be answered too late anyway. */
export const LOADS_WAITING = 1_000;
/** Waiting and loading together, by default: longer than a slow query, shorter than a client's patience. */
export const LOAD_TIMEOUT_MS = 5_000;
/** First pause of a key after its load failed; it doubles. Callers get the failure meanwhile. */
export const FAILED_DELAY_MS = 50;
/** Longest pause of a key whose loads fail: what is healed is seen within this. */
export const FAILED_DELAY_MAX_MS = 2_000;
/** Keys whose failures are remembered; the oldest are forgotten, and tried sooner than they should be. */
export const FAILED_KEYS = 10_000;
/** By default a region is stale when nothing was heard of it for this long: two watermarks in silence (5 s each) and their way. */
export const STALE_AFTER_MS = 15_000;
/** The shortest bound that can be kept: in silence a watermark comes every 5 s, and takes up to 1 s to be written beside a read model's checkpoints. */
export const STALE_AFTER_MIN_MS = 7_000;
/** How often a stale entry that is served is looked for anew in the background. */
export const STALE_RECHECK_MS = 1_000;
/** Evictions of a partition that are remembered, so that a read model that lags cannot bring back what they evicted: at 500 changes a second in 6 partitions, two minutes. */
export const REMEMBERED_KEYS = 10_000;
/** Keys that a warm-up asks for at once: one statement, a few milliseconds. */
export const WARM_KEYS = 500;
/** Blocked keys of a read model's partition that are looked at one by one; with more of them all of its keys count as blocked. */
export const BLOCKED_KEYS = 1_000;
/** XFetch: weight of the load's duration. 1 is the optimum of the paper; above it loads come earlier. */
export const EARLY_BETA = 1;
/** Durations before the expiry at which XFetch begins to draw: -ln(random) is above 20 once in 500 million draws. */
export const EARLY_DURATIONS = 20;
/** Longest pause between attempts to find the topics while the broker is away. */
export const RETRY_MAX_MS = 5_000;
