/** Every bound of this library, with its unit in the name and the reason beside it. */

/** A broker on another continent answers a TCP handshake within 1 s; 3 s leaves room for one lost packet. */
export const CONNECTION_TIMEOUT_MS = 3_000;
/** What kafkajs uses; half-open connections are found by request timeouts long before. */
export const KEEP_ALIVE_DELAY_MS = 60_000;
/** What Java clients use: above the 10 s a broker may take to notice that a replica is gone. */
export const REQUEST_TIMEOUT_MS = 30_000;
/** The broker gives up waiting for replicas before the client gives up waiting for the broker, so that the answer is an error and not silence. */
export const ACK_TIMEOUT_SHARE = 2 / 3;

/** Records of one send: 10,000 of 121 bytes are 1.2 MB, already above the broker's default `message.max.bytes` of 1 MiB. */
export const SEND_RECORDS_MAX = 10_000;
/** Bytes of one send; the broker's own limit (usually 1 MiB) is smaller and answers `log.record-too-large`. */
export const SEND_BYTES_MAX = 64 * 1024 * 1024;

/** How long the broker may hold a fetch open: stop and seek wait for it, and 4 empty answers a second cost nothing. */
export const FETCH_WAIT_MS = 250;
/** The same while a partition is paused: `resume` must not wait behind a long poll of the idle ones. 50 empty answers a second cost under 1 % of a core. */
export const FETCH_WAIT_WHILE_PAUSED_MS = 20;
/** A live subscriber: about 6,000 facts of 180 bytes a partition, parsed in 4 ms, so that HTTP requests of the same process hardly wait. */
export const SUBSCRIBE_BYTES_PER_PARTITION = 1024 * 1024;
/** Reading history: a fetch of 8 MiB costs one round trip per 45,000 facts. */
export const READ_BYTES_PER_PARTITION = 8 * 1024 * 1024;
/** One answer of one broker in all, below the broker's `fetch.max.bytes` of 55 MB. Two of them are in memory at a time while reading history. */
export const FETCH_BYTES_IN_ALL = 50 * 1024 * 1024;
/** One compressed record batch when unpacked: a batch of the broker's default 1 MiB at a ratio of 64. More is taken for a decompression bomb. */
export const UNPACKED_BATCH_BYTES_MAX = 64 * 1024 * 1024;
/** Headers of one record: Kafka has no limit of its own, and each costs an object property. */
export const HEADERS_PER_RECORD_MAX = 1_000;

/** Waits after a failed fetch or connection: first 100 ms, for a leader moves in less than a second; never above 2 s, so that recovery is noticed. */
export const RETRY_DELAY_MS = 100;
export const RETRY_DELAY_MAX_MS = 2_000;
/** Reading history and administration give up after so many failures in a row, 10 to 20 s: the caller holds a command line or a request. */
export const ATTEMPTS_MAX = 12;

/** A created topic has leaders, and a deleted one is gone, within milliseconds on a healthy cluster; a controller failover takes seconds. */
export const TOPIC_CHANGE_WAIT_MS = 30_000;
/** Pause between two looks at the metadata while waiting for that. */
export const TOPIC_CHANGE_LOOK_MS = 50;
/** A subscribed topic that does not exist yet is looked for again this often, by the group's leader. */
export const MISSING_TOPIC_LOOK_MS = 5_000;

/**
 * The group gives a silent member's partitions away after this, so it is how long a killed process's partitions stand still (29 s of a demo at 30 s).
 * A member that was only slow is harmless: its commits are refused by the checkpoint's epoch.
 */
export const SESSION_TIMEOUT_MS = 10_000;
/** How long the group waits for members to rejoin. Members of this library rejoin within a heartbeat. */
export const REBALANCE_TIMEOUT_MS = 60_000;
/** Also the time until a member notices a rebalance: one small request a second. */
export const HEARTBEAT_MS = 1_000;
/** `stop` waits no longer for the coordinator: a member that could not say good-bye is removed by the session timeout. */
export const LEAVE_WAIT_MS = 3_000;
/** The memory driver keeps no more than this a partition: it is for tests and samples, not for storage. */
export const MEMORY_RECORDS_PER_PARTITION_MAX = 2_000_000;
/** Records the memory driver hands over in one batch: small enough that tests see more than one. */
export const MEMORY_BATCH_RECORDS = 500;
