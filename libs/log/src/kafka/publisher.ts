import { FactlineError } from 'factline/kernel';
import { closed, partitionUnknown } from '../failures.js';
import { ACK_TIMEOUT_SHARE } from '../limits.js';
import type { OutgoingRecord, Publisher } from '../log.js';
import { Code, refusedByBroker } from './errors.js';
import { produceRequest } from './produce.js';
import { type Session, leadersOf } from './session.js';

/** One life of the client: after any rejection it is replaced as a whole. */
interface Client {
  session: Session;
  leaders: Map<string, Promise<number[]>>;
  /** Sends that have not settled. */
  inFlight: Set<Promise<unknown>>;
}

/**
 * The rules that make "acknowledged" true (tulios/kafkajs#1303, #598): one partition per request, success only if the answer names exactly this
 * partition without error and with an offset, no retry inside, and after any rejection new connections before anything else is sent.
 * No idempotent producer: its sequence numbers can make a broker acknowledge what it never stored. Duplicates are the consumer's to drop.
 */
export class KafkaPublisher implements Publisher {
  #client: Client;
  #replacing: Promise<void> | undefined;
  #closed = false;
  readonly #ackTimeoutMs: number;

  constructor(
    private readonly open: () => Session,
    requestTimeoutMs: number,
    private readonly onClosed: () => void,
  ) {
    this.#client = this.#newClient();
    this.#ackTimeoutMs = Math.floor(requestTimeoutMs * ACK_TIMEOUT_SHARE);
  }

  async send(topic: string, partition: number, records: readonly OutgoingRecord[]): Promise<{ baseOffset: number }> {
    while (this.#replacing) await this.#replacing;
    if (this.#closed) throw closed('publisher');
    const client = this.#client;
    const request = produceRequest(topic, partition, records, this.#ackTimeoutMs);
    const sending = this.#produce(client, topic, partition, request);
    client.inFlight.add(sending);
    try {
      return await sending;
    } catch (error) {
      this.#replace(client);
      throw error;
    } finally {
      client.inFlight.delete(sending);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#replacing;
    await Promise.allSettled(this.#client.inFlight);
    this.#client.session.close();
    this.onClosed();
  }

  async #produce(client: Client, topic: string, partition: number, request: ReturnType<typeof produceRequest>): Promise<{ baseOffset: number }> {
    const leaders = await this.#leaders(client, topic);
    const leader = leaders[partition];
    if (leader === undefined) throw partitionUnknown(topic, partition);
    const answers = await client.session.ask(leader, request);
    const answer = answers.find((each) => each.topic === topic && each.partition === partition);
    if (answer && answer.errorCode !== Code.none) throw refusedByBroker(answer.errorCode, `A send to '${topic}' partition ${partition}`, topic);
    if (answers.length !== 1 || !answer || answer.baseOffset < 0) {
      throw new FactlineError({
        code: 'log.unacknowledged',
        kind: 'unavailable',
        message: `The answer to a send to '${topic}' partition ${partition} does not say that it was stored.`,
        advice: 'Send the same records again; whether they were stored is unknown.',
        details: { topic, partition },
      });
    }
    return { baseOffset: answer.baseOffset };
  }

  #leaders(client: Client, topic: string): Promise<number[]> {
    let leaders = client.leaders.get(topic);
    if (!leaders) {
      leaders = client.session.look([topic]).then((view) => leadersOf(view, topic).leaders);
      client.leaders.set(topic, leaders);
    }
    return leaders;
  }

  /** Sends of other partitions that are still on the old connections finish or fail first; new ones wait for the new connections. */
  #replace(broken: Client): void {
    if (this.#client !== broken || this.#replacing) return;
    this.#replacing = Promise.allSettled(broken.inFlight).then(() => {
      broken.session.close();
      this.#client = this.#newClient();
      this.#replacing = undefined;
    });
  }

  #newClient(): Client {
    return { session: this.open(), leaders: new Map(), inFlight: new Set() };
  }
}
