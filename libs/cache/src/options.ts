import { type Clock, type Duration, type Logger, milliseconds, silentLogger, systemClock } from 'factline/kernel';
import { optionsWrong } from './errors.js';
import { CONCURRENT_LOADS, ENTRIES, JITTER, LOAD_TIMEOUT_MS, NEGATIVE_TTL_MS, STALE_AFTER_MIN_MS, TTL_MS } from './limits.js';
import type { CacheSource } from './source.js';

/**
 * What is answered when nothing is known to be newer than the bound. `serve-with-age`: what is there, marked stale, with its as-of time, and looked for anew in the background;
 * also what has expired, when it cannot be loaded. `bypass`: the source is asked each time. `fail`: `cache.stale`, kind unavailable.
 */
export type WhenStale = 'serve-with-age' | 'bypass' | 'fail';

export interface LoadContext {
  /** Aborts at the load's deadline. A load that goes on all the same keeps its turn until it ends, and what it finds is dropped. */
  readonly signal: AbortSignal;
}

export interface CacheOptions<Value extends {}> {
  /** For metrics, logs and errors. */
  name: string;
  /** Reads one key; undefined: there is none. Called once for any number of callers, outside of their async contexts. */
  load(key: string, context: LoadContext): Promise<Value | undefined>;
  /** Reads many keys for a warm-up; leaves out those of which there is none. */
  loadMany?(keys: readonly string[], context: LoadContext): Promise<ReadonlyMap<string, Value>>;
  /** How up to date the place is that `load` reads. Left out: it is the truth itself, and holds whatever the log holds. */
  source?: CacheSource;
  /** The key of the facts that a cached key depends on, default the same; undefined: it depends on facts of any key. Its partition decides when the cached key is stale. */
  keyOf?(key: string): string | undefined;
  ttl?: Duration;
  /** How long "there is none" is kept. */
  negativeTtl?: Duration;
  /** 0 to 1: which part of the TTL is random. */
  jitter?: number;
  maxEntries?: number;
  concurrentLoads?: number;
  loadTimeout?: Duration;
  /** The bound: how old an answer may be without being marked stale. Default 15 s for a cache that facts evict, else none. */
  staleAfter?: Duration;
  whenStale?: WhenStale;
  logger?: Logger;
  clock?: Clock;
  /** 0 to below 1; for specs. */
  random?: () => number;
}

export interface Settings {
  readonly ttlMs: number;
  readonly negativeTtlMs: number;
  readonly jitter: number;
  readonly maxEntries: number;
  readonly concurrentLoads: number;
  readonly loadTimeoutMs: number;
  /** Undefined: as the facts decide. */
  readonly staleAfterMs: number | undefined;
  readonly whenStale: WhenStale;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: () => number;
}

/** @throws FactlineError `cache.options`, `duration.invalid` (configuration) */
export function settingsOf<Value extends {}>(options: CacheOptions<Value>): Settings {
  const settings: Settings = {
    ttlMs: milliseconds(options.ttl ?? TTL_MS),
    negativeTtlMs: milliseconds(options.negativeTtl ?? NEGATIVE_TTL_MS),
    jitter: options.jitter ?? JITTER,
    maxEntries: options.maxEntries ?? ENTRIES,
    concurrentLoads: options.concurrentLoads ?? CONCURRENT_LOADS,
    loadTimeoutMs: milliseconds(options.loadTimeout ?? LOAD_TIMEOUT_MS),
    staleAfterMs: options.staleAfter === undefined ? undefined : milliseconds(options.staleAfter),
    whenStale: options.whenStale ?? 'serve-with-age',
    logger: options.logger ?? silentLogger,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  };
  const faults = faultsOf(settings);
  if (faults.length > 0) throw optionsWrong(options.name, faults);
  return settings;
}

function faultsOf({ jitter, maxEntries, concurrentLoads, staleAfterMs, whenStale }: Settings): string[] {
  const count = (value: number) => Number.isSafeInteger(value) && value > 0;
  return [
    ...(jitter >= 0 && jitter <= 1 ? [] : ['jitter must be between 0 and 1']),
    ...(count(maxEntries) ? [] : ['maxEntries must be a whole number from 1']),
    ...(count(concurrentLoads) ? [] : ['concurrentLoads must be a whole number from 1']),
    ...(staleAfterMs === undefined || staleAfterMs >= STALE_AFTER_MIN_MS ? [] : [`staleAfter must be at least ${STALE_AFTER_MIN_MS} ms: in silence a watermark comes every 5 s`]),
    ...(['serve-with-age', 'bypass', 'fail'].includes(whenStale) ? [] : ["whenStale must be 'serve-with-age', 'bypass' or 'fail'"]),
  ];
}

