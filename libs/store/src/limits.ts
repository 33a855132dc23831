/** Connections per store. Postgres pays for each; 10 saturate two cores at 8 k transactions a second. */
export const POOL_CONNECTIONS = 10;
/** How long a caller waits for a free connection before it is told the database is unavailable. */
export const POOL_WAIT_MS = 5_000;
/** How long a connection attempt may take. */
export const CONNECT_TIMEOUT_MS = 5_000;
/** A statement inside a transaction that waits longer for a lock is refused, so that a migration cannot queue up every request behind it. */
export const LOCK_TIMEOUT_MS = 5_000;
/** A transaction left open without work is ended by the server: it would hold back vacuum and outbox rotation (reliability row A3). */
export const IDLE_IN_TRANSACTION_TIMEOUT_MS = 30_000;
/** Runs of one transaction when the server reports a serialization failure or a deadlock. */
export const TRANSACTION_ATTEMPTS = 5;
/** Bytes handed to the server per COPY message: larger ones only cost memory. */
export const COPY_CHUNK_BYTES = 64 * 1024;
/** Half-life of the measure of waits for a connection: it forgets a stall within a second, and does not jump with a single statement. */
export const WAIT_HALF_LIFE_MS = 250;
/** How long a notification may take to a session behind a pooler, before the session is taken for none; a server sends it within milliseconds. */
export const POOLER_NOTICE_MS = 2_000;
