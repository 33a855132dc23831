/** Facts applied in one transaction at most. A backlog is won by folding before writing, so more is better; folding these holds the event loop for about 40 ms. */
export const BATCH_FACTS = 25_000;
/** Behind by more than this, a lane waits for fuller batches: at 1,000 facts a second it takes five seconds of standing still to get here. */
export const FAR_BEHIND_FACTS = 5_000;
/** How long a lane that is far behind waits for a full batch: a hand-written consumer with 25 k facts a transaction was twice as fast as one with 9 k. */
export const BATCH_WAIT_MS = 100;
/** Facts a partition may hold in memory before its fetching pauses; resumed at half of it. */
export const QUEUE_FACTS = 100_000;
/** Bytes a partition may hold in memory before its fetching pauses. */
export const QUEUE_BYTES = 16 * 1024 * 1024;
/** Longest pause between attempts while a database or registry does not answer. */
export const RETRY_MAX_MS = 5_000;
/** How often an outdated or halted model looks whether it may go on (a swap, a deploy, a repair). */
export const RECHECK_MS = 1_000;
/** Assigned, behind, and nothing completed for this long: unhealthy. Longer than any retry pause, shorter than a Kafka session times three. */
export const STALL_MS = 30_000;
/** Watermarks kept per partition while the facts below them are being applied; newer ones replace the last. */
export const WATERMARKS_WAITING = 64;
/** Watermark records read back at start, so that freshness is known before the next one comes (they come at least every 5 s). */
export const WATERMARKS_READ_BACK = 200;
/** How often group offsets are reported for lag tools. They decide nothing. */
export const REPORT_INTERVAL_MS = 5_000;
/** How often the as-of time of an idle partition is written beside its checkpoint, for readers in other processes. */
export const AS_OF_INTERVAL_MS = 1_000;
/** Marks of a partition's progress, one a second at most: an hour of facts without a pause, and more where there are pauses. */
export const PROGRESS_MARKS = 3_600;
/** Characters of a reason kept with a dead letter: enough for the message, without a whole stack or value. */
export const REASON_MAX_CHARACTERS = 1_000;
/** Dead letters answered at once; counts are always of all. */
export const DEAD_LETTERS_READ = 1_000;
/** Records read along for one that is wanted, when reading them all takes one request instead of many: a fetch returns whole batches anyway. */
export const READ_ALONG = 100;
/** Readings of broken bytes until their partition halts: one may be broken on the way, three are broken where they lie. */
export const BROKEN_ATTEMPTS = 3;
