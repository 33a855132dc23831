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
