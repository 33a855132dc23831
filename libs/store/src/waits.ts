import { WAIT_HALF_LIFE_MS } from './limits.js';

/**
 * How long callers wait for a connection: an exponentially weighted mean, in which what happened a half-life ago counts half as much as what happens now, whether little or much
 * happens; and, before anybody has waited, what the length of the queue says (Little's law).
 */
export class Waits {
  readonly #waiting = new Set<{ since: number }>();
  readonly #waited: FadingMean;
  readonly #held: FadingMean;

  constructor(private readonly now: () => number = () => performance.now()) {
    this.#waited = new FadingMean(now);
    this.#held = new FadingMean(now);
  }

  /** Somebody begins to wait; call what this answers when it ends. */
  begin(): () => void {
    const entry = { since: this.now() };
    this.#waiting.add(entry);
    return () => {
      this.#waiting.delete(entry);
      this.#waited.add(this.now() - entry.since);
    };
  }

  /** Somebody has a connection; call what this answers when it is given back. */
  hold(): () => void {
    const since = this.now();
    return () => this.#held.add(this.now() - since);
  }

  /**
   * Nothing that ended yet says how long a standstill lasts: so the longest wait that goes on counts as well.
   * @param queued how many wait now, for one of so many connections.
   */
  current(queued = 0, connections = 1): number {
    const [longest] = this.#waiting; // in the order in which they began
    return Math.max(this.#waited.faded, longest ? this.now() - longest.since : 0, (queued * this.#held.mean) / connections);
  }
}

class FadingMean {
  mean = 0;
  #at: number;

  constructor(private readonly now: () => number) {
    this.#at = now();
  }

  /** As if nothing but zeros had come since. */
  get faded(): number {
    return this.mean * fading(this.now() - this.#at);
  }

  /** Many that end at once must not count as one: each moves the mean by a tenth at least. */
  add(value: number): void {
    const now = this.now();
    this.mean += (value - this.mean) * Math.max(0.1, 1 - fading(now - this.#at));
    this.#at = now;
  }
}

function fading(ms: number): number {
  return 0.5 ** (ms / WAIT_HALF_LIFE_MS);
}
