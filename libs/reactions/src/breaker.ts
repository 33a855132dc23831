import { type Clock, type FactlineError, backoffMs } from 'factline/kernel';
import { BREAKER_FACTS, BREAKER_KEYS, PROBE_DELAY_MS, PROBE_MAX_MS } from './limits.js';

/**
 * Tells bad facts from a bad time. A few failing keys are facts; more than 10 different ones, retried now or parked within the last 10,000 facts, are the software, or
 * something it needs. Then nothing more is tried but one fact now and then, and nothing is parked: an outage never fills the dead letters.
 * (Nygard, Release It!, "Circuit Breaker"; here counted by keys, so that one key that fails often opens nothing.)
 */
export class Breaker {
  readonly #retrying = new Set<object>();
  /** At which count of finished facts keys were parked. */
  readonly #parked: number[] = [];
  #finished = 0;
  #open: { error: FactlineError; sinceMs: number; probes: number; probeAtMs: number } | undefined;

  constructor(private readonly clock: Clock) {}

  get open(): { readonly error: FactlineError; readonly sinceMs: number } | undefined {
    return this.#open;
  }

  get failingKeys(): number {
    return this.#retrying.size + this.#recent();
  }

  /** Milliseconds until one fact may be tried; 0: any number may. */
  get probeInMs(): number {
    return this.#open ? Math.max(0, this.#open.probeAtMs - this.clock.monotonic()) : 0;
  }

  /** So many facts were handled: things work. */
  succeeded(key: object, facts: number): void {
    this.#finished += facts;
    this.#retrying.delete(key);
    if (!this.#open) return;
    this.#open = undefined;
    this.#retrying.clear(); // they are tried again now; what was parked still counts, or each good fact would let ten bad ones through
  }

  /** A key is tried again later. */
  retries(key: object, error: FactlineError): void {
    this.#retrying.add(key);
    this.#judge(error);
  }

  /** @returns whether a fact that failed for good may be parked; false: the breaker is open, or this opens it. */
  mayPark(key: object, error: FactlineError): boolean {
    this.#retrying.delete(key);
    if (!this.#open && this.failingKeys < BREAKER_KEYS) {
      this.#parked.push(this.#finished);
      return true;
    }
    this.#retrying.add(key);
    this.#judge(error);
    return false;
  }

  /** What might be parked could not be: it is asked again. */
  notParked(): void {
    this.#parked.pop();
  }

  /** What is no longer ours fails no longer. */
  forget(key: object): void {
    this.#retrying.delete(key);
  }

  #judge(error: FactlineError): void {
    if (!this.#open && this.failingKeys > BREAKER_KEYS) this.#open = { error, sinceMs: this.clock.now(), probes: 0, probeAtMs: 0 };
    const open = this.#open;
    if (!open) return;
    open.error = error;
    if (this.probeInMs > 0) return; // it was under way when this opened: no probe, which would double the wait
    open.probes++;
    open.probeAtMs = this.clock.monotonic() + backoffMs(open.probes, { delay: PROBE_DELAY_MS, maxDelay: PROBE_MAX_MS, jitter: 0.2 });
  }

  #recent(): number {
    while (this.#parked.length > 0 && this.#parked[0]! <= this.#finished - BREAKER_FACTS) this.#parked.shift();
    return this.#parked.length;
  }
}
