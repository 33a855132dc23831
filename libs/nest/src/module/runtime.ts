import type { Commands } from 'factline/commands';
import { type Logger, backoffMs, messageOf, pause } from 'factline/kernel';
import type { TopicSpec } from 'factline/log';
import { type Pressure, type RelayStatus, watermarkTopic } from 'factline/outbox';
import { sweepIdempotency } from '../http/idempotency.js';
import { IDEMPOTENCY_SWEEP_INTERVAL_MS, TOPICS_HEAD_START_MS, TOPICS_RETRY_MAX_MS } from '../limits.js';
import type { Caches } from '../caches/caches.js';
import type { Core } from './core.js';
import type { ReactionSubscriptions } from '../reactions/subscriptions.js';
import type { ReadModels } from './read-models.js';

export interface RuntimeStatus {
  app: string;
  topics: { state: 'waiting' | 'ready'; names: readonly string[]; trouble?: string };
  relay: RelayStatus;
  outbox: Pressure;
  subscriptions: ReturnType<ReadModels['status']>;
  reactions: ReturnType<ReactionSubscriptions['status']>;
  caches: ReturnType<Caches['status']>;
}

/** Starts and stops the loops of an app. A broker that is down delays them, never the app: its state says so. */
export class FactlineRuntime {
  readonly #end = new AbortController();
  readonly #own: readonly TopicSpec[];
  #topics: RuntimeStatus['topics'];
  #loops: Promise<void>[] = [];
  #stopping = false;

  constructor(
    readonly core: Core,
    private readonly parts: { readonly models: ReadModels; readonly reactions: ReactionSubscriptions; readonly commands: Commands; readonly caches: Caches },
    private readonly logger: Logger,
    private readonly shutdownDeadlineMs: number,
  ) {
    const declared = (core.options.produces ?? []).map(({ topic: { name, partitions, settings } }) => ({ name, partitions, settings }));
    this.#own = [...new Map([...declared, watermarkTopic].map((spec) => [spec.name, spec])).values()];
    this.#topics = { state: 'waiting', names: this.#own.map(({ name }) => name) };
  }

  get status(): RuntimeStatus {
    const { options, relay, outbox } = this.core;
    return { app: options.app, topics: this.#topics, relay: relay.status(), outbox: outbox.pressure(), subscriptions: this.parts.models.status(), reactions: this.parts.reactions.status(), caches: this.parts.caches.status() };
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  async onApplicationBootstrap(): Promise<void> {
    const { outbox, relay, lifecycle, options } = this.core;
    await this.parts.models.prepare();
    await this.parts.reactions.prepare();
    for (const queue of this.parts.reactions.queues) this.parts.commands.guard(queue);
    if (options.produces?.length) outbox.start();
    if (this.parts.reactions.queues.length > 0 || options.produces?.some(({ topic }) => topic.kind === 'commands')) this.parts.commands.start();
    lifecycle.add('outbox gauge', () => outbox.stop());
    lifecycle.add('relay', () => relay.stop());
    lifecycle.add('subscriptions', () => this.parts.models.stop());
    lifecycle.add('reactions', () => this.parts.reactions.stop());
    lifecycle.add('commands', () => this.parts.commands.stop());
    lifecycle.add('caches', () => this.parts.caches.stop());
    lifecycle.add('background work', async () => {
      this.#end.abort();
      await Promise.all(this.#loops);
    });
    const topics = this.#createTopics();
    this.#loops = [this.#sweep(), this.#startLoops(topics)]; // an attempt to create topics ends by itself when the log closes, which is later
  }

  beforeApplicationShutdown(): void {
    this.#stopping = true;
  }

  /** After the HTTP server answered its last request. Nest logs what this throws and goes on; `stopped` tells it. */
  async onApplicationShutdown(): Promise<void> {
    await this.stopped();
  }

  /** @throws FactlineError `lifecycle.deadline` naming what did not stop. */
  stopped(): Promise<void> {
    return this.core.lifecycle.stop(this.shutdownDeadlineMs);
  }

  async #startLoops(topics: Promise<void>): Promise<void> {
    await Promise.race([topics, pause(TOPICS_HEAD_START_MS, this.#end.signal)]);
    if (this.#end.signal.aborted) return;
    this.core.relay.start();
    this.parts.models.start();
    this.parts.reactions.start();
    this.parts.caches.start();
  }

  /** Own topics are created; those of others are only looked at. */
  async #createTopics(): Promise<void> {
    const { log } = this.core;
    for (let attempt = 1; !this.#end.signal.aborted; attempt++) {
      try {
        await log.createTopics(this.#own);
        this.#topics = { state: 'ready', names: this.#topics.names };
        const states = this.parts.models.topics.length > 0 ? await log.describe(this.parts.models.topics) : [];
        this.parts.models.learnPartitions(new Map(states.map(({ name, partitions }) => [name, partitions.length])));
        return;
      } catch (error) {
        if (this.#end.signal.aborted) return;
        this.#topics = { ...this.#topics, trouble: messageOf(error) };
        this.logger.warn({ attempt, error: messageOf(error) }, 'topics are not ready; trying again');
        await pause(backoffMs(attempt, { maxDelay: TOPICS_RETRY_MAX_MS }), this.#end.signal);
      }
    }
  }

  async #sweep(): Promise<void> {
    while (!this.#end.signal.aborted) {
      try {
        await sweepIdempotency(this.core.store);
      } catch (error) {
        this.logger.warn({ error: messageOf(error) }, 'expired idempotency keys were not removed');
      }
      await pause(IDEMPOTENCY_SWEEP_INTERVAL_MS, this.#end.signal);
    }
  }
}
