import { FactSubscription, Freshness, type SubscriptionTarget } from 'factline/consumer';
import { FactDecoder, type RegisteredSchemas } from 'factline/contracts';
import type { FactLog } from 'factline/log';
import { FactOutbox, Relay } from 'factline/outbox';
import { LiveProjection } from 'factline/projections';
import type { Store } from 'factline/store';
import { type World, until } from 'factline/testing';
import { openDatabase, openTopic } from '../../../bench/scene.js';
import { Ledger } from '../../support/ledger.js';
import { movedOn, tally } from '../../support/tally.js';
import { auditModel, auditOutbox } from '../audit.js';
import { check } from '../checkers/all.js';
import { COUNTED } from '../checkers/effects.js';
import type { Finding } from '../checkers/finding.js';
import { collectFacts, collectModel, scanTopic } from '../collect.js';
import { FactReader } from '../facts.js';
import type { Event } from '../history.js';
import { pendingFacts } from '../pending.js';

const MODEL = 'tally';
const COLUMNS = { key: 'key', sequence: 'last_sequence' };

/** One topic, one database and one story, of which one part may be broken; judged by the checkers of the nemesis. */
export class ControlScene {
  readonly ledger: Ledger;
  #models = false;
  #groups = 0;
  readonly #subscriptions: FactSubscription[] = [];

  private constructor(
    private readonly at: World,
    readonly log: FactLog,
    readonly topic: string,
    readonly store: Store,
    readonly schemas: RegisteredSchemas,
    outbox: FactOutbox,
  ) {
    this.ledger = new Ledger(store, outbox, movedOn(topic));
  }

  static async open(at: World, name: string): Promise<ControlScene> {
    const log = at.log();
    const topic = await openTopic(at, log, name);
    const { store, schemas, idOf } = await openDatabase(at, name);
    await auditOutbox(store);
    return new ControlScene(at, log, topic, store, schemas, new FactOutbox({ store, schemaIds: { idOf } }));
  }

  /** Publishes everything that is committed with the product's relay, over this log. */
  async publish(log: FactLog = this.log): Promise<void> {
    const declared = movedOn(this.topic).topic;
    const relay = new Relay({ store: this.store, log, app: declared.owner, topics: [declared] });
    relay.start();
    try {
      await until('everything to be published', async () => (await pendingFacts(this.store)).length === 0);
    } finally {
      await relay.stop();
    }
  }

  /** The product's own read model. */
  soundTarget(): LiveProjection {
    const projection = tally(MODEL, this.topic);
    return new LiveProjection(projection, this.store, new FactDecoder(projection.facts, this.schemas));
  }

  /** Makes the tables of a target, and their audit. */
  async audit(target: SubscriptionTarget): Promise<void> {
    await target.claim(await this.log.describe([this.topic]), []);
    await auditModel(this.store, { model: MODEL, ...COLUMNS }, target instanceof LiveProjection);
    this.#models = true;
  }

  /** A subscription in a group of its own: nobody tells it when another takes the partitions over, as nobody tells a process that was stopped. */
  subscribe(target: SubscriptionTarget): FactSubscription {
    const group = `${this.topic}.${++this.#groups}`;
    const subscription = new FactSubscription({ name: MODEL, group, topics: [this.topic], log: this.log, target, freshness: new Freshness() });
    this.#subscriptions.push(subscription);
    subscription.start();
    return subscription;
  }

  /** When the checkpoints have reached the end of the topic. */
  async applied(): Promise<void> {
    await until('everything to be applied', async () => (await this.#positions()).every(({ next, end }) => next === end));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#subscriptions.splice(0).map((subscription) => subscription.stop()));
  }

  /** Everything that can be known of it, before the checkers. @param others what is known of parts of the story that are not its own. */
  async judge(others: readonly Event[] = []): Promise<Finding[]> {
    await this.stop();
    const events: Event[] = [...others];
    const history = { write: (event: Event) => void events.push(event) };
    const reader = new FactReader(this.at.registryUrl);
    await scanTopic(this.log, reader, this.topic, history);
    await collectFacts(this.store, reader, history);
    if (this.#models) {
      await collectModel({ model: MODEL, store: this.store, ...COLUMNS, columns: 'facts, cents::float8 as cents' }, history);
      events.push(...(await this.#positions()));
    }
    if (!events.some((event) => event.type === 'record' && event.name === COUNTED)) throw new Error('Nothing was published: the checkers would pass an empty story.');
    return check(events);
  }

  async #positions() {
    const [topic] = await this.log.describe([this.topic]);
    const { rows } = await this.store.query<{ partition: number; next: string }>(`select partition, next_offset as next from ${MODEL}.checkpoint`);
    return topic!.partitions.map(({ end }, partition) => {
      const next = Number(rows.find((row) => row.partition === partition)?.next ?? 0);
      return { type: 'position', model: MODEL, partition, next, end } as const;
    });
  }
}
