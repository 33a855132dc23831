import { LRUCache } from 'lru-cache';
import { backoffMs, detached } from 'factline/kernel';
import type { Cached } from './answer.js';
import type { Counts } from './counts.js';
import { crowded, loadTimeout } from './errors.js';
import { Flight } from './flight.js';
import { FAILED_DELAY_MAX_MS, FAILED_DELAY_MS, FAILED_KEYS } from './limits.js';
import type { Settings } from './options.js';
import { Turns } from './turns.js';

/** Reads the keys of all flights. What it answers keeps the values, and is called only when they came in time. */
export type Read<Value> = (flights: readonly Flight<Value>[], signal: AbortSignal) => Promise<(flight: Flight<Value>) => Cached<Value>>;

export interface LoadsOptions<Value> {
  readonly name: string;
  readonly settings: Settings;
  readonly counts: Counts;
  readonly read: Read<Value>;
  /** What is answered instead of a failure, if anything is. */
  instead(key: string): Cached<Value> | undefined;
}

interface Failure {
  attempts: number;
  /** Monotonic: until then the failure is the answer. */
  until: number;
  error: unknown;
}

/** The loads of one cache: one at a time a key, so many at once, each with a deadline, and a pause after a failure. */
export class Loads<Value> {
  readonly #flights = new Map<string, Flight<Value>>();
  readonly #failed = new LRUCache<string, Failure>({ max: FAILED_KEYS });
  readonly #turns: Turns;
  // Made here, so that no load belongs to the request that happened to come first.
  readonly #outside = detached((work: () => Promise<void>) => work());

  constructor(private readonly options: LoadsOptions<Value>) {
    this.#turns = new Turns(options.settings.concurrentLoads, () => crowded(options.name));
  }

  get underWay(): Iterable<Flight<Value>> {
    return this.#flights.values();
  }

  get running(): number {
    return this.#turns.running;
  }

  of(key: string): Flight<Value> | undefined {
    return this.#flights.get(key);
  }

  /** The answer of the load that is under way and not overtaken, or of a new one. At most one runs and one follows it, however many callers and invalidations there are. */
  join(key: string): Promise<Cached<Value>> {
    const flight = this.#flights.get(key);
    if (!flight) return this.#heldBack(key) ?? this.#begin(key).answer;
    this.options.counts.coalesced++;
    if (!flight.overtaken) return flight.answer;
    flight.next ??= flight.answer.then(
      () => this.join(key),
      () => this.join(key),
    );
    return flight.next;
  }

  /** Loads in the background; not when callers wait for their turn, and not when it failed a moment ago. @returns whether it began. */
  refresh(key: string): boolean {
    if (this.#turns.waiting > 0 || this.#flights.has(key) || this.#pausing(key)) return false;
    this.#begin(key);
    return true;
  }

  /** One load for many keys; callers of any of them share it. Keys that are being loaded are left out. */
  async many(keys: readonly string[], read: Read<Value>): Promise<void> {
    const flights = keys.filter((key) => !this.#flights.has(key)).map((key) => this.#flight(key));
    if (flights.length > 0) await this.#outside(() => this.#fly(flights, read));
    await Promise.all(flights.map(({ answer }) => answer));
  }

  forgive(key: string): void {
    this.#failed.delete(key);
  }

  #begin(key: string): Flight<Value> {
    const flight = this.#flight(key);
    this.#outside(() => this.#fly([flight], this.options.read)).catch(() => undefined); // it never rejects: the flights do
    return flight;
  }

  #flight(key: string): Flight<Value> {
    const flight = new Flight<Value>(key);
    this.#flights.set(key, flight);
    return flight;
  }

  async #fly(flights: readonly Flight<Value>[], read: Read<Value>): Promise<void> {
    const { name, settings, counts } = this.options;
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(loadTimeout(name, settings.loadTimeoutMs)), settings.loadTimeoutMs);
    try {
      await this.#turns.begin(deadline.signal);
      counts.loads += flights.length;
      const work = read(flights, deadline.signal).finally(() => this.#turns.done());
      const keep = await Promise.race([work, aborted(deadline.signal)]);
      for (const flight of flights) {
        this.#failed.delete(flight.key);
        this.#flights.delete(flight.key); // before anybody is answered: who asks again must not wait for this one
        flight.resolve(keep(flight));
      }
    } catch (error) {
      for (const flight of flights) this.#fail(flight, error);
    } finally {
      clearTimeout(timer);
    }
  }

  #fail(flight: Flight<Value>, error: unknown): void {
    const { counts, settings, instead } = this.options;
    const { key } = flight;
    counts.failures++;
    const attempts = (this.#failed.get(key)?.attempts ?? 0) + 1;
    const pauseMs = backoffMs(attempts, { delay: FAILED_DELAY_MS, maxDelay: FAILED_DELAY_MAX_MS }, settings.random);
    this.#failed.set(key, { attempts, until: settings.clock.monotonic() + pauseMs, error });
    this.#flights.delete(key);
    const answer = instead(key);
    if (answer) flight.resolve(answer);
    else flight.reject(error);
  }

  #pausing(key: string): Failure | undefined {
    const failure = this.#failed.get(key);
    return failure && this.options.settings.clock.monotonic() < failure.until ? failure : undefined;
  }

  /** The failure of a moment ago: who needs the key asks again and again, and what is down is not helped by that. */
  #heldBack(key: string): Promise<Cached<Value>> | undefined {
    const failure = this.#pausing(key);
    if (!failure) return undefined;
    const answer = this.options.instead(key);
    return answer ? Promise.resolve(answer) : Promise.reject(failure.error as Error);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    else signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
