import { WATERMARK_TOPIC, factIdOf } from 'factline/contracts';
import { type Clock, FactlineError, newId } from 'factline/kernel';
import { type FactLog, type MemoryBroker, type RecordBatch, type Subscription, type SubscriptionEvents, type TopicState, memoryBroker, memoryLog } from 'factline/log';
import { until } from 'factline/testing';
import { type Checkpoint, FactSubscription, type FactSubscriptionOptions, Freshness, type ProgressEntry, type SubscriptionTarget, type Trouble, type Work } from './index.js';
import { laneName } from './checkpoint.js';

export const TOPIC = 'accounts';

/** The smallest value that is a fact: wire format with an id and sequence 1. */
export function factValue(bytes = 22): Buffer {
  const value = Buffer.alloc(Math.max(22, bytes));
  newId().copy(value, 5);
  value[21] = 2;
  return value;
}

/** A target in memory that keeps the rules of a real one: effect and checkpoint together, and only for the owner. */
export class MemoryTarget implements SubscriptionTarget {
  live = 1;
  claims = 0;
  readonly checkpoints = new Map<string, Checkpoint>();
  /** Offsets in effect, by partition, in the order in which they came. */
  readonly effects = new Map<number, number[]>();
  readonly asOf: { partition: number; generation: number; asOfMs: number | null; moved: boolean }[] = [];
  readonly transactions: number[] = [];
  /** Runs inside each apply, before the compare-and-set: throw to fail, wait to be slow. */
  before: (checkpoint: Checkpoint, work: Work) => unknown = () => undefined;
  /** Runs inside each claim. */
  onClaim: () => unknown = () => undefined;
  applying = 0;
  blockedKeys = 0;
  pause: Trouble | undefined;

  async generation(): Promise<number> {
    return this.live;
  }

  async claim(topics: readonly TopicState[], partitions: readonly { topic: string; partition: number }[]): Promise<Checkpoint[]> {
    this.claims++;
    await this.onClaim();
    return partitions.map(({ topic, partition }) => {
      const known = this.checkpoints.get(laneName({ topic, partition }));
      const topicId = topics.find(({ name }) => name === topic)!.id;
      const checkpoint = known ?? { topic, partition, topicId, nextOffset: 0, lastOffset: null, lastFactId: null, generation: this.live, epoch: 0 };
      return this.put({ ...checkpoint, epoch: checkpoint.epoch + 1 });
    });
  }

  async apply(checkpoint: Checkpoint, work: Work): Promise<Checkpoint | 'fenced'> {
    this.applying++;
    try {
      await this.before(checkpoint, work);
      const now = this.checkpoints.get(laneName(checkpoint))!;
      if (now.nextOffset !== checkpoint.nextOffset || now.generation !== checkpoint.generation || now.epoch !== checkpoint.epoch) return 'fenced';
      const offsets = this.effects.get(checkpoint.partition) ?? [];
      this.effects.set(checkpoint.partition, offsets);
      offsets.push(...work.records.map(({ offset }) => offset));
      this.transactions.push(work.records.length);
      const last = work.records.at(-1)!;
      return this.put({ ...checkpoint, nextOffset: work.nextOffset, lastOffset: last.offset, lastFactId: Buffer.from(factIdOf(last.value)) });
    } finally {
      this.applying--;
    }
  }

  async blocked(): Promise<{ keys: number; advice: string }> {
    return { keys: this.blockedKeys, advice: 'look at them' };
  }

  async paused(): Promise<Trouble | undefined> {
    return this.pause;
  }

  async recordAsOf(entries: readonly ProgressEntry[]): Promise<void> {
    for (const { checkpoint, asOfMs, moved } of entries) this.asOf.push({ partition: checkpoint.partition, generation: checkpoint.generation, asOfMs, moved });
  }

  /** What a swap does: another generation is live, at or beyond where the old one was. */
  swap(nextOffset: (at: number) => number = (at) => at): void {
    this.live++;
    for (const each of this.checkpoints.values()) this.put({ ...each, nextOffset: nextOffset(each.nextOffset), generation: this.live, epoch: each.epoch + 1 });
  }

  put(checkpoint: Checkpoint): Checkpoint {
    this.checkpoints.set(laneName(checkpoint), checkpoint);
    return checkpoint;
  }
}

/** A clock that stands until it is told. */
export class TestClock implements Clock {
  ms = 1_000_000;
  now = () => this.ms;
  monotonic = () => this.ms;
}

/** Records of the topic of watermarks. */
export const watermarks = (...values: unknown[]): RecordBatch => ({
  topic: WATERMARK_TOPIC,
  partition: 0,
  records: values.map((value, offset) => ({ offset, key: Buffer.from('k'), value: Buffer.isBuffer(value) || value === null ? value : Buffer.from(JSON.stringify(value)), timestamp: 0 })),
  nextOffset: values.length,
  endOffset: values.length,
});

