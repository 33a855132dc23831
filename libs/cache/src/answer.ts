/** As of when something holds: the producer's time, and where that lies on this process's monotonic clock, which hits compare with; one clock is read a hit. */
export interface Hold {
  /** Milliseconds since 1970; null: unknown. */
  readonly asOfMs: number | null;
  /** Monotonic; minus infinity: unknown. */
  readonly at: number;
}

/** Where this machine's clock is behind the producer's, the age counts from now: silence is noticed all the same. */
export function holdOf(asOfMs: number | null, nowMs: number, now: number): Hold {
  return { asOfMs, at: asOfMs === null ? Number.NEGATIVE_INFINITY : now - Math.max(0, nowMs - asOfMs) };
}

/**
 * What a cache knows of a key. `value` is undefined when the source has none.
 * Promised: when `stale` is false, nothing that a producer committed until `asOf` is missing, and `asOf` is not longer ago than the cache's bound (`staleAfter`).
 * Of a stale answer the first is true as well; where `asOf` is null nothing is known of its age.
 * Not promised: that `asOf` is exact. The value may be newer, never older. Times are the clock of the producer's database, ages compare it with this machine's.
 */
export class Cached<Value> {
  constructor(
    readonly value: Value | undefined,
    readonly stale: boolean,
    private readonly hold: Hold,
    private readonly now: number,
  ) {}

  /** Milliseconds since 1970; null: unknown. */
  get asOfMs(): number | null {
    return this.hold.asOfMs;
  }

  get asOf(): Date | null {
    return this.asOfMs === null ? null : new Date(this.asOfMs);
  }

  /** How old the value may be at worst, milliseconds; null: unknown. */
  get age(): number | null {
    return this.asOfMs === null ? null : this.now - this.hold.at;
  }
}
