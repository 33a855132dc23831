/** Handlers of one subscription that run at once in a process, by default: each holds a database connection. */
export const CONCURRENCY = 8;
/** How long a handler may take, by default. A fact that takes longer is a job: write a row that says so, and do it elsewhere. */
export const HANDLER_TIMEOUT_MS = 30_000;
/** Attempts at a fact whose failure says nothing about itself (an error that is no FactlineError), by default; then it is a dead letter. */
export const ATTEMPTS = 3;
/** First pause between attempts at a fact, by default; it doubles. */
export const RETRY_DELAY_MS = 100;
/** Longest pause between attempts at a fact, by default. */
export const RETRY_MAX_MS = 10_000;
/** Facts given to a batch handler at most, by default: one transaction holds the keys of all of them. */
export const BATCH_FACTS = 500;
/** Facts that share a transaction at most: all of their keys are held until it ends. */
export const TOGETHER_MAX = 500;
/** Facts of a partition under way or waiting for an earlier one of their key; about 1 KB each beside the record. */
export const WINDOW_FACTS = 10_000;
/** Facts taken into the window at once: their keys are looked up with one query. */
export const INTAKE_FACTS = 1_000;
/** Facts of a partition that wait in memory before the window, until its fetching pauses; resumed at half of it. */
export const QUEUE_FACTS = 20_000;
/** The same in bytes. */
export const QUEUE_BYTES = 16 * 1024 * 1024;
/** Keys of a partition whose position is remembered beside the inbox, so that a fact of a known key costs no query; about 0.3 KB each. */
export const KEYS_REMEMBERED = 50_000;
/** How long a checkpoint waits for more finished facts. A crash repeats the reading of so much, and no effect: the inbox knows them. */
export const CHECKPOINT_INTERVAL_MS = 100;
/** Different keys that may fail, being retried now or parked within the last BREAKER_FACTS facts, before the breaker opens: more is not a fact, it is the software or something it needs. */
export const BREAKER_KEYS = 10;
/** Facts within which parked keys are counted together. */
export const BREAKER_FACTS = 10_000;
/** First pause of an open breaker before it tries one fact; it doubles. */
export const PROBE_DELAY_MS = 1_000;
/** Longest pause of an open breaker: so long after the repair at most it goes on. */
export const PROBE_MAX_MS = 30_000;
/** How often an app looks whether dead letters are to be re-driven. */
export const REDRIVE_LOOK_MS = 1_000;
