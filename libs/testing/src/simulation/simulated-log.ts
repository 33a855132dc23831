import { FactlineError, pause } from 'factline/kernel';
import type { FactLog, MemoryBroker, OutgoingRecord, Publisher, ReadOptions, SubscribeOptions, Subscription, TopicState } from 'factline/log';
import { SIMULATED_REQUEST_TIMEOUT_MS } from '../limits.js';
import { type LogFaults, NO_FAULTS, refused } from './log-faults.js';
import { SimulatedSubscription } from './simulated-subscription.js';
import type { SimulatedProcess } from './simulation.js';

/** One process's client of a broker that several processes share, over a simulated network. What makes topics and follows them without a group is not simulated, and throws. */
export class SimulatedLog implements FactLog {
  readonly #faults: LogFaults;
  readonly #subscriptions: SimulatedSubscription[] = [];

  constructor(
    private readonly process: SimulatedProcess,
    private readonly broker: MemoryBroker,
    faults: Partial<LogFaults> = {},
  ) {
    this.#faults = { ...NO_FAULTS, ...faults };
  }

  describe(topics: readonly string[]): Promise<TopicState[]> {
    return this.process.request(`describe ${topics.join()}`, () => {
      this.#mayRefuse();
      return this.broker.describe(topics);
    });
  }

  offsetsAt(): Promise<number[]> {
    throw new Error('Offsets by time are not simulated.');
  }

  publisher(): Promise<Publisher> {
    return this.process.request('connect a publisher', () => {
      this.#mayRefuse();
      return this.#publisher();
    });
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    await this.process.request('subscribe', () => this.#mayRefuse());
    const subscription = new SimulatedSubscription(this.process, this.broker, this.#faults, options);
    this.#subscriptions.push(subscription);
    return subscription;
  }

  /** The group takes this process for dead and lets it in again: partitions move, and who owned them does not know yet. */
  evict(): void {
    for (const subscription of this.#subscriptions) subscription.rejoin();
  }

  async read({ topic, ranges, batch, abort }: ReadOptions): Promise<void> {
    for (const { partition, from, to } of ranges) {
      for (let position = from; position < to; ) {
        abort?.throwIfAborted();
        const next = await this.process.request(`read ${topic}/${partition} from ${position}`, () => {
          this.#mayRefuse();
          return this.broker.next(topic, partition, position, to);
        });
        if (!next) throw new FactlineError({ code: 'log.out-of-range', kind: 'integrity', message: `${topic}/${partition} has no offset ${position}.` });
        await batch(next);
        position = next.nextOffset;
      }
    }
    abort?.throwIfAborted();
  }

  createTopics(): Promise<never> {
    return notSimulated('createTopics');
  }

  deleteTopics(): Promise<never> {
    return notSimulated('deleteTopics');
  }

  follow(): Promise<never> {
    return notSimulated('follow');
  }

  async close(): Promise<void> {
    // Nothing is held: publishers and subscriptions are closed by who opened them.
  }

  #publisher(): Publisher {
    const busy = new Set<string>();
    let closed = false;
    return {
      send: async (topic, partition, records) => {
        const place = `${topic}/${partition}`;
        if (closed || busy.has(place)) throw new FactlineError({ code: 'testing.misuse', kind: 'internal', message: `A send to ${place} ${closed ? 'through a closed publisher' : 'beside another one'}.` });
        busy.add(place);
        try {
          return await this.process.request(`send ${records.length} to ${place}`, () => this.#append(topic, partition, records));
        } finally {
          busy.delete(place);
        }
      },
      close: async () => {
        closed = true;
      },
    };
  }

  #append(topic: string, partition: number, records: readonly OutgoingRecord[]): { baseOffset: number } | Promise<never> {
    const { simulation } = this.process;
    this.#mayRefuse();
    const baseOffset = this.broker.append(topic, partition, records);
    if (simulation.strikes(this.#faults.repeated)) this.broker.append(topic, partition, records);
    if (simulation.strikes(this.#faults.storedAndRefused)) throw refused();
    if (simulation.strikes(this.#faults.unanswered)) return pause(SIMULATED_REQUEST_TIMEOUT_MS).then(() => Promise.reject(refused()));
    return { baseOffset };
  }

  #mayRefuse(): void {
    if (this.process.simulation.strikes(this.#faults.refused)) throw refused();
  }
}

async function notSimulated(what: string): Promise<never> {
  throw new FactlineError({ code: 'testing.not-simulated', kind: 'internal', message: `${what} of a log is not simulated.` });
}
