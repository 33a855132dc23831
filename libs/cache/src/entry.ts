import type { Hold } from './answer.js';
import { EARLY_BETA, EARLY_DURATIONS } from './limits.js';
import type { Region } from './region.js';

export interface Loaded {
  /** As of when the source held, when it was asked. */
  readonly hold: Hold;
  /** Monotonic. */
  readonly loadedAt: number;
  readonly durationMs: number;
  /** Those that vouch for the value until it is evicted; undefined: its as-of time stands. */
  readonly regions: readonly Region[] | undefined;
  readonly epoch: number;
  readonly ttlMs: number;
}

/** A value with what decides how long it is good for. */
export class Entry<Value> {
  /** Monotonic: when it was last looked for anew, being stale. */
  triedAt: number;
  /** Before this moment nothing has to be asked about its expiry. */
  readonly earlyFrom: number;
  readonly #expiresAt: number;
  readonly #regions: readonly Region[] | undefined;

  constructor(
    readonly value: Value | undefined,
    private readonly loaded: Loaded,
  ) {
    const { loadedAt, durationMs, ttlMs, regions } = loaded;
    this.triedAt = loadedAt;
    this.#regions = regions;
    this.#expiresAt = loadedAt + ttlMs;
    this.earlyFrom = this.#expiresAt - durationMs * EARLY_BETA * EARLY_DURATIONS;
  }

  expired(now: number): boolean {
    return now >= this.#expiresAt;
  }

  /**
   * Whether a reader should load it before it expires: XFetch, of Vattani, Chierichetti and Lowenstein, "Optimal Probabilistic Cache Stampede Prevention" (VLDB 2015). Each read draws;
   * the slower the load and the more reads there are, the earlier one of them draws it.
   */
  early(now: number, random: () => number): boolean {
    return now - this.loaded.durationMs * EARLY_BETA * Math.log(1 - random()) >= this.#expiresAt; // 1 - random(): never the logarithm of 0
  }

  /** As of when the value holds. What the regions have heard since the load counts as long as they missed nothing; of several the one that is furthest back. */
  get hold(): Hold {
    const own = this.loaded.hold;
    const regions = this.#regions;
    if (regions === undefined) return own;
    let oldest = regions[0]!.hold;
    for (const { brokenAt, hold } of regions) {
      if (brokenAt > this.loaded.epoch) return own;
      if (hold.at < oldest.at) oldest = hold;
    }
    return own.at > oldest.at ? own : oldest;
  }
}
