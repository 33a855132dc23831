/** Rows remembered per partition beside the tables, so that a fact about a known key costs no query; about 0.6 KB each. */
export const ROW_CACHE_ENTRIES = 50_000;
/** Rows a rebuild holds per partition before it reads the partition in several passes, each for a part of the keys; about 0.6 KB each, so 600 MB. */
export const REBUILD_ROWS_IN_MEMORY = 1_000_000;
/** Passes over one partition at most; past this the machine is too small for the model, and saying so beats swapping. */
export const REBUILD_PASSES = 64;
/** Rows per COPY chunk: about 64 KB of text. */
export const COPY_CHUNK_ROWS = 500;
/** Threads of a rebuild at most; one per core up to here, since Postgres and the broker need cores too. */
export const REBUILD_THREADS = 8;
/** How often progress is written to the database, for `factline replay status` in another terminal. */
export const PROGRESS_INTERVAL_MS = 500;
/** A rebuild whose heartbeat is older than this is taken for dead. */
export const HEARTBEAT_DEAD_MS = 15_000;
/** How long a swap waits for a lock before it lets readers and writers through and tries again. */
export const SWAP_LOCK_TIMEOUT_MS = 2_000;
/** Attempts to catch a moving live model at the moment of the swap; each costs a few milliseconds and succeeds more often than not. */
export const SWAP_ATTEMPTS = 50;
/** Rounds of following the live model before verification; each reads what arrived during the last. */
export const TAIL_ROUNDS = 1_000;
/** Buckets of the verification hash: a difference is searched in 1/256 of the rows. */
export const VERIFY_BUCKETS = 256;
/** Differing rows printed by verification. */
export const VERIFY_ROWS_SHOWN = 20;
/** Free disk wanted before a rebuild, in sizes of the live model: the new build, and room for its indexes and sorting. */
export const DISK_HEADROOM_FACTOR = 2;
/** Facts read to estimate a rebuild's duration before it starts. */
export const ESTIMATE_FACTS = 20_000;
/** For how long an as-of time read from the database is answered again. */
export const AS_OF_CACHE_MS = 200;
/** How often a reader looks again while it waits for its own write. */
export const AWAIT_POLL_MS = 20;
