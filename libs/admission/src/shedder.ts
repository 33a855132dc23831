import { ARRIVALS_WEIGHT, CALM_PRESSURE, GROW_LEAST, GROW_SHARE, MIN_CONCURRENCY, SHED_AT_ONCE, SHED_RETRY_AFTER_MAX_MS, SHED_RETRY_AFTER_MS, SHRINK_LEAST, SHRINK_MOST, STANDING_WINDOWS } from './limits.js';
import { type Priority, priorities } from './priority.js';
import type { Reading } from './signals.js';

export type Verdict = { admitted: true } | { admitted: false; retryAfterMs: number; because: string };

const ADMITTED: Verdict = { admitted: true };
const ALL = priorities.length;

/**
 * Decides which requests are taken while there are more than can be done. Pure: it is told what signals say, once a window, and keeps a **level** from 0 to 3, how many of the
 * priorities are admitted: 3 all, 2.4 all but 60 % of the sheddable ones, 1.5 the critical and half of the normal ones.
 *
 * The level follows WeChat's DAGOR (Zhou et al., "Overload control for scaling WeChat microservices", SoCC 2018): after a window with a signal that stands above its limit, fewer are admitted by a factor,
 * after a calm one somewhat more, in numbers of requests as they arrived of late, so that it finds what the service can bear and stays there. Between calm and the limit nothing moves.
 *
 * Promised: nothing of a priority is shed while anything of a less important one is admitted; critical requests are never shed; one window changes what is admitted by at most half;
 * when the signals are calm, all is admitted again; what would wait five times as long as the limit says is turned away at once (`SHED_AT_ONCE`); a request that finds fewer than `minConcurrency` (10) under way is admitted, whatever the signals say. Not promised: fairness between clients (that is the token bucket's), anything when critical requests alone are too many.
 */
export class Shedder {
  #level: number = ALL;
  #because = '';
  #arrived: number[] = priorities.map(() => 0);
  #rates: number[] = priorities.map(() => 0);

  readonly #minConcurrency: number;
  readonly #random: () => number;
  /** What each signal said last, newest first. */
  readonly #said = new Map<string, readonly number[]>();

  constructor({ minConcurrency = MIN_CONCURRENCY, random = Math.random }: { minConcurrency?: number; random?: () => number } = {}) {
    this.#minConcurrency = minConcurrency;
    this.#random = random;
  }

  /** How many of the priorities are admitted, 1 to 3. */
  get level(): number {
    return this.#level;
  }

  /**
   * @param underWay requests that were admitted and are not yet answered.
   * @param queue what the request would wait in, as it is now: the level knows what was, and a queue grows by all of a window's arrivals.
   */
  admit(priority: Priority, underWay = Infinity, queue?: Reading): Verdict {
    const rank = priorities.indexOf(priority);
    this.#arrived[rank]! += 1;
    if (underWay < this.#minConcurrency) return ADMITTED;
    if (queue && queue.pressure >= SHED_AT_ONCE[priority]) return this.#refuse(queue.name);
    return this.#level >= rank + 1 || rank + this.#random() < this.#level ? ADMITTED : this.#refuse(this.#because);
  }

  #refuse(because: string): Verdict {
    const worst = (ALL - this.#level) / (ALL - 1);
    const longest = SHED_RETRY_AFTER_MS + (SHED_RETRY_AFTER_MAX_MS - SHED_RETRY_AFTER_MS) * worst;
    return { admitted: false, because, retryAfterMs: Math.ceil(SHED_RETRY_AFTER_MS + (longest - SHED_RETRY_AFTER_MS) * this.#random()) };
  }

  /** Ends a window: what the signals say now decides the next one. */
  observe(now: readonly Reading[]): void {
    const readings = now.map((reading) => ({ ...reading, ...this.#standing(reading) }));
    this.#rates = this.#rates.map((rate, rank) => rate + (this.#arrived[rank]! - rate) * ARRIVALS_WEIGHT);
    this.#arrived = priorities.map(() => 0);
    const over = readings.filter(({ pressure, falls, spares }) => pressure >= 1 && !falls && floorOf(spares) < this.#level);
    if (over.length === 0) {
      this.#level = Math.min(this.#ceiling(readings), this.#grown());
      return;
    }
    const worst = over.reduce((a, b) => (b.pressure > a.pressure ? b : a));
    this.#because = worst.name;
    this.#level = Math.min(...over.map(({ pressure, spares }) => Math.max(floorOf(spares), this.#shrunk(pressure))));
  }

  /** How high it stood all the time, and whether it gets better by itself: a queue that drains needs no further shedding, or the service would stand idle behind it. */
  #standing({ name, pressure }: Reading): { pressure: number; falls: boolean } {
    const said = [pressure, ...(this.#said.get(name) ?? [])].slice(0, STANDING_WINDOWS);
    this.#said.set(name, said);
    return { pressure: said.length < STANDING_WINDOWS ? 0 : Math.min(...said), falls: pressure < (said[1] ?? 0) };
  }

  /** A signal that is not calm holds the level where it is, or where it has nothing more to say. */
  #ceiling(readings: readonly Reading[]): number {
    return Math.min(ALL, ...readings.filter(({ pressure }) => pressure >= CALM_PRESSURE).map(({ spares }) => Math.max(floorOf(spares), this.#level)));
  }

  #shrunk(pressure: number): number {
    return this.#levelFor(this.#admitted() * Math.min(SHRINK_LEAST, Math.max(SHRINK_MOST, 1 / pressure)));
  }

  #grown(): number {
    const all = this.#sum((rate) => rate);
    const admitted = this.#admitted();
    if (all === 0 || admitted >= all) return ALL;
    return Math.max(this.#level, this.#levelFor(admitted + Math.max(admitted * GROW_SHARE, all * GROW_LEAST)));
  }

  /** Requests of a window that the level admits. */
  #admitted(): number {
    return this.#sum((rate, rank) => rate * Math.min(1, Math.max(0, this.#level - rank)));
  }

  /** The level that admits so many, taken from the most important on. */
  #levelFor(requests: number): number {
    let left = requests;
    for (const [rank, rate] of this.#rates.entries()) {
      if (left < rate) return Math.max(1, rank + left / rate);
      left -= rate;
    }
    return ALL;
  }

  #sum(of: (rate: number, rank: number) => number): number {
    return this.#rates.reduce((sum, rate, rank) => sum + of(rate, rank), 0);
  }
}

/** The lowest level to which a signal may bring it down: the priorities that it spares. */
function floorOf(spares: Priority): number {
  return priorities.indexOf(spares) + 1;
}
