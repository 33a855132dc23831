import { FactSubscription, Freshness, type SubscriptionStatus, followWatermarks } from 'factline/consumer';
import { FactDecoder } from 'factline/contracts';
import { FactlineError, type Logger } from 'factline/kernel';
import { DeadLetters, LiveProjection, type Projection, ReadModel } from 'factline/projections';
import { READS_WAITING, RETRY_AFTER_MS } from '../limits.js';
import type { Core } from './core.js';

interface Running {
  projection: Projection;
  live: LiveProjection;
  subscription: FactSubscription;
  freshness: Freshness;
  model: ReadModel;
}

/** The read models of this process and what feeds them. */
export class ReadModels {
  readonly #running = new Map<string, Running>();
  readonly #following = new AbortController();
  #partitions = new Map<string, number>();
  #followers: Promise<void>[] = [];
  #waiting = 0;

  constructor(
    private readonly core: Core,
    private readonly logger: Logger,
  ) {}

  add(projection: Projection): ReadModel {
    const { name } = projection;
    if (this.#running.has(name)) {
      throw new FactlineError({
        code: 'nest.projection-twice',
        kind: 'configuration',
        message: `The projection '${name}' is provided twice.`,
        advice: 'Call provideProjection for it in one module, and export the provider from there.',
      });
    }
    const { core, logger } = this;
    const live = new LiveProjection(projection, core.store, new FactDecoder(projection.facts, core.schemas, core.options.app), core.options.app, logger);
    // One each: it is keyed by partition, and two read models stand at different positions of the same partition.
    const freshness = new Freshness();
    const group = `${core.options.app}.${name}`;
    const subscription = new FactSubscription({ name, group, topics: projection.topics, log: core.log, target: live, freshness, tracing: core.tracing, logger });
    const model = new ReadModel(projection, core.store, undefined, { live, subscription, partitions: (topic) => this.#partitions.get(topic) });
    this.#running.set(name, { projection, live, subscription, freshness, model });
    return model;
  }

  /** @throws FactlineError `nest.projection-unknown` (configuration) */
  get(name: string): ReadModel {
    const found = this.#running.get(name);
    if (found) return found.model;
    throw new FactlineError({
      code: 'nest.projection-unknown',
      kind: 'configuration',
      message: `No projection '${name}' is provided in this app.`,
      advice: `Add provideProjection(...) to a module's providers. Known: ${[...this.#running.keys()].join(', ') || 'none'}.`,
    });
  }

  get topics(): string[] {
    return [...new Set([...this.#running.values()].flatMap(({ projection }) => projection.topics))];
  }

  /** Partition counts never change, so they are learned once; before that a waiting read asks the database alone. */
  learnPartitions(counts: ReadonlyMap<string, number>): void {
    this.#partitions = new Map(counts);
  }

  /** Makes the tables, so that reads are answered before the first fact and without the log. */
  async prepare(): Promise<void> {
    for (const { live } of this.#running.values()) await live.prepare();
  }

  start(): void {
    for (const { subscription, freshness } of this.#running.values()) {
      subscription.start();
      this.#followers.push(followWatermarks(this.core.log, freshness, this.#following.signal, this.logger));
    }
  }

  async stop(): Promise<void> {
    this.#following.abort();
    await Promise.all([...[...this.#running.values()].map(({ subscription }) => subscription.stop()), ...this.#followers]);
  }

  /** What the reader may rely on: the time written beside the tables, which outlives outages and restarts; null while it is unknown. */
  async asOf(name: string): Promise<Date | null> {
    return this.get(name).asOf();
  }

  freshness(name: string): ReturnType<ReadModel['freshness']> {
    return this.get(name).freshness();
  }

  /**
   * Read-your-writes for callers of this process, a bounded number at a time.
   * @throws FactlineError `read.not-yet`, `read.crowded` (both unavailable, with retryAfterMs)
   */
  async waitFor(name: string, token: Parameters<ReadModel['waitFor']>[0], timeoutMs: number): Promise<void> {
    const model = this.get(name);
    if (this.#waiting >= READS_WAITING) {
      throw new FactlineError({
        code: 'read.crowded',
        kind: 'unavailable',
        message: `${READS_WAITING} reads are waiting for their writes already.`,
        advice: 'Ask again with the same token, or without it to take what is there.',
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
    this.#waiting++;
    try {
      await model.waitFor(token, timeoutMs);
    } finally {
      this.#waiting--;
    }
  }

  letters(name: string): DeadLetters | undefined {
    const running = this.#running.get(name);
    const { store, schemas, log, options } = this.core;
    return running && new DeadLetters(running.projection, store, new FactDecoder(running.projection.facts, schemas, options.app), log);
  }

  status(): (SubscriptionStatus & { duplicates: number; version: number })[] {
    return [...this.#running.values()].map(({ subscription, live, projection }) => ({
      ...subscription.status,
      duplicates: live.engine.duplicates,
      version: projection.version,
    }));
  }
}
