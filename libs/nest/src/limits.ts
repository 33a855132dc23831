/** Every bound of this library, with its unit in the name and the reason beside it. */

/** Largest request body: a thousand times a typical one; facts may have 900 KiB, but those are not typed in by clients. */
export const BODY_BYTES = 256 * 1024;
/** Files of requests in the memory of a process: at 10 MiB each 160 MiB, and their copies on the way to the database. */
export const FILES_IN_HAND = 16;
/** Objects and arrays inside each other in a body: ten times what a form needs, and far below what exhausts a recursive transformer. */
export const BODY_DEPTH = 32;
/** Values in one body: validation costs about 1 us each, so this is 10 ms of a request at worst. */
export const BODY_VALUES = 10_000;
/** Faults told to a client about one body; the first few are what a person corrects. */
export const FAULTS_SHOWN = 50;

/** Time for a client to send its headers, its whole request, and to stay silent between requests: a drip client ends here. */
export const HEADERS_TIMEOUT_MS = 10_000;
export const REQUEST_TIMEOUT_MS = 30_000;
export const KEEP_ALIVE_TIMEOUT_MS = 5_000;
/** Open connections; past it new ones are closed, which a balancer understands, instead of memory running out. */
export const CONNECTIONS = 5_000;

/** Identifiers that clients send in headers: room for a UUID with a prefix, none for a payload. */
export const HEADER_ID_CHARACTERS = 200;
/** A read-your-writes token: base64url of topic (249), key (1,024) and number. */
export const TOKEN_CHARACTERS = 2_048;

/** How long a read waits for the caller's own write, and how long a caller may ask it to. */
export const READ_WAIT_MS = 2_000;
export const READ_WAIT_MAX_MS = 10_000;
/** Reads that may wait at once: each asks the database every 20 ms, so 50 are 2,500 queries a second. */
export const READS_WAITING = 50;

/** Rows of one page of a list. */
export const PAGE_ROWS = 50;
export const PAGE_ROWS_MAX = 200;

/** Answers are kept this long for a repeated idempotency key: longer than any client retries, short enough to forget personal data. */
export const IDEMPOTENCY_KEPT_MS = 24 * 60 * 60 * 1_000;
/** How often expired answers are removed, and how many by one statement, so that its locks are short. */
export const IDEMPOTENCY_SWEEP_INTERVAL_MS = 10 * 60 * 1_000;
export const IDEMPOTENCY_SWEEP_ROWS = 5_000;

/** How long a start waits for a database that is starting as well. */
export const DATABASE_START_WAIT_MS = 30_000;
/** Relay and subscriptions wait this long for the first attempt to create topics: with a broker that answers it takes 300 ms and spares them an error each. */
export const TOPICS_HEAD_START_MS = 3_000;
/** Longest pause between attempts to create topics while the broker is away. */
export const TOPICS_RETRY_MAX_MS = 10_000;
/** From SIGTERM to the end of the process; orchestrators kill after 30 s. */
export const SHUTDOWN_DEADLINE_MS = 10_000;
/** A database that answers later than this is not ready. */
export const READY_TIMEOUT_MS = 1_000;
/** What a refused client is told to wait when nobody knows better. */
export const RETRY_AFTER_MS = 1_000;
/** Connections of a subscription of reactions beside those of its handlers: one looks keys up and moves checkpoints, one re-drives dead letters. */
export const REACTION_SPARE_CONNECTIONS = 2;
/** Characters of a name, key or reason that the admin interface takes. */
export const ADMIN_TEXT_CHARACTERS = 1_000;
/** The admin interface listens so far above the service's own port unless told otherwise: 3101 for 3001. */
export const ADMIN_PORT_OFFSET = 100;
/** Characters of a secret at least: 16 random ones are beyond guessing. */
export const SECRET_CHARACTERS = 16;
/** Waits for a reader of the log that does not keep up, and how often: the event loop stands still meanwhile, so 100 ms in all; then the line is dropped and counted. */
export const LOG_WAIT_MS = 5;
export const LOG_WAIT_ATTEMPTS = 20;
/** A watcher of a job gets a comment so often, so that no proxy in between takes the connection for dead: many cut it after 30 s of silence. */
export const EVENTS_HEARTBEAT_MS = 15_000;
/** Events that wait for a client that does not read: some hundred of a job, after which it is let go and may ask again. */
export const EVENTS_WAITING_BYTES = 64 * 1024;
/** One scrape asks for all gauges of queues at once; they share a look that is no older than this. */
export const QUEUE_LOOK_MS = 1_000;
/** The load is measured and judged this often: several times within the second that a client waits, and long enough for a handful of requests. The limits of the shedder are set for windows of this length. */
export const ADMISSION_WINDOW_MS = 100;
/** How exactly the delay of the event loop is measured: ten samples a window. */
export const LOOP_DELAY_RESOLUTION_MS = 10;
