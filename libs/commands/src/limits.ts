/** Every bound of this library, with its unit in the name and the reason beside it. */

/** What a handler may answer, as JSON: a few ids and numbers. What is larger belongs in a table of the app, and its id here. */
export const RESULT_BYTES = 8 * 1024;
/** Text of a progress report: one line that a person reads. */
export const PROGRESS_CHARACTERS = 200;
/** Reports of one job are written at most this often: a person sees no difference, and 8 handlers cost 16 small writes a second. */
export const PROGRESS_INTERVAL_MS = 500;
/** Longest idempotency key: room for a UUID, a name and a due time. */
export const IDEMPOTENCY_KEY_CHARACTERS = 200;
/** Jobs before one that are counted for its position; behind that the answer is "more". An index scan of so many takes some 5 ms. */
export const POSITION_JOBS = 10_000;
/** The rate of a queue is what it did within the last minute: long enough for slow jobs, short enough to follow a change. */
export const RATE_WINDOW_MS = 60_000;
/** Rate and backlog of a queue are measured at most this often, however many ask. */
export const MEASURE_INTERVAL_MS = 1_000;
/** How long a cancel waits for whoever holds the job, before it says that it runs: those who only look hold it for less than a millisecond. */
export const CANCEL_WAIT_MS = 100;

/** How often a process looks for commands whose time has come: so late they are sent at most, beside the relay. The look is one index probe. */
export const DUE_LOOK_MS = 500;
/** Waiting commands sent on in one transaction: it holds the locks of their keys until it commits. */
export const DUE_COMMANDS = 500;
/** Missed times of a schedule that are sent in one transaction, with \`catchUp: 'all'\`; the others follow at once. */
export const CATCH_UP_DUES = 100;
/** Pauses between attempts at a schedule whose command cannot be sent: the first, and the longest. */
export const SCHEDULE_RETRY_DELAY_MS = 1_000;
export const SCHEDULE_RETRY_MAX_MS = 60_000;
/** Shortest time between two times of a schedule: more often is a loop, not a schedule. */
export const SCHEDULE_EVERY_MIN_MS = 1_000;
/** Longest time between two commands that a queue's rate may ask for: a third of the 30 s without work after which a process counts as stalled. */
export const PACE_MAX_MS = 10_000;

/** What a sender that was refused is told to wait, and how long a command is put off, when nothing is known of the queue's rate. */
export const BACKLOG_RETRY_MS = 5_000;
/** Longest wait that a refusal names: the estimate is worth nothing beyond. */
export const BACKLOG_RETRY_MAX_MS = 15 * 60 * 1_000;
/** Waiting commands that are due within this time count as before the next one that is put off. */
export const PUT_OFF_WINDOW_MS = 60 * 60 * 1_000;

/** How often a process looks after the jobs that are watched, all with the same few statements. */
export const WATCH_INTERVAL_MS = 500;
/** Watchers of a process at most: each is an open connection; all are told from one look. */
export const WATCHERS = 1_000;

/** Finished jobs are kept so long by default: an idempotency key is good for as long. */
export const JOBS_KEPT_MS = 7 * 24 * 60 * 60 * 1_000;
/** How often finished jobs are removed, and how many by one statement, so that its locks are short. */
export const JOBS_SWEEP_INTERVAL_MS = 60_000;
export const JOBS_SWEEP_ROWS = 5_000;
