import { FactlineError, detached, milliseconds, pause } from 'factline/kernel';
import { FETCH_WAIT_MS, SUBSCRIBE_BYTES_PER_PARTITION } from '../limits.js';
import type { Position, SubscribeOptions, Subscription } from '../log.js';
import type { TopicPartition } from './assignment.js';
import { wrapped } from './errors.js';
import { Fetching, type Reading, reading } from './fetching.js';
import { Membership, isRejoin, membershipFailure } from './membership.js';
import { type Session, retryDelayMs } from './session.js';

/** One assignment: everything of it ends with its abort, and what it fetched cannot reach the next one. */
interface Term {
  epoch: number;
  abort: AbortController;
  readings: Reading[];
  fetching?: Fetching;
}

/**
 * A member of a group that reads its share from where the subscriber says. The supervisor never gives up: whatever fails is told, and membership is
 * built again with backoff (a kafkajs consumer that meets a non-retriable error stops for good: tulios/kafkajs#1630, #1443).
 * Each assignment fetches over connections of its own, which end with it, so a batch of an older epoch has no way to arrive.
 */
export class KafkaSubscription implements Subscription {
  readonly #stop = new AbortController();
  readonly #paused = new Set<string>();
  #epoch = 0;
  #failures = 0;
  #term: Term | undefined;
  #memberId = '';
  #membership: Membership | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly open: () => Session,
    private readonly options: SubscribeOptions,
    private readonly onStopped: () => void,
  ) {}

  start(): void {
    this.#running = detached(() => this.#supervise())();
  }

  pause(topic: string, partition: number): void {
    this.#paused.add(`${topic}/${partition}`);
    this.#hold(topic, partition, true);
  }

  resume(topic: string, partition: number): void {
    this.#paused.delete(`${topic}/${partition}`);
    this.#hold(topic, partition, false);
    this.#term?.fetching?.wake();
  }

  async report(positions: readonly Position[]): Promise<void> {
    if (positions.length === 0) return;
    try {
      await this.#membership?.commit(positions);
    } catch (error) {
      if (!this.#stop.signal.aborted && !isRejoin(error)) this.options.events.disturbed(wrapped(error, `Committing offsets of the group '${this.options.group}'`), this.#failures);
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.onStopped();
  }

  async #supervise(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#live();
      } catch (error) {
        if (this.#stop.signal.aborted) break;
        this.#failures += 1;
        this.options.events.disturbed(membershipFailure(error, this.options.group), this.#failures);
        await pause(retryDelayMs(this.#failures), this.#stop.signal);
      }
    }
  }

  /** One session with the coordinator, over as many assignments as it lasts. */
  async #live(): Promise<void> {
    const session = this.open();
    const membership = new Membership(session, this.options.group, this.options.topics, (error) => this.options.events.disturbed(error, this.#failures));
    membership.memberId = this.#memberId;
    const hangUp = () => session.close();
    this.#stop.signal.addEventListener('abort', hangUp, { once: true });
    this.#membership = membership;
    try {
      while (!this.#stop.signal.aborted) await this.#serveTerm(membership);
    } finally {
      this.#memberId = membership.memberId;
      this.#membership = undefined;
      this.#stop.signal.removeEventListener('abort', hangUp);
      session.close();
      if (this.#stop.signal.aborted) await membership.leave(this.open());
    }
  }

  async #serveTerm(membership: Membership): Promise<void> {
    let share: TopicPartition[];
    try {
      share = await membership.join();
    } catch (error) {
      if (!isRejoin(error)) throw error;
      return pause(retryDelayMs(1), this.#stop.signal);
    }
    if (this.#stop.signal.aborted) return;
    const term: Term = { epoch: ++this.#epoch, abort: new AbortController(), readings: [] };
    const end = () => term.abort.abort();
    this.#stop.signal.addEventListener('abort', end, { once: true });
    this.#term = term;
    const consuming = this.#consume(term, share);
    try {
      await membership.keep(term.abort.signal);
    } finally {
      this.#stop.signal.removeEventListener('abort', end);
      this.#term = undefined;
      term.abort.abort();
      this.options.events.revoked(term.epoch);
      await consuming;
    }
  }

  /** Asks where to read and reads, while `keep` goes on saying that we live. Never throws: the supervisor waits for the group, not for this. */
  async #consume(term: Term, share: readonly TopicPartition[]): Promise<void> {
    const over = term.abort.signal;
    for (let attempt = 1; !over.aborted; attempt++) {
      try {
        const positions = await untilAborted(this.options.events.assigned(share, term.epoch), over);
        if (positions === undefined) return;
        term.readings = share.map((owned) => this.#readingFrom(owned, positions));
        this.#failures = 0;
        break;
      } catch (error) {
        if (over.aborted) return;
        this.options.events.disturbed(wrapped(error, 'Asking the subscriber for its positions'), attempt);
        await pause(retryDelayMs(attempt), over);
      }
    }
    if (over.aborted || term.readings.length === 0) return;
    term.fetching = new Fetching(this.open(), term.readings, {
      waitMs: milliseconds(this.options.fetchWait ?? FETCH_WAIT_MS),
      bytesPerPartition: this.options.fetchBytesPerPartition ?? SUBSCRIBE_BYTES_PER_PARTITION,
      ahead: false,
      deliver: (batch) => this.options.events.batch(batch, term.epoch),
      outOfRange: ({ topic, partition, position }, kept) => void this.options.events.outOfRange({ topic, partition, offset: position }, kept),
      failed: (error, attempt) => this.options.events.disturbed(error, attempt),
      recovered: () => this.options.events.recovered(term.epoch),
    });
    await term.fetching.run(over);
  }

  #readingFrom({ topic, partition }: TopicPartition, positions: readonly Position[]): Reading {
    const position = positions.find((each) => each.topic === topic && each.partition === partition);
    if (!position) {
      throw new FactlineError({
        code: 'log.position-missing',
        kind: 'internal',
        message: `The subscriber gave no position for '${topic}' partition ${partition}.`,
        advice: 'Answer one position for each partition of the assignment; a new one starts at 0.',
      });
    }
    const made = reading(position);
    made.held = this.#paused.has(`${topic}/${partition}`);
    return made;
  }

  #hold(topic: string, partition: number, held: boolean): void {
    const found = this.#term?.readings.find((each) => each.topic === topic && each.partition === partition);
    if (found) found.held = held;
  }
}

/** The answer, or nothing when the abort comes first: a subscriber that hangs must not hold up the stop. */
async function untilAborted<T>(answer: Promise<T>, abort: AbortSignal): Promise<T | undefined> {
  const end = new AbortController();
  const aborted = pause(2 ** 31 - 1, AbortSignal.any([abort, end.signal])).then(() => undefined);
  try {
    return await Promise.race([answer, aborted]);
  } finally {
    end.abort();
  }
}
