import { setImmediate as turn } from 'node:timers/promises';
import { type Clock, Signal, messageOf } from 'factline/kernel';
import { closed, outOfRange, topicRecreated } from '../failures.js';
import { FETCH_WAIT_MS } from '../limits.js';
import type { FactLog, FollowOptions, OutgoingRecord, Publisher, ReadOptions, SubscribeOptions, Subscription, TopicSpec, TopicState } from '../log.js';
import { MemoryBroker } from './memory-broker.js';
import { MemorySubscription } from './memory-subscription.js';

export type { MemoryBroker } from './memory-broker.js';

/** A broker that several memory logs share, with switches for faults. */
export function memoryBroker(options: { clock?: Clock } = {}): MemoryBroker {
  return new MemoryBroker(options.clock);
}

/**
 * The log in this process, for tests and samples: the same port and the same promises as `kafkaLog` (one suite runs against both), nothing on disk.
 * Without a broker it has one of its own.
 */
export function memoryLog(options: { broker?: MemoryBroker } = {}): FactLog {
  return new MemoryLog(options.broker ?? new MemoryBroker());
}

class MemoryLog implements FactLog {
  readonly #end = new AbortController();
  readonly #subscriptions = new Set<MemorySubscription>();

  constructor(private readonly broker: MemoryBroker) {}

  async createTopics(specs: readonly TopicSpec[]): Promise<void> {
    this.#open().create(specs);
  }

  async deleteTopics(names: readonly string[]): Promise<void> {
    this.#open().delete(names);
  }

  async describe(topics: readonly string[]): Promise<TopicState[]> {
    return this.#open().describe(topics);
  }

  async offsetsAt(topic: string, timeMs: number): Promise<number[]> {
    return this.#open().topic(topic).partitions.map(({ records, end }) => records.find(({ timestamp }) => timestamp >= timeMs)?.offset ?? end);
  }

  async publisher(): Promise<Publisher> {
    return new MemoryPublisher(this.#open(), this.#end.signal);
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    const subscription = new MemorySubscription(this.#open(), options, () => this.#subscriptions.delete(subscription));
    this.#subscriptions.add(subscription);
    subscription.start();
    return subscription;
  }

  async read({ topic, topicId, ranges, batch, abort }: ReadOptions): Promise<void> {
    const broker = this.#open();
    const expected = topicId ?? broker.topic(topic).id;
    requireIncarnation(broker, topic, expected);
    for (const { partition, from, to } of ranges) {
      const kept = broker.partition(topic, partition);
      if (from < kept.start || from > to) throw outOfRange(topic, partition, from, kept);
      if (to > kept.end) throw outOfRange(topic, partition, to, kept);
    }
    for (const { partition, from, to } of ranges) {
      for (let position = from; position < to; ) {
        abort?.throwIfAborted();
        this.#end.signal.throwIfAborted();
        requireIncarnation(broker, topic, expected);
        const kept = broker.partition(topic, partition);
        const next = broker.next(topic, partition, position, to);
        if (position < kept.start || !next) throw outOfRange(topic, partition, position, kept);
        await batch(next);
        position = next.nextOffset;
        await turn();
      }
    }
    abort?.throwIfAborted();
  }

  async follow({ topic, partition, from, batch, disturbed, abort }: FollowOptions): Promise<void> {
    const broker = this.#open();
    const over = AbortSignal.any([abort, this.#end.signal]);
    const changed = new Signal();
    const unwatch = broker.watch(() => changed.notify());
    let position = 'offset' in from ? from.offset : undefined;
    let topicId = 'offset' in from ? from.topicId : undefined;
    try {
      while (!over.aborted) {
        try {
          const kept = broker.kept(topic, partition);
          topicId ??= kept.topicId;
          position ??= Math.max(kept.start, kept.end - ('beforeEnd' in from ? from.beforeEnd : 0));
          if (!broker.has({ topic, partition, offset: position, topicId })) {
            disturbed(outOfRange(topic, partition, position, kept));
            position = position < kept.start ? kept.start : kept.end;
            topicId = kept.topicId;
          }
          const next = broker.next(topic, partition, position, Infinity);
          if (next) {
            await batch(next);
            position = next.nextOffset;
            await turn();
          } else await changed.wait(FETCH_WAIT_MS, over);
        } catch (error) {
          disturbed(error instanceof Error ? error : new Error(messageOf(error)));
          await changed.wait(FETCH_WAIT_MS, over);
        }
      }
    } finally {
      unwatch();
    }
  }

  async close(): Promise<void> {
    this.#end.abort(closed('log'));
    await Promise.all([...this.#subscriptions].map((each) => each.stop()));
  }

  #open(): MemoryBroker {
    if (this.#end.signal.aborted) throw closed('log');
    return this.broker;
  }
}

function requireIncarnation(broker: MemoryBroker, topic: string, expected: string): void {
  const { id } = broker.topic(topic);
  if (id !== expected) throw topicRecreated(topic, expected, id);
}

class MemoryPublisher implements Publisher {
  #closed = false;

  constructor(
    private readonly broker: MemoryBroker,
    private readonly end: AbortSignal,
  ) {}

  /** Answers in a later turn of the event loop, as a network would: nobody may rely on more. */
  async send(topic: string, partition: number, records: readonly OutgoingRecord[]): Promise<{ baseOffset: number }> {
    if (this.#closed || this.end.aborted) throw closed('publisher');
    await turn();
    return { baseOffset: this.broker.append(topic, partition, records) };
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}
