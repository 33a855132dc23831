import { messageOf } from 'factline/kernel';
import { type FactLog, kafkaLog } from 'factline/log';
import { FactOutbox, Relay } from 'factline/outbox';
import { type World, until } from 'factline/testing';
import { tableFaults, topicFaults } from './effect-once.js';
import { statedFacts } from './employee-topic.js';
import { Ledger } from './ledger.js';
import { type Model, ModelScene } from './model-scene.js';

/** So that a broker that says nothing is given up within the patience of a spec; apps wait 30 s. */
const REQUEST_TIMEOUT = '4s';
const CONNECTION_TIMEOUT = '2s';
/** About a minute of writing: a broker is back within 12 s of its kill. */
const WRITES = 3_000;
/** Facts stated after a fault began that must get through. */
const MORE_FACTS = 20;
/** What a fault of one broker may hold a fact up at most. */
const HELD_UP_AT_MOST = 30_000;
const HEALED_WITHIN = 60_000;

/** Facts on their way from transactions through outbox, relay and topic into a read model, all in this process and over one impatient client. */
export class Flow {
  private constructor(
    readonly scene: ModelScene,
    readonly log: FactLog,
    readonly ledger: Ledger,
    readonly relay: Relay,
    readonly model: Model,
  ) {}

  static async open(world: World, name: string): Promise<Flow> {
    const scene = await ModelScene.open(world, name);
    const log = kafkaLog({ brokers: world.kafka, clientId: name, requestTimeout: REQUEST_TIMEOUT, connectionTimeout: CONNECTION_TIMEOUT });
    const { store, definition } = scene;
    const outbox = new FactOutbox({ store, schemaIds: { idOf: scene.schemaIdOf } });
    const relay = new Relay({ store, log, app: definition.topic.owner, topics: [definition.topic] });
    relay.start();
    return new Flow(scene, log, new Ledger(store, outbox, definition), relay, await scene.model(name, { log }));
  }

  /** States facts until the work is done. */
  async whileWriting<T>(work: () => Promise<T>): Promise<T> {
    let done = false;
    const working = work().finally(() => (done = true));
    await Promise.all([this.ledger.write(() => done, WRITES), working]);
    return working;
  }

  /** Everything that is committed until shortly from now is applied, of every key. */
  async goesOn(): Promise<void> {
    const { committed } = this.ledger;
    const wanted = committed.length + MORE_FACTS;
    await until('facts to be stated', () => committed.length >= wanted);
    const last = new Map(committed.slice(0, wanted).map(({ key, sequence }) => [key, sequence]));
    await until('them to be applied', async () => {
      const reached = new Map((await this.model.rows()).map((row) => [row.key, row.lastSequence]));
      return [...last].every(([key, sequence]) => (reached.get(key) ?? 0) >= sequence);
    }, HELD_UP_AT_MOST).catch((error: unknown) => {
      throw new Error(`${messageOf(error)} ${JSON.stringify(this.model.status)} ${JSON.stringify(this.relay.status())}`);
    });
  }

  /** Every committed fact is on the topic in the order of its key and once in the table, and nothing else is. */
  async right(): Promise<void> {
    const { committed } = this.ledger;
    await this.model.settled(HEALED_WITHIN, committed);
    const found = await statedFacts({ world: this.scene.world, prefix: '' }, this.scene.topic);
    expect(topicFaults(committed, found, found.length)).toEqual([]);
    expect(tableFaults(committed, await this.model.rows())).toEqual([]);
  }

  async close(): Promise<void> {
    await this.relay.stop();
    await this.scene.close();
    await this.log.close();
  }
}
