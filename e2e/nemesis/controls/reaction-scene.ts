import { FactSubscription, Freshness } from 'factline/consumer';
import { FactDecoder, type RegisteredSchemas } from 'factline/contracts';
import { FactOutbox, Relay } from 'factline/outbox';
import { LiveReactions } from 'factline/reactions';
import { Store } from 'factline/store';
import { type World, until } from 'factline/testing';
import { openDatabase, openTopic } from '../../../bench/scene.js';
import { movedOn } from '../../support/tally.js';
import { auditModel } from '../audit.js';
import { collectModel, scanCaused } from '../collect.js';
import { FactReader } from '../facts.js';
import type { Event } from '../history.js';
import { PAYSLIPS, migratePayslips, payslips } from '../payslips.js';
import { pendingFacts } from '../pending.js';
import type { ControlScene } from './control-scene.js';

const COLUMNS = { model: PAYSLIPS, key: 'key', sequence: 'sequence' };

/** The reaction of the nemesis on the topic of a control's scene, in a database of its own; of its processes one may be broken. */
export class ReactionScene {
  readonly #subscriptions: FactSubscription[] = [];
  readonly #stores: Store[] = [];

  private constructor(
    private readonly at: World,
    private readonly scene: ControlScene,
    private readonly url: string,
    private readonly store: Store,
    private readonly schemas: RegisteredSchemas,
    private readonly states: string,
  ) {}

  static async open(at: World, scene: ControlScene, name: string): Promise<ReactionScene> {
    const states = await openTopic(at, scene.log, `${name}-payslip`);
    const { databaseUrl, store, schemas } = await openDatabase(at, `${name}-reaction`);
    await migratePayslips(store);
    const reaction = new ReactionScene(at, scene, databaseUrl, store, schemas, states);
    const { live } = reaction.#live(store);
    await live.claim(await scene.log.describe([scene.topic]), []);
    await auditModel(store, COLUMNS);
    return reaction;
  }

  #live(store: Store): { live: LiveReactions } {
    const made = payslips(new FactOutbox({ store, schemaIds: this.schemas }), { topic: this.scene.topic, states: this.states });
    return { live: new LiveReactions(made, store, new FactDecoder(made.facts, this.schemas)) };
  }

  /** A process in a group of its own. @param stopped with facts in its hands, before its transactions; @param inbox false: BROKEN on purpose, it does not look whether a fact is done. */
  start({ stopped, inbox }: { stopped: boolean; inbox: boolean }): { live: LiveReactions; holds: () => boolean; goOn: () => void } {
    const store = new HeldStore({ url: this.url, applicationName: 'payslips', connections: 12 });
    this.#stores.push(store);
    const { live } = this.#live(store);
    if (!inbox) live.inbox.move = () => Promise.resolve(true);
    if (stopped) {
      const open = live.openLane.bind(live);
      live.openLane = (opening) => {
        store.hold();
        return open(opening);
      };
    }
    const group = `${this.scene.topic}.payslips.${this.#subscriptions.length}`;
    const subscription = new FactSubscription({ name: PAYSLIPS, group, topics: [this.scene.topic], log: this.scene.log, target: live, freshness: new Freshness() });
    this.#subscriptions.push(subscription);
    subscription.start();
    return { live, holds: () => store.waiting > 0, goOn: () => store.release() };
  }

  async handled(): Promise<void> {
    await until('everything to be handled', async () => (await this.#positions()).every(({ next, end }) => next === end));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#subscriptions.splice(0).map((subscription) => subscription.stop()));
    await Promise.all(this.#stores.splice(0).map((store) => store.close()));
  }

  /** What can be known of it, for the checkers. */
  async events(): Promise<Event[]> {
    await this.stop();
    const { topic } = movedOn(this.states);
    const relay = new Relay({ store: this.store, log: this.scene.log, app: topic.owner, topics: [topic] });
    relay.start();
    try {
      await until('what it stated to be published', async () => (await pendingFacts(this.store)).length === 0);
    } finally {
      await relay.stop();
    }
    const events: Event[] = [];
    const history = { write: (event: Event) => void events.push(event) };
    await collectModel({ ...COLUMNS, store: this.store, columns: 'redriven' }, history);
    await scanCaused(this.scene.log, new FactReader(this.at.registryUrl), this.states, history);
    return [...events, ...(await this.#positions())];
  }

  async #positions() {
    const [topic] = await this.scene.log.describe([this.scene.topic]);
    const { rows } = await this.store.query<{ partition: number; next: string }>(`select partition, next_offset as next from ${PAYSLIPS}.checkpoint`);
    return topic!.partitions.map(({ end }, partition) => ({ type: 'position', model: PAYSLIPS, partition, next: Number(rows.find((row) => row.partition === partition)?.next ?? 0), end }) as const);
  }
}

/** A process that is stopped before its transactions, when told to hold. */
class HeldStore extends Store {
  waiting = 0;
  #held: Promise<void> | undefined;
  release = (): void => undefined;

  hold(): void {
    this.#held ??= new Promise((resolve) => (this.release = resolve));
  }

  override async transaction<T>(...args: Parameters<Store['transaction']>): Promise<T> {
    if (this.#held) this.waiting++;
    await this.#held;
    return (await super.transaction(...args)) as T;
  }
}
