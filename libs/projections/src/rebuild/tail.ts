import type { Checkpoint, Work } from 'factline/consumer';
import { FactlineError, Signal, messageOf } from 'factline/kernel';
import type { FactLog, LogRecord } from 'factline/log';
import { TAIL_ARRIVAL_MS } from '../limits.js';
import type { Vector } from './catch-up.js';

interface Arrived {
  records: LogRecord[];
  nextOffset: number;
}

/**
 * The end of a topic, as it grows, in memory: what a swap has to apply at its last moment is then already here, and not a request away.
 * For seconds, not for hours: whatever is not taken stays in memory.
 */
export class Tail {
  readonly #partitions = new Map<number, Arrived>();
  readonly #arrived = new Signal();
  readonly #abort = new AbortController();
  readonly #following: Promise<unknown>;
  #failure: Error | undefined;

  constructor(log: FactLog, topic: string, from: Vector) {
    const followers = [...from].map(([partition, offset]) => {
      const arrived: Arrived = { records: [], nextOffset: offset };
      this.#partitions.set(partition, arrived);
      return log.follow({
        topic,
        partition,
        from: { offset },
        batch: ({ records, nextOffset }) => {
          for (const record of records) arrived.records.push(record);
          arrived.nextOffset = nextOffset;
          this.#arrived.notify();
        },
        disturbed: (error) => {
          this.#failure = error;
        },
        abort: this.#abort.signal,
      });
    });
    this.#following = Promise.all(followers);
    this.#following.catch((error: Error) => {
      this.#failure = error;
    });
  }

  /** How far each partition has arrived. */
  get vector(): Vector {
    return new Map([...this.#partitions].map(([partition, { nextOffset }]) => [partition, nextOffset]));
  }

  /** Waits until everything below `to` is here. @throws FactlineError `rebuild.tail` (unavailable) */
  async arrive(to: Vector, timeoutMs: number = TAIL_ARRIVAL_MS): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while ([...to].some(([partition, offset]) => this.#partitions.get(partition)!.nextOffset < offset)) {
      const left = deadline - performance.now();
      if (left <= 0) {
        throw new FactlineError({
          code: 'rebuild.tail',
          kind: 'unavailable',
          message: `The end of the log did not arrive within ${timeoutMs} ms${this.#failure ? `: ${messageOf(this.#failure)}` : ''}.`,
          advice: 'Nothing was changed. Try again when Kafka answers.',
        });
      }
      await this.#arrived.wait(left);
    }
  }

  /** Removes and answers what is next for a checkpoint, up to `to`; undefined when that is nothing. */
  take({ partition, nextOffset }: Checkpoint, to: number): Work | undefined {
    const arrived = this.#partitions.get(partition)!;
    const end = Math.min(to, arrived.nextOffset);
    if (end <= nextOffset) return undefined;
    const cut = arrived.records.findIndex(({ offset }) => offset >= end);
    const records = arrived.records.splice(0, cut < 0 ? arrived.records.length : cut);
    return { records: records.filter(({ offset }) => offset >= nextOffset), nextOffset: end };
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#following;
  }
}
