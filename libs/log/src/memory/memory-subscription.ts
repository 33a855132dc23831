import { setImmediate as turn } from 'node:timers/promises';
import { FactlineError, Signal, backoffMs, messageOf, pause } from 'factline/kernel';
import { FETCH_WAIT_MS, RETRY_DELAY_MAX_MS, RETRY_DELAY_MS } from '../limits.js';
import type { Position, SubscribeOptions, Subscription } from '../log.js';
import type { GroupMember, MemoryBroker } from './memory-broker.js';

interface Reading {
  topic: string;
  partition: number;
  position: number;
  topicId: string;
}

/** The same promises as the Kafka driver's: positions from the subscriber, an epoch per assignment, nothing of an old one. */
export class MemorySubscription implements Subscription, GroupMember {
  readonly topics: readonly string[];
  readonly #paused = new Set<string>();
  readonly #failing = new Set<Reading>();
  readonly #changed = new Signal();
  #term: AbortController | undefined;
  #epoch = 0;
  #serving: Promise<void> = Promise.resolve();
  #unwatch: () => void = () => undefined;

  constructor(
    private readonly broker: MemoryBroker,
    private readonly options: SubscribeOptions,
    private readonly onStopped: () => void,
  ) {
    this.topics = options.topics;
  }

  start(): void {
    this.#unwatch = this.broker.watch(() => this.#changed.notify());
    this.broker.join(this.options.group, this);
  }

  /** Called by the broker: what we had is over, this is ours now. */
  assign(share: readonly { topic: string; partition: number }[]): void {
    this.#endTerm();
    const term = new AbortController();
    const epoch = ++this.#epoch;
    this.#term = term;
    this.#serving = this.#serving.then(() => this.#serve(share, epoch, term.signal));
  }

  pause(topic: string, partition: number): void {
    this.#paused.add(`${topic}/${partition}`);
  }

  resume(topic: string, partition: number): void {
    this.#paused.delete(`${topic}/${partition}`);
    this.#changed.notify();
  }

  async report(positions: readonly Position[]): Promise<void> {
    this.broker.commit(this.options.group, positions);
  }

  async stop(): Promise<void> {
    this.#unwatch();
    this.broker.leave(this.options.group, this);
    this.#endTerm();
    await this.#serving;
    this.onStopped();
  }

  #endTerm(): void {
    if (!this.#term) return;
    this.#term.abort();
    this.#term = undefined;
    this.options.events.revoked(this.#epoch);
  }

  async #serve(share: readonly { topic: string; partition: number }[], epoch: number, over: AbortSignal): Promise<void> {
    const readings = await this.#positions(share, epoch, over);
    while (!over.aborted && readings.length > 0) {
      let delivered = false;
      for (const each of readings.slice()) if (!over.aborted && !this.#paused.has(`${each.topic}/${each.partition}`)) delivered = this.#deliver(each, readings, epoch) || delivered;
      if (delivered) await turn();
      else await this.#changed.wait(FETCH_WAIT_MS, over);
    }
  }

  async #positions(share: readonly { topic: string; partition: number }[], epoch: number, over: AbortSignal): Promise<Reading[]> {
    for (let attempt = 1; !over.aborted; attempt++) {
      try {
        const aborted = new Promise<undefined>((resolve) => over.addEventListener('abort', () => resolve(undefined), { once: true }));
        const positions = await Promise.race([this.options.events.assigned(share, epoch), aborted]);
        if (!positions) return [];
        return share.map(({ topic, partition }) => {
          const position = positions.find((each) => each.topic === topic && each.partition === partition);
          if (!position) throw missing(topic, partition);
          return { topic, partition, position: position.offset, topicId: position.topicId ?? this.broker.topic(topic).id };
        });
      } catch (error) {
        this.options.events.disturbed(error instanceof Error ? error : new Error(messageOf(error)), attempt);
        await pause(backoffMs(attempt, { delay: RETRY_DELAY_MS, maxDelay: RETRY_DELAY_MAX_MS }), over);
      }
    }
    return [];
  }

  #deliver(of: Reading, readings: Reading[], epoch: number): boolean {
    try {
      const { topic, partition, position: offset, topicId } = of;
      if (!this.broker.has({ topic, partition, offset, topicId })) {
        readings.splice(readings.indexOf(of), 1);
        this.options.events.outOfRange({ topic, partition, offset }, this.broker.kept(topic, partition));
        return false;
      }
      const batch = this.broker.next(of.topic, of.partition, of.position, Infinity);
      if (!batch) return false;
      this.options.events.batch(batch, epoch);
      of.position = batch.nextOffset;
      if (this.#failing.delete(of)) this.options.events.recovered(epoch);
      return true;
    } catch (error) {
      this.#failing.add(of);
      this.options.events.disturbed(error instanceof Error ? error : new Error(messageOf(error)), 1);
      return false;
    }
  }
}

function missing(topic: string, partition: number): FactlineError {
  return new FactlineError({
    code: 'log.position-missing',
    kind: 'internal',
    message: `The subscriber gave no position for '${topic}' partition ${partition}.`,
    advice: 'Answer one position for each partition of the assignment; a new one starts at 0.',
  });
}
