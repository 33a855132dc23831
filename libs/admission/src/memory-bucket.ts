import type { Taken } from './account.js';
import type { Allowance } from './rate.js';

/** A token bucket of one process alone: what is left of a client's rate while the database does not answer. */
export class MemoryBucket {
  #tokens: number;
  #at: number;

  constructor(
    private readonly allowance: Allowance,
    now: number,
  ) {
    this.#tokens = allowance.burst;
    this.#at = now;
  }

  take(tokens: number, now: number): Taken {
    this.#tokens = Math.min(this.allowance.burst, this.#tokens + (now - this.#at) * this.allowance.perMs);
    this.#at = now;
    const granted = this.#tokens >= tokens;
    if (granted) this.#tokens -= tokens;
    const left = { remaining: Math.floor(this.#tokens), fullAfterMs: Math.ceil((this.allowance.burst - this.#tokens) / this.allowance.perMs) };
    return granted ? { granted, ...left } : { granted, ...left, retryAfterMs: Math.max(1, Math.ceil((tokens - this.#tokens) / this.allowance.perMs)) };
  }
}
