/** A healthy part answers in 2 to 6 s on two cores; four stacks starting at once on such a machine stay under a minute. */
export const PART_READY_DEADLINE_MS = 120_000;

/** A second `stack up` of the same name waits for the first: its downloads and its start. */
export const NAMED_START_DEADLINE_MS = 1_200_000;

/** Often enough not to be felt in a start of seconds, rare enough to cost nothing. */
export const READINESS_POLL_MS = 100;

/** One question to a starting service: it either answers in milliseconds or is not ready. */
export const PROBE_TIMEOUT_MS = 2_000;

/** Kafka ends a controlled shutdown in about 0.6 s and the registry in 2.5 s; then the part is killed. */
export const PART_STOP_DEADLINE_MS = 15_000;

/** A killed process is gone in milliseconds; a longer wait means that it hangs in the kernel. */
export const KILL_DEADLINE_MS = 5_000;

/** How long an exiting parent may hold its exit up to see its parts end before it deletes their folders. */
export const EXIT_DEADLINE_MS = 3_000;

/** Version questions (`java -version`, `mvn -v`) take 0.1 to 0.6 s on an idle machine. */
export const COMMAND_DEADLINE_MS = 30_000;

/** One-time work (Maven's downloads, unpacking): 110 MB at 0.3 MB/s take six minutes. */
export const INSTALL_DEADLINE_MS = 900_000;

/** Another process that installs the same package has the same time as this one, and then some. */
export const INSTALL_LOCK_DEADLINE_MS = 1_000_000;

/** How often long work says how far it is. */
export const PROGRESS_INTERVAL_MS = 1_000;

/** Docker's socket answers a ping in milliseconds; without an engine nothing may hang. */
export const DOCKER_PING_TIMEOUT_MS = 1_500;

/** Enough of a log to see the cause of a failed start, short enough for a terminal. */
export const LOG_TAIL_LINES = 20;
export const LOG_TAIL_BYTES = 16_384;

/** The largest answer that a readiness question reads: metadata of three brokers without topics is under 200 bytes. */
export const PROBE_ANSWER_BYTES = 65_536;

/**
 * Ports are taken below the ranges from which systems pick the local port of an outgoing connection (Linux 32768, macOS and Windows 49152).
 * Above it, a client that retries against a stopped part can be given the very port it dials, connect to itself, and so keep the part from coming back.
 */
export const FIRST_PORT = 20_000;
export const LAST_PORT = 31_999;
/** Random tries for one free port; the range holds 12,000. */
export const PORT_ATTEMPTS = 200;

/** A broker for tests and a laptop's demo. */
export const KAFKA_HEAP_MB = 768;
/** A killed broker is let in again when its old session has ended: measured 12 s from start to service at Kafka's 9 s, 4 s at 2 s; below that a busy machine fences a healthy one. */
export const BROKER_SESSION_MS = 3_000;
/** Six heartbeats fit into a session: one lost does not end it. */
export const BROKER_HEARTBEAT_MS = 500;

/** Measured 260 MB resident with an empty registry. */
export const REGISTRY_HEAP_MB = 512;

/** The registry lists 1,000 subjects unless told otherwise; a contract check that misses the rest would be wrong in silence. */
export const REGISTRY_SUBJECTS_LISTED = 100_000;

/** Twelve apps with a pool of ten, the relays' own connections, and as many test databases. */
export const POSTGRES_CONNECTIONS = 200;
/** The demo's and the benchmarks' tables fit in it. */
export const POSTGRES_SHARED_BUFFERS_MB = 256;

/** Maven names the cause in its first line of error and follows with general advice. */
export const MAVEN_ERROR_LINES = 4;
