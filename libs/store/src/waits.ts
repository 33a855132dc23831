import { WAIT_HALF_LIFE_MS } from './limits.js';

/** An exponentially weighted mean of waiting times: what happened a half-life ago counts half as much as what happens now, whether little or much happens. */
export class Waits {
  readonly #waiting = new Set<{ since: number }>();
  #mean = 0;
  #at: number;

  constructor(private readonly now: () => number = () => performance.now()) {
    this.#at = now();
  }

  /** Somebody begins to wait; call what this answers when it ends. */
  begin(): () => void {
    const entry = { since: this.now() };
    this.#waiting.add(entry);
    return () => {
      this.#waiting.delete(entry);
      this.#add(this.now() - entry.since);
    };
  }

  /** Nothing that ended yet says how long a standstill lasts: so the longest wait that goes on counts as well. */
  current(): number {
    const now = this.now();
    const [longest] = this.#waiting; // in the order in which they began
    return Math.max(this.#mean * fading(now - this.#at), longest ? now - longest.since : 0);
  }

  /** Many that end at once must not count as one: each moves the mean by a tenth at least. */
  #add(waitedMs: number): void {
    const now = this.now();
    const weight = Math.max(0.1, 1 - fading(now - this.#at));
    this.#mean += (waitedMs - this.#mean) * weight;
    this.#at = now;
  }
}

function fading(ms: number): number {
  return 0.5 ** (ms / WAIT_HALF_LIFE_MS);
}
