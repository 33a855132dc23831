/** Every bound of this library, with its unit in the name and the reason beside it. */

/** Keys that a process remembers per bucket, about 200 bytes each; the one unused longest is forgotten first, and asked of the database again. */
export const BUCKET_KEYS = 10_000;
/** Longer keys, and keys that Postgres does not take as text, are stored as their SHA-256: a caller's header must not become a wide index row. */
export const KEY_CHARACTERS = 200;
/** Part of a burst that one process may hold unused: with ten processes a client sees at worst the other half of its burst. */
export const LEASE_SHARE = 0.05;
/** A lease is for the use of so much time, as fast as the key was used since the last one: at 10 k takes a second that is one statement in 2,000. */
export const LEASE_AHEAD_MS = 200;
/** What was not used by then goes back. Longer would keep tokens from the other processes, shorter would cost a statement for nothing. */
export const LEASE_MS = 1_000;
/** An answer of the database later than this is not worth waiting for: the caller would rather have begun its work. */
export const TAKE_TIMEOUT_MS = 500;
/** After an answer that did not come, the database is left alone for so long: it must not be asked once a request when it is in trouble. */
export const UNAVAILABLE_PAUSE_MS = 1_000;
/** How often rows of full buckets are removed. They mean the same as no row: only the space matters. */
export const SWEEP_INTERVAL_MS = 60_000;
/** Rows removed by one statement, so that it holds its locks for milliseconds. */
export const SWEEP_ROWS = 5_000;
