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
/** Attempts of a swap when somebody holds a lock for longer than it waits. */
export const SWAP_ATTEMPTS = 5;
/** Rounds of following the live model before it counts as near; each reads what arrived during the last, so a few are enough unless live outruns a rebuild. */
export const TAIL_ROUNDS = 20;
/** Facts between the staged build and the live one that are near enough: verification and swap do the rest at exact positions, in under 100 ms. */
export const TAIL_NEAR_FACTS = 5_000;
/** How long a swap waits for facts that the live model has applied already: they are in the log, so only a broker that went away is late. */
export const TAIL_ARRIVAL_MS = 1_000;
/** Database connections of a rebuild: one for its transaction, the others to load rows beside it. */
export const REBUILD_CONNECTIONS = 4;
/** Runs without effect of a swap's statements on each connection before its transaction: the first costs 10 times the third. */
export const WARM_ROUNDS = 3;
/** How long verification waits for a live model that is behind the staged one. */
export const LIVE_WAIT_MS = 10_000;
/** Buckets of the verification hash: a difference is searched in 1/256 of the rows. */
export const VERIFY_BUCKETS = 256;
/** Differing rows printed by verification. */
export const VERIFY_ROWS_SHOWN = 20;
/** Facts read to estimate a rebuild's duration before it starts. */
export const ESTIMATE_FACTS = 20_000;
/** For how long an as-of time read from the database is answered again. */
export const AS_OF_CACHE_MS = 200;
/** How often a reader looks again while it waits for its own write. */
export const AWAIT_POLL_MS = 20;
/** When a reader that waited in vain for its own write should ask again: several polls of the relay later. */
export const READ_RETRY_AFTER_MS = 1_000;
/** How often verification looks whether the live model has caught up. */
export const LIVE_LOOK_MS = 50;
/** Facts from which on a rebuild folds on several threads: starting one costs 0.35 s of CPU, and below this one thread was as fast as two. */
export const THREADS_FROM_FACTS = 500_000;
/** Young generation of a folding thread: rows live long and records die at once, and Node's default of 16 MB made it copy rows again and again. */
export const THREAD_YOUNG_MB = 64;
/** Different keys of a partition that may fail within BREAKER_FACTS facts. More is not bad facts but bad software or a bad schema: then the partition halts and nothing more is parked. */
export const BREAKER_KEYS = 10;
/** Facts of a partition in which failing keys are counted together. */
export const BREAKER_FACTS = 10_000;
/** Blocked keys of a partition at most; their names are held in memory, 0.1 KB each. */
export const BLOCKED_KEYS_MAX = 10_000;
/** Blocked keys whose facts are read from the log together. */
export const KEYS_READ = 200;
