import { type TopicDeclaration, WATERMARK_TOPIC, type Watermark } from 'factline/contracts';
import { type Logger, messageOf } from 'factline/kernel';
import type { FactLog, Publisher, TopicSpec } from 'factline/log';
import type { Lanes } from './lanes.js';
import { WATERMARK_MAX_INTERVAL_MS, WATERMARK_MIN_INTERVAL_MS, WATERMARK_RETENTION_MS } from './limits.js';

/** Whoever creates topics creates this one too. */
export const watermarkTopic: TopicSpec = {
  name: WATERMARK_TOPIC,
  partitions: 1,
  settings: { 'cleanup.policy': 'delete', 'retention.ms': String(WATERMARK_RETENTION_MS), 'segment.ms': String(WATERMARK_RETENTION_MS / 4) },
};

export interface WatermarksOptions {
  log: FactLog;
  lanes: Lanes;
  /** The topics this app owns. */
  topics: readonly TopicDeclaration[];
  epoch: number;
  onSent(marks: Watermark[]): Promise<void>;
  logger: Logger;
}

/**
 * The heartbeat of a producer. Its as-of time is the start of the statement that took the tick's snapshot: a commit answered before that moment is in the
 * snapshot, and the tick is acknowledged when the watermark is made. A failed watermark is dropped, the next one says more.
 */
export class Watermarks {
  #sentAt = Number.NEGATIVE_INFINITY;
  #movedSince = false;
  #sending: Promise<void> = Promise.resolve();
  #busy = false;
  #publisher: Promise<Publisher> | undefined;

  constructor(private readonly options: WatermarksOptions) {}

  /** Call it after each tick; returns at once, sends one at a time. */
  afterTick(asOf: number, movedFacts: boolean, now: number): void {
    this.#movedSince ||= movedFacts;
    const interval = this.#movedSince ? WATERMARK_MIN_INTERVAL_MS : WATERMARK_MAX_INTERVAL_MS;
    if (this.#busy || now - this.#sentAt < interval || this.options.topics.length === 0) return;
    this.#sentAt = now;
    this.#movedSince = false;
    this.#busy = true;
    this.#sending = this.#send(asOf)
      .catch((error: unknown) => {
        this.options.logger.warn({ topic: watermarkTopic.name, error: messageOf(error) }, 'a watermark was not sent; readers see older as-of times until the next one');
      })
      .finally(() => {
        this.#busy = false;
      });
  }

  /** Resolves when nothing is on its way. */
  async settled(): Promise<void> {
    await this.#sending;
  }

  async close(): Promise<void> {
    await this.#sending;
    const publisher = this.#publisher;
    this.#publisher = undefined;
    await (await publisher)?.close();
  }

  async #send(asOf: number): Promise<void> {
    // Read before anything is awaited: what later ticks add lies behind it, which would still be true, but a reader would wait for more than it must.
    const known = this.options.topics.map(({ name }) => this.#mark(name, asOf));
    const unopened = this.options.topics.filter((_topic, at) => !known[at]);
    const marks = [...known, ...(await Promise.all(unopened.map(({ name }) => this.#open(name, asOf))))].filter((mark) => mark !== undefined);
    if (marks.length === 0) return;
    this.#publisher ??= this.options.log.publisher();
    const records = marks.map((mark) => ({ key: Buffer.from(mark.topic), value: Buffer.from(JSON.stringify(mark)) }));
    try {
      await (await this.#publisher).send(watermarkTopic.name, 0, records);
    } catch (error) {
      if (await this.#publisher.then(() => false, () => true)) this.#publisher = undefined;
      throw error;
    }
    await this.options.onSent(marks);
  }

  /** No fact went to this topic in this relay's life: everything earlier lies below its end as the log tells it now. */
  async #open(topic: string, asOf: number): Promise<Watermark | undefined> {
    try {
      await this.options.lanes.open(topic);
      return this.#mark(topic, asOf);
    } catch (error) {
      this.options.logger.warn({ topic, error: messageOf(error) }, 'no watermark for a topic that cannot be described');
      return undefined;
    }
  }

  #mark(topic: string, asOf: number): Watermark | undefined {
    const offsets = this.options.lanes.offsets(topic);
    return offsets && { topic, asOf, epoch: this.options.epoch, offsets };
  }
}
