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

/** Below this part of its limit a signal lets the share grow again; between it and the limit the share is held. Without the gap it would move all the time. */
export const CALM_PRESSURE = 0.7;
/** One window takes away at most so much of what is admitted, whatever a signal says: ten times the load is down to what can be borne in four windows. */
export const SHRINK_MOST = 0.5;
/** And at least so much, or a signal just above its limit would stay there. */
export const SHRINK_LEAST = 0.95;
/** Growth of what is admitted per window, of itself and at least of all that arrives: from a tenth back to all in five seconds. */
export const GROW_SHARE = 0.05;
export const GROW_LEAST = 0.005;
/** Weight of the newest window in what is known of the arrivals: half of it is younger than 200 ms. */
export const ARRIVALS_WEIGHT = 0.3;
/** What a shed client is told to wait: the shorter time when little is shed, up to the longer one when nearly all is, at random so that they do not return together. */
export const SHED_RETRY_AFTER_MS = 1_000;
export const SHED_RETRY_AFTER_MAX_MS = 5_000;
/** Share of the outbox's hard limits from which on less important requests are shed: the last fifth is for the important ones. At 1 it refuses all by itself. */
export const SHED_OUTBOX_FULLNESS = 0.8;
/** Facts that a read model is behind: at 30 k facts a second that is 17 s. Only sheddable requests make room for it, since a first start from offset zero is behind as well. */
export const SHED_LAG_FACTS = 500_000;
/** Time that a statement waits for a connection. The pool gives up at 5,000 ms; a client that waits for 1 s in all has 100 ms of it to spare for a queue. */
export const SHED_CONNECTION_WAIT_MS = 100;
/**
 * Times its limit at which the wait for a connection turns requests away at once, without the end of a window: 250 ms for sheddable ones, 500 ms for normal ones. A queue of half a
 * second gains nothing, and whoever joins it is late: at ten times the load 400 ms of arrivals would keep the answers of the next two seconds past a client's patience.
 */
export const SHED_AT_ONCE = { critical: Infinity, normal: 5, sheddable: 2.5 };
/** Delay of the event loop: everything in the process is that late, health probes included. */
export const SHED_LOOP_DELAY_MS = 100;
/** Windows in which a signal must be above its limit, all of them: one late timer is no overload, a queue that stands is (CoDel, RFC 8289, looks at the minimum for the same reason). */
export const STANDING_WINDOWS = 3;
/** Fewer requests under way than this are no load: whatever is slow then does not become faster by turning them away. */
export const MIN_CONCURRENCY = 10;