/** What the subscription did to the log. */
export interface Watched {
  log: FactLog;
  joined: number;
  stopped: number;
  delivered: number;
  calls: string[];
  /** What the log tells the subscription; undefined before it subscribed. */
  events: SubscriptionEvents | undefined;
}

export function watched(log: FactLog, ignorePause = false): Watched {
  const seen: Watched = { log, joined: 0, stopped: 0, delivered: 0, calls: [], events: undefined };
  const subscribe: FactLog['subscribe'] = async (options) => {
    seen.joined++;
    const { events } = options;
    seen.events = events;
    const inner: Subscription = await log.subscribe({
      ...options,
      events: {
        assigned: (partitions, epoch) => events.assigned(partitions, epoch),
        revoked: (epoch) => events.revoked(epoch),
        outOfRange: (position, kept) => events.outOfRange(position, kept),
        disturbed: (error, attempt) => events.disturbed(error, attempt),
        recovered: (epoch) => events.recovered(epoch),
        batch: (batch, epoch) => {
          seen.delivered += batch.records.length;
          events.batch(batch, epoch);
        },
      },
    });
    return {
      pause: (topic, partition) => {
        seen.calls.push(`pause ${partition}`);
        if (!ignorePause) inner.pause(topic, partition);
      },
      resume: (topic, partition) => {
        seen.calls.push(`resume ${partition}`);
        inner.resume(topic, partition);
      },
      report: (positions) => inner.report(positions),
      stop: async () => {
        await inner.stop();
        seen.stopped++;
      },
    };
  };
  seen.log = { ...bound(log), subscribe };
  return seen;
}

function bound(log: FactLog): FactLog {
  return {
    createTopics: (specs) => log.createTopics(specs),
    deleteTopics: (names) => log.deleteTopics(names),
    describe: (topics) => log.describe(topics),
    offsetsAt: (topic, timeMs) => log.offsetsAt(topic, timeMs),
    publisher: () => log.publisher(),
    subscribe: (options) => log.subscribe(options),
    read: (options) => log.read(options),
    follow: (options) => log.follow(options),
    close: () => log.close(),
  };
}

export interface Scene {
  broker: MemoryBroker;
  log: FactLog;
  target: MemoryTarget;
  freshness: Freshness;
  clock: TestClock;
  publish(partition: number, count: number, bytes?: number): Promise<void>;
  subscribe(options?: Partial<FactSubscriptionOptions>): FactSubscription;
  /** All published facts are in effect, each once and in order. */
  settled(subscription: FactSubscription): Promise<void>;
  close(): Promise<void>;
}

export async function scene(partitions = 2): Promise<Scene> {
  const broker = memoryBroker();
  const log = memoryLog({ broker });
  await log.createTopics([{ name: TOPIC, partitions }]);
  const publisher = await log.publisher();
  const target = new MemoryTarget();
  const freshness = new Freshness();
  const clock = new TestClock();
  const started: FactSubscription[] = [];
  return {
    broker,
    log,
    target,
    freshness,
    clock,
    publish: async (partition, count, bytes) => {
      await publisher.send(TOPIC, partition, Array.from({ length: count }, () => ({ key: Buffer.from('k'), value: factValue(bytes) })));
    },
    subscribe: (options = {}) => {
      const subscription = new FactSubscription({ name: 'accounts', group: 'g', topics: [TOPIC], log, target, freshness, clock, ...options });
      started.push(subscription);
      subscription.start();
      return subscription;
    },
    settled: async (subscription) => {
      const ends = async () => (await log.describe([TOPIC]))[0]!.partitions;
      await until('everything is in effect', async () => {
        const at = subscription.status;
        return at.state === 'LIVE' && (await ends()).every(({ end }, partition) => at.partitions.some((each) => each.partition === partition && each.nextOffset === end));
      }, 5_000).catch((error: Error) => Promise.reject(new Error(`${error.message} ${JSON.stringify(subscription.status)}`)));
      for (const [partition, { end }] of (await ends()).entries()) {
        const stored = broker.partition(TOPIC, partition).records.map(({ offset }) => offset).filter((offset) => offset < end);
        expect(target.effects.get(partition) ?? []).toEqual(stored);
      }
    },
    close: async () => {
      await Promise.all(started.map((each) => each.stop()));
      await log.close();
    },
  };
}

export function unavailable(): FactlineError {
  return new FactlineError({ code: 'store.unavailable', kind: 'unavailable', message: 'The database does not answer.' });
}

export function broken(): FactlineError {
  return new FactlineError({ code: 'projection.fold-failed', kind: 'integrity', message: 'The fold failed.', advice: 'Correct the fold.' });
}
