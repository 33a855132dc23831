import { LRUCache } from 'lru-cache';
import type { SelectedFact } from 'factline/contracts';
import { Cached, holdOf } from './answer.js';
import { Counts } from './counts.js';
import { Entry } from './entry.js';
import { staleAnswer } from './errors.js';
import type { Flight } from './flight.js';
import { STALE_AFTER_MS, STALE_RECHECK_MS, WARM_KEYS } from './limits.js';
import { Loads, type Read } from './loads.js';
import { type CacheOptions, type Settings, settingsOf } from './options.js';
import { type Region, Regions } from './region.js';
import { Standing } from './standing.js';
import { type CacheStatus, statusOf } from './status.js';
import { type CacheFeed, type KeysOf, Tail } from './tail.js';

/**
 * What was loaded, in this process, until a fact, its TTL or the bound says otherwise.
 *
 * Promised: an answer not marked stale lacks nothing committed until its as-of time, which is at most `staleAfter` ago; an answer that lacks a fact which this process has seen is marked
 * stale. One load a key at a time, for any number of callers; a load that is overtaken by an invalidation is neither kept nor shared with who comes later; what is behind in its source is
 * not kept. Failures of loads are not kept: callers get them, and a key is tried again after 50 ms to 2 s. Emptied, it is slower, never wrong.
 * Not promised: the same value in every process; that nothing newer exists; that a rebuild of a read model which changes what rows mean is seen before the next load.
 * Limits: `maxEntries` values (the least recently used goes), `concurrentLoads` loads and 1,000 waiting, each `loadTimeout`.
 */
export class Cache<Value extends {}> {
  readonly name: string;
  readonly counts = new Counts();
  readonly #options: CacheOptions<Value>;
  readonly #settings: Settings;
  readonly #entries: LRUCache<string, Entry<Value>>;
  readonly #loads: Loads<Value>;
  readonly #topics = new Set<string>();
  readonly #regions = new Regions(this.#topics);
  readonly #facts: SelectedFact[] = [];
  readonly #keysOf = new Map<string, KeysOf>();
  /** How far back a hold may lie. */
  #boundMs: number;
  #build: number | undefined;
  #tail: Tail | undefined;

  /** @throws FactlineError `cache.options`, `duration.invalid` (configuration) */
  constructor(options: CacheOptions<Value>) {
    this.name = options.name;
    this.#options = options;
    this.#settings = settingsOf(options);
    this.#boundMs = this.#settings.staleAfterMs ?? Number.POSITIVE_INFINITY;
    const evicted = (_entry: unknown, _key: string, reason: string) => void (this.counts.evictions += reason === 'evict' ? 1 : 0);
    this.#entries = new LRUCache<string, Entry<Value>>({ max: this.#settings.maxEntries, dispose: evicted });
    this.#loads = new Loads<Value>({ name: this.name, settings: this.#settings, counts: this.counts, read: this.#readEach, instead: (key) => this.#grace(key) });
  }

