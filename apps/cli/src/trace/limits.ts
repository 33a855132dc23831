/** Facts that one trace tells: past it somebody wants a query, not a story. */
export const FACTS_TOLD = 1_000;
/** Facts caused by facts caused by facts: deeper chains are loops. */
export const DEPTH = 20;
/** Records looked at in the log for one trace, seconds of reading; what lies behind them is said to be not searched. */
export const RECORDS_SEARCHED = 2_000_000;
/** Most facts are in the log so soon after they were stated: all topics are searched for this stretch first, and further only for a fact that is not in it. */
export const NEAR_MS = 600_000;
/** How far the clock that made a fact's id may be ahead of the broker's. */
export const CLOCK_SKEW_MS = 60_000;
/** An as-of time that stands still for longer than this is not being moved: watermarks come every 5 s at least. */
export const SILENT_MS = 15_000;
/** Longest wait for one app's database. */
export const DATABASE_WAIT_MS = 5_000;
