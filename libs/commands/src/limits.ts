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