  /** Which cached keys a fact changes. A fact that creates evicts the "there is none" of its key. Before `start`. */
  on<Data extends object>(fact: SelectedFact<Data>, keysOf: (fact: Parameters<KeysOf>[0] & { readonly data: Data }) => Iterable<string>): this {
    this.#facts.push(fact);
    this.#topics.add(fact.topic);
    this.#keysOf.set(fact.factName, keysOf as KeysOf);
    if (this.#settings.staleAfterMs === undefined) this.#boundMs = STALE_AFTER_MS;
    return this;
  }

  /** Follows the facts in the background; until the tail stands in the log, what is loaded holds as of its load only. */
  start(feed: CacheFeed): void {
    if (this.#facts.length === 0) return;
    const { counts, name } = this;
    const evict = (region: Region, key: string, offset: number) => this.#evict(region, key, offset);
    this.#tail = new Tail({ ...feed, name, facts: this.#facts, keysOf: this.#keysOf, regions: this.#regions, counts, clock: this.#settings.clock, evict });
    this.#tail.start();
  }

  async stop(): Promise<void> {
    await this.#tail?.stop();
  }

  /**
   * At once when it is there, so that a hit costs no promise; `await` takes both.
   * @throws FactlineError (rejects) `cache.load-timeout`, `cache.crowded`, `cache.stale` (unavailable); what `load` threw.
   */
  get(key: string): Cached<Value> | Promise<Cached<Value>> {
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      const answer = this.#fromEntry(key, entry);
      if (answer !== undefined) return answer;
    }
    return this.#miss(key);
  }

  /** What is there, however old and expired, without a load; for looking, not for answering. */
  peek(key: string): Cached<Value> | undefined {
    const entry = this.#entries.peek(key);
    const now = this.#settings.clock.monotonic();
    return entry && this.#cached(entry, entry.expired(now), now);
  }

  /** The key changed, says somebody other than a fact. Loads under way are overtaken. */
  invalidate(key: string): void {
    this.counts.invalidations++;
    this.#entries.delete(key);
    this.#loads.of(key)?.overtake();
    this.#loads.forgive(key);
  }

  /** Drops everything. */
  clear(): void {
    this.#entries.clear();
    for (const flight of this.#loads.underWay) flight.overtake();
  }

  /**
   * Loads keys that are not there, until the cache is full: 500 at a time through `loadMany`, else one by one within `concurrentLoads`.
   * @returns how many were asked for. @throws what a load threw; what was loaded before stays.
   */
  async warm(keys: Iterable<string> | AsyncIterable<string>): Promise<number> {
    let asked = 0;
    let chunk: string[] = [];
    const load = async () => {
      asked += chunk.length;
      const now = chunk;
      chunk = [];
      if (this.#options.loadMany) await this.#loads.many(now, this.#readMany);
      else await Promise.all(now.map((key) => this.#loads.join(key)));
    };
    for await (const key of keys) {
      if (this.#entries.size + chunk.length >= this.#settings.maxEntries) break;
      if (!this.#entries.has(key)) chunk.push(key);
      if (chunk.length >= WARM_KEYS) await load();
    }
    if (chunk.length > 0) await load();
    return asked;
  }

  get status(): CacheStatus {
    return statusOf(this.name, this.#entries.size, this.#loads.running, this.counts, this.#regions.all, this.#silent);
  }

  #fromEntry(key: string, entry: Entry<Value>): Cached<Value> | undefined {
    const { clock, random, whenStale } = this.#settings;
    const now = clock.monotonic();
    if (now >= entry.earlyFrom) {
      if (entry.expired(now)) return undefined;
      if (entry.early(now, random) && this.#loads.refresh(key)) this.counts.early++;
    }
    const answer = this.#cached(entry, false, now);
    if (!answer.stale) {
      this.counts.hits++;
      return answer;
    }
    if (whenStale !== 'serve-with-age') return undefined;
    this.counts.hits++;
    this.counts.staleServed++;
    if (now - entry.triedAt >= STALE_RECHECK_MS && this.#loads.refresh(key)) entry.triedAt = now;
    return answer;
  }

  #miss(key: string): Promise<Cached<Value>> {
    this.counts.misses++;
    if (this.#settings.whenStale !== 'fail') return this.#loads.join(key);
    const regions = this.#regions.of(this.#factKey(key)) ?? [];
    const silent = this.#topics.size > 0 && (regions.length === 0 || regions.some(this.#silent));
    return silent ? Promise.reject(staleAnswer(this.name, this.#oldest(regions))) : this.#loads.join(key).then((answer) => this.#unlessStale(answer));
  }

  #unlessStale(answer: Cached<Value>): Cached<Value> {
    if (answer.stale) throw staleAnswer(this.name, answer.asOfMs);
    return answer;
  }

  #oldest(regions: readonly Region[]): number | null {
    return regions.reduce<number | null>((oldest, { hold: { asOfMs } }) => (asOfMs === null || oldest === null ? null : Math.min(oldest, asOfMs)), regions[0]?.hold.asOfMs ?? null);
  }

  /** What has expired is better than nothing, and says that it is old. */
  #grace(key: string): Cached<Value> | undefined {
    const entry = this.#settings.whenStale === 'serve-with-age' ? this.#entries.peek(key) : undefined;
    if (!entry) return undefined;
    this.counts.staleServed++;
    return this.#cached(entry, true, this.#settings.clock.monotonic());
  }

  #readEach: Read<Value> = async (flights, signal) => {
    const { at, began } = await this.#stand(flights);
    const values = await Promise.all(flights.map(({ key }) => this.#options.load(key, { signal })));
    const byKey = new Map(flights.map(({ key }, index) => [key, values[index]]));
    return (flight) => this.#keep(flight, byKey.get(flight.key), at, began);
  };

  #readMany: Read<Value> = async (flights, signal) => {
    const { at, began } = await this.#stand(flights);
    const values = await this.#options.loadMany!(flights.map(({ key }) => key), { signal });
    return (flight) => this.#keep(flight, values.get(flight.key), at, began);
  };

  /** Asked before anything is read: what is read may be newer than the source says here, never older. */
  async #stand(flights: readonly Flight<Value>[]): Promise<{ at: Standing; began: number }> {
    const { clock } = this.#settings;
    const began = clock.monotonic();
    const nowMs = clock.now();
    const state = await this.#options.source?.reached();
    const at = new Standing(state, this.#regions.all, nowMs);
    if (at.build !== this.#build) {
      this.#entries.clear(); // loads of the build before are not kept either: see #keep
      this.#build = at.build;
    }
    for (const flight of flights) flight.reached = at.of;
    return { at, began };
  }

  #keep(flight: Flight<Value>, value: Value | undefined, at: Standing, began: number): Cached<Value> {
    const { clock, ttlMs, negativeTtlMs, jitter, random } = this.#settings;
    const { key } = flight;
    const factKey = this.#factKey(key);
    const regions = this.#regions.of(factKey);
    const behind = flight.overtaken || at.build !== this.#build || this.#regions.knowNewer(key, at.of);
    const vouched = !behind && regions !== undefined && regions.length > 0 && at.vouched(factKey, regions);
    const ttl = (value === undefined ? negativeTtlMs : ttlMs) * (1 - jitter * random());
    const loadedAt = clock.monotonic();
    const entry = new Entry(value, { hold: holdOf(at.asOfMs(factKey, regions), clock.now(), loadedAt), loadedAt, durationMs: loadedAt - began, regions: vouched ? regions : undefined, epoch: this.#regions.epoch, ttlMs: ttl });
    if (behind) this.counts.overtaken++;
    else this.#entries.set(key, entry);
    const answer = this.#cached(entry, behind, loadedAt);
    if (answer.stale) this.counts.staleServed++;
    return answer;
  }

  #cached(entry: Entry<Value>, stale: boolean, now: number): Cached<Value> {
    const { hold } = entry;
    return new Cached(entry.value, stale || now - hold.at > this.#boundMs, hold, now);
  }

  #silent = ({ hold }: Region): boolean => this.#settings.clock.monotonic() - hold.at > this.#boundMs;

  #factKey(key: string): string | undefined {
    return this.#options.keyOf ? this.#options.keyOf(key) : key;
  }

  #evict(region: Region, key: string, offset: number): void {
    this.counts.invalidations++;
    region.evicted(key, offset);
    this.#entries.delete(key);
    this.#loads.of(key)?.overtakenBy(region, offset);
    this.#loads.forgive(key);
  }
}
