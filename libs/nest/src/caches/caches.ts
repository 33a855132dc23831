import { Inject, type Provider } from '@nestjs/common';
import type { Cache, CacheStatus } from 'factline/cache';
import { FactlineError, type Logger } from 'factline/kernel';
import type { Core } from '../module/core.js';

/** A cache with any values. */
type AnyCache = Pick<Cache<object>, 'name' | 'start' | 'stop' | 'status'>;

/** The caches of this process. */
export class Caches {
  readonly #made = new Map<string, AnyCache>();

  constructor(
    private readonly core: Core,
    private readonly logger: Logger,
  ) {}

  /** @throws FactlineError `nest.cache-twice` (configuration) */
  add<Made extends AnyCache>(made: Made): Made {
    if (this.#made.has(made.name)) {
      throw new FactlineError({
        code: 'nest.cache-twice',
        kind: 'configuration',
        message: `Two caches are named '${made.name}'.`,
        advice: 'Call provideCache for it in one module, and export the provider from there.',
      });
    }
    this.#made.set(made.name, made);
    return made;
  }

  start(): void {
    const { log, schemas, options } = this.core;
    for (const cache of this.#made.values()) cache.start({ log, writers: schemas, app: options.app, logger: this.logger });
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#made.values()].map((cache) => cache.stop()));
  }

  status(): CacheStatus[] {
    return [...this.#made.values()].map((cache) => cache.status);
  }
}

/** The token under which a cache is injected. */
export function getCacheToken(name: string): string {
  return `factline cache ${name}`;
}

/** Injects the Cache that some module registered with `provideCache`. */
export function InjectCache(name: string): ParameterDecorator & PropertyDecorator {
  return Inject(getCacheToken(name));
}

export interface CacheChoice<Args extends unknown[]> {
  name: string;
  inject: readonly unknown[];
  useFactory: (...args: Args) => AnyCache;
}

/**
 * Registers a cache, or a factory of one with what it loads from injected: it follows its facts while the service runs, and is in /health and /metrics.
 * Use it in `providers` (and `exports`) of a module; two caches of one name are refused at start.
 */
export function provideCache<Args extends unknown[]>(given: AnyCache | CacheChoice<Args>): Provider {
  if (!('useFactory' in given)) return { provide: getCacheToken(given.name), inject: [Caches], useFactory: (all: Caches) => all.add(given) };
  return { provide: getCacheToken(given.name), inject: [Caches, ...(given.inject as [])], useFactory: (all: Caches, ...args: Args) => all.add(given.useFactory(...args)) };
}
