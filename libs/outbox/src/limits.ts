/** Every bound of this library, with its unit in the name and the reason beside it. */

/** Facts of one `addMany`: the transaction holds the row lock of each key until it commits. */
export const ADD_MANY_FACTS = 1_000;
/** Longest W3C traceparent header: version 00 has 55 characters. */
export const TRACEPARENT_CHARACTERS = 55;

/** How often the backlog is measured: two index probes, so once a second costs nothing and 8 k facts can slip in between. */
export const PRESSURE_INTERVAL_MS = 1_000;
/** Backlog that raises an alarm, and backlog at which facts are refused: at 100 k rows a second a relay drains them in 1 s and in 10 s. */
export const SOFT_PENDING_ROWS = 100_000;
export const HARD_PENDING_ROWS = 1_000_000;
/** Disk the backlog may take: hundreds of bytes a fact with its indexes; past 1 GiB the business tables next to it are at risk. */
export const SOFT_PENDING_BYTES = 256 * 1024 * 1024;
export const HARD_PENDING_BYTES = 1024 * 1024 * 1024;
/** Age of the oldest unpublished fact. A broker away for hours must not stop the business while there is space; a day of silence means nobody looks. */
export const SOFT_OLDEST_AGE_MS = 60_000;
export const HARD_OLDEST_AGE_MS = 24 * 60 * 60 * 1_000;
/** What a refused caller is told to wait: the time in which a relay drains half a full outbox. */
export const FULL_RETRY_AFTER_MS = 5_000;

/** Rows of one page: 3,000 was the best of 1,000 to 6,000 in the drain measurement; a page is sent in about 20 ms. */
export const PAGE_ROWS = 3_000;
/** Bytes of one page, so that large facts do not fill the memory: the rest of the page is read again. */
export const PAGE_BYTES = 16 * 1024 * 1024;
/** Pages sent but not yet acknowledged as a whole: the second one keeps fast partitions busy while a slow one answers. */
export const PAGES_IN_FLIGHT = 2;
/** Progress of small ticks is stored this often: after a crash the facts of the last 50 ms, or of the last two pages, are published again. */
export const PROGRESS_INTERVAL_MS = 50;
/** Bytes of one send: with keys and overhead well below the broker's default `message.max.bytes` of 1 MiB, which is for a whole batch. */
export const SEND_BYTES = 768 * 1024;
/** Poll pauses of a relay whose last tick had facts, and of an idle one: the pause doubles from one to the other. */
export const POLL_BUSY_MS = 20;
export const POLL_IDLE_MS = 250;
/** A send without an answer after this long is given up and its rows are sent again: above the 30 s request timeout of the log. */
export const PUBLISH_TIMEOUT_MS = 45_000;
/** Waits between attempts to send the same rows: at once for a leader that moved, every 5 s while the broker is away. */
export const RESEND_DELAY_MS = 50;
export const RESEND_DELAY_MAX_MS = 5_000;
/** A partition that took nothing for so long while others did holds up nobody any more: above the 9 s after which a dead broker's partitions get another leader. */
export const HOLD_AFTER_MS = 10_000;
/** Facts of a held partition that are read and sent at once: with the largest facts 90 MB. */
export const HELD_FACTS = 100;

/** A standby asks for the lock this often: the pause in publishing after an owner died is at most this and one tick. */
export const STANDBY_RETRY_MS = 1_000;
/** Waits of a relay whose database or log does not answer. */
export const RESTART_DELAY_MS = 200;
export const RESTART_DELAY_MAX_MS = 5_000;
/** The owner shows that it lives this often, and stores the snapshot of empty ticks with it. */
export const HEARTBEAT_MS = 1_000;
/** The server ends an owner's session that is silent this long (a stopped process, a cut network), which frees the lock: 15 missed heartbeats. */
export const OWNER_SILENCE_MS = 15_000;

/** After a failover so many records at the end of each partition are looked at first, twice as many while the older half has lost ones, and no more than this: at 1 kB a record 1 GB is read. */
export const FAILOVER_TAIL_RECORDS = 10_000;
export const FAILOVER_TAIL_MAX_RECORDS = 1_000_000;
/** Keys with lost facts that are remembered by name, and for how long the doctor tells of them. */
export const FAILOVER_KEYS_TOLD = 100;
export const FAILOVER_TOLD_DAYS = 30;

/** A slot is left for the next one after so many facts or so much time: 500 k rows of 121 bytes take about 130 MB with their indexes. */
export const ROTATE_ROWS = 500_000;
export const ROTATE_AFTER_MS = 10 * 60 * 1_000;
/** Wait for the lock of one slot: the only writers behind it are those with a snapshot from before the last rotation. */
export const TRUNCATE_LOCK_WAIT_MS = 50;

/** A watermark at most this often while facts flow, and at least this often in silence. */
export const WATERMARK_MIN_INTERVAL_MS = 1_000;
export const WATERMARK_MAX_INTERVAL_MS = 5_000;
/** Watermarks are worthless once newer ones exist; an hour lets a human look back. */
export const WATERMARK_RETENTION_MS = 60 * 60 * 1_000;

/** Facts of one correlation id that are answered: more than one request or reaction ever states. */
export const STATED_FACTS = 1_000;
/** Delivered facts that `outboxStatus` shows. */
export const STATUS_DELIVERED_ROWS = 5;
/** Sessions that `outboxDoctor` names, and how much of their query it shows. */
export const DOCTOR_SESSIONS = 5;
export const DOCTOR_QUERY_CHARACTERS = 120;
/** A heartbeat older than this means that no relay is alive: ten are missing. */
export const RELAY_SILENT_MS = 10_000;
/** A transaction open longer than this is worth naming: it keeps slots from being emptied and dead rows from being removed. */
export const LONG_TRANSACTION_MS = 30_000;
/** Transactions without a freeze: five times what makes autovacuum freeze on its own, and less than half of what the server has. */
export const WRAPAROUND_TRANSACTIONS = 1_000_000_000;
/** A left slot that is still not empty after this long is stuck. */
export const ROTATION_STUCK_MS = 10 * 60 * 1_000;
/** Difference between this machine's clock and the database's that makes ages and watermarks misleading. */
export const CLOCK_DIFFERENCE_MS = 2_000;
/** Three empty tables with two indexes each have their first pages. */
export const EMPTY_SLOT_BYTES = 64 * 1024;
