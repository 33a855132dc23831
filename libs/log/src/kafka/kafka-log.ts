import { milliseconds } from 'factline/kernel';
import { closed } from '../failures.js';
import { REQUEST_TIMEOUT_MS } from '../limits.js';
import type { FactLog, FollowOptions, KafkaLogOptions, Publisher, ReadOptions, SubscribeOptions, Subscription, TopicSpec, TopicState } from '../log.js';
import { type BrokerFactory, brokerFactory } from './client.js';
import { followPartition, readHistory } from './history.js';
import { KafkaPublisher } from './publisher.js';
import { Session } from './session.js';
import { KafkaSubscription } from './subscription.js';
import { createTopics, deleteTopics, describeTopics, offsetsAt } from './topics.js';

/**
 * The log in Apache Kafka 3.1 or later, over kafkajs 2.2.4.
 * Connects when first used, and each publisher, subscription and reader has connections of its own. `close` ends what is still open.
 * @throws FactlineError `log.client-version` (configuration) when another kafkajs is installed.
 */
export function kafkaLog(options: KafkaLogOptions): FactLog {
  return new KafkaLog(options, brokerFactory(options));
}

class KafkaLog implements FactLog {
  readonly #requestTimeoutMs: number;
  readonly #end = new AbortController();
  readonly #open = new Set<KafkaPublisher | KafkaSubscription>();
  #administration: Session | undefined;

  constructor(
    private readonly options: KafkaLogOptions,
    private readonly make: BrokerFactory,
  ) {
    this.#requestTimeoutMs = milliseconds(options.requestTimeout ?? REQUEST_TIMEOUT_MS);
  }

  createTopics(specs: readonly TopicSpec[]): Promise<void> {
    return createTopics(this.#admin(), specs);
  }

  deleteTopics(names: readonly string[]): Promise<void> {
    return deleteTopics(this.#admin(), names);
  }

  describe(topics: readonly string[]): Promise<TopicState[]> {
    return describeTopics(this.#admin(), topics);
  }

  offsetsAt(topic: string, timeMs: number): Promise<number[]> {
    return offsetsAt(this.#admin(), topic, timeMs);
  }

  async publisher(): Promise<Publisher> {
    this.#requireOpen();
    const publisher = new KafkaPublisher(this.#session, this.#requestTimeoutMs, () => this.#open.delete(publisher));
    this.#open.add(publisher);
    return publisher;
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    this.#requireOpen();
    const subscription = new KafkaSubscription(this.#session, options, () => this.#open.delete(subscription));
    this.#open.add(subscription);
    subscription.start();
    return subscription;
  }

  read(options: ReadOptions): Promise<void> {
    this.#requireOpen();
    return readHistory(this.#session(), { ...options, abort: this.#until(options.abort) });
  }

  follow(options: FollowOptions): Promise<void> {
    this.#requireOpen();
    return followPartition(this.#session, { ...options, abort: this.#until(options.abort) });
  }

  async close(): Promise<void> {
    this.#end.abort(closed('log'));
    await Promise.all([...this.#open].map((each) => (each instanceof KafkaPublisher ? each.close() : each.stop())));
    this.#administration?.close();
  }

  #admin(): Session {
    this.#requireOpen();
    this.#administration ??= this.#session();
    return this.#administration;
  }

  #until(abort: AbortSignal | undefined): AbortSignal {
    return abort ? AbortSignal.any([abort, this.#end.signal]) : this.#end.signal;
  }

  readonly #session = (): Session => new Session(this.make, this.options.brokers);

  #requireOpen(): void {
    if (this.#end.signal.aborted) throw closed('log');
  }
}
