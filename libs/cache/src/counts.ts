/** What a cache did since it was made. */
export class Counts {
  hits = 0;
  misses = 0;
  /** Keys that were loaded, whatever came of it. */
  loads = 0;
  /** Callers who shared a load that was under way. */
  coalesced = 0;
  /** Loads that failed, timed out, or had no turn. */
  failures = 0;
  /** Loads of which the result was not kept, because the key had changed meanwhile or the source lagged behind the change. */
  overtaken = 0;
  /** Loads before the expiry. */
  early = 0;
  /** Answers that were marked stale. */
  staleServed = 0;
  /** Keys evicted by facts, present or not. */
  invalidations = 0;
  /** Entries that had to go because there were more than `maxEntries`. */
  evictions = 0;
  /** Times the tail lost its place in a partition. */
  gaps = 0;
  /** Facts that could not be read or mapped: their whole partition was dropped. */
  unreadable = 0;
}
