import { randomUUID } from 'node:crypto';
import type { FactLog, LogRecord, OutgoingRecord, Publisher, Subscription, SubscriptionEvents } from './log.js';

/** What a driver brings to the suite. */
export interface LogUnderTest {
  /** A client of the one broker; the suite closes it. */
  client(): FactLog;
  /** Makes a send that is rejected, over this publisher. */
  rejectedSend(publisher: Publisher, topic: string): Promise<unknown>;
  close(): Promise<void>;
}

/** What every test of the suite works with: one broker, one client, one publisher, and a topic of its own with two partitions. */
export class SuiteWorld {
  topic = '';
  log!: FactLog;
  publisher!: Publisher;
  driver!: LogUnderTest;
  readonly #clients: FactLog[] = [];
  readonly #subscriptions: Subscription[] = [];

  async open(driver: LogUnderTest): Promise<void> {
    this.driver = driver;
    this.log = this.client();
    this.publisher = await this.log.publisher();
  }

  async newTopic(): Promise<void> {
    this.topic = `suite-${randomUUID()}`;
    await this.log.createTopics([{ name: this.topic, partitions: 2 }]);
  }

  async cleanUp(): Promise<void> {
    for (const each of this.#subscriptions.splice(0)) await each.stop();
    await this.log?.deleteTopics([this.topic]);
  }

  async close(): Promise<void> {
    await this.publisher?.close();
    for (const each of this.#clients) await each.close();
    await this.driver?.close();
  }

  readonly client = (): FactLog => {
    const made = this.driver.client();
    this.#clients.push(made);
    return made;
  };

  readonly subscribe = async (events: SubscriptionEvents, group: string, on: FactLog = this.log): Promise<Subscription> => {
    const subscription = await on.subscribe({ group, topics: [this.topic], events });
    this.#subscriptions.push(subscription);
    return subscription;
  };

  /** Another topic under the same name, with these records in partition 0. @returns its id */
  readonly recreate = async (records: readonly OutgoingRecord[]): Promise<string> => {
    await this.log.deleteTopics([this.topic]);
    await this.log.createTopics([{ name: this.topic, partitions: 2 }]);
    const fresh = await this.log.publisher(); // the world's has not heard of it
    await fresh.send(this.topic, 0, records);
    await fresh.close();
    return (await this.log.describe([this.topic]))[0]!.id;
  };

  readonly readAll = async (from: number, to: number): Promise<{ records: LogRecord[] }> => {
    const records: LogRecord[] = [];
    await this.log.read({ topic: this.topic, ranges: [{ partition: 0, from, to }], batch: (batch) => void records.push(...batch.records) });
    return { records };
  };
}
