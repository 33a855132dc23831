import { FactSubscription, Freshness, type SubscriptionState, type SubscriptionStatus, type SubscriptionTarget, readCheckpoints } from 'factline/consumer';
import { FactDecoder, type FactDefinition, FactEncoder, type WriterSchemas, withSequence } from 'factline/contracts';
import { FactlineError, messageOf } from 'factline/kernel';
import { type FactLog, type OutgoingRecord, partitionOf } from 'factline/log';
import { LiveProjection, type Projection } from 'factline/projections';
import { type Store, identifier } from 'factline/store';
import { type World, until } from 'factline/testing';
import { EmployeeMoved } from '../../apps/hr/src/contracts.generated.js';
import { PARTITIONS, openDatabase, openTopic } from '../../bench/scene.js';
import { type CommittedFact, type TallyRow, tableFaults } from './effect-once.js';
import { movedOn, tally } from './tally.js';

const KEYS = 8;
/** Below the broker's `message.max.bytes` of 1 MiB, whatever else is in a record. */
const BATCH_BYTES = 800_000;

/** A topic as a relay leaves it, without an outbox behind it, and read models of it that run in this process. */
export class ModelScene {
  readonly stated: CommittedFact[] = [];
  readonly definition: FactDefinition;
  readonly #encoder = new FactEncoder();
  readonly #last = new Map<string, number>();
  readonly #stops: (() => Promise<unknown>)[] = [];
  #facts = 0;

  private constructor(
    readonly world: World,
    readonly log: FactLog,
    readonly store: Store,
    readonly databaseUrl: string,
    readonly topic: string,
    readonly schemas: WriterSchemas,
    readonly schemaIdOf: (type: FactDefinition) => number,
  ) {
    this.definition = movedOn(topic);
  }

  static async open(world: World, name: string): Promise<ModelScene> {
    const log = world.log();
    const topic = await openTopic(world, log, name);
    const { databaseUrl, store, schemas, idOf } = await openDatabase(world, name);
    return new ModelScene(world, log, store, databaseUrl, topic, schemas, idOf);
  }

  get schemaId(): number {
    return this.schemaIdOf(this.definition);
  }

  /** The next fact of a key, as a relay would publish it; it counts as stated from here on. */
  next(key: string, schemaId: number = this.schemaId, location = 'BER'): OutgoingRecord {
    const sequence = (this.#last.get(key) ?? 0) + 1;
    this.#last.set(key, sequence);
    const cents = ++this.#facts ** 2;
    const { value, id } = this.#encoder.encode({ ...EmployeeMoved(key, { location, salaryCents: cents }), type: this.definition }, schemaId);
    this.stated.push({ key, sequence, id, cents });
    return { key: Buffer.from(key), value: withSequence(value, sequence) };
  }

  /** Sends records to the partitions of their keys, in this order; again, as a relay does, while no broker takes them. */
  async send(records: readonly OutgoingRecord[]): Promise<void> {
    const publisher = await this.log.publisher();
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const of = records.filter(({ key }) => partitionOf(key, PARTITIONS) === partition);
      if (of.length > 0) await until(`facts on partition ${partition}`, () => publisher.send(this.topic, partition, of).catch(unlessRetried));
    }
    await publisher.close();
  }

  /** So many facts of eight keys, in turn. */
  async state(facts: number): Promise<void> {
    await this.send(Array.from({ length: facts }, (_, nth) => this.next(`k${nth % KEYS}`)));
  }

  /** So many facts of one key with so much text in each: in sends that a broker takes. */
  async stateLarge(key: string, facts: number, characters: number): Promise<void> {
    const location = 'x'.repeat(characters);
    const perSend = Math.floor(BATCH_BYTES / characters);
    for (let done = 0; done < facts; done += perSend) {
      await this.send(Array.from({ length: Math.min(perSend, facts - done) }, () => this.next(key, this.schemaId, location)));
    }
  }

  /** A read model of its own, with everything of it in this process. `around` may stand between the subscription and the read model. */
  async model(name: string, options: ModelOptions = {}): Promise<Model> {
    const model = new Model(this, name, options);
    await model.start();
    this.#stops.push(() => model.stop());
    return model;
  }

  async close(): Promise<void> {
    for (const stop of this.#stops.splice(0).toReversed()) await stop();
  }
}

function unlessRetried(error: unknown): undefined {
  if (!(error instanceof FactlineError) || !error.retry) throw error;
}

interface ModelOptions {
  log?: FactLog;
  store?: Store;
  schemas?: WriterSchemas;
  group?: string;
  projection?: Projection;
  around?: (live: LiveProjection) => SubscriptionTarget;
}

/** One read model of a scene, and how it stands. */
export class Model {
  readonly projection: Projection;
  readonly live: LiveProjection;
  readonly #subscription: FactSubscription;

  constructor(
    private readonly scene: ModelScene,
    private readonly name: string,
    { log = scene.log, store = scene.store, schemas = scene.schemas, group = `${scene.topic}.${name}`, projection = tally(name, scene.topic), around = (live) => live }: ModelOptions,
  ) {
    this.projection = projection;
    this.live = new LiveProjection(projection, store, new FactDecoder(projection.facts, schemas));
    this.#subscription = new FactSubscription({ name, group, topics: [scene.topic], log, target: around(this.live), freshness: new Freshness() });
  }

  async start(): Promise<void> {
    await this.live.prepare();
    this.#subscription.start();
  }

  stop(): Promise<void> {
    return this.#subscription.stop();
  }

  get status(): SubscriptionStatus {
    return this.#subscription.status;
  }

  async reaches(state: SubscriptionState, timeoutMs?: number): Promise<void> {
    await until(`${this.name} to be ${state}`, () => this.status.state === state, timeoutMs).catch((error: unknown) => {
      throw new Error(`${messageOf(error)} ${JSON.stringify(this.status)}`);
    });
  }

  /** Everything that was stated is applied, once, and nothing else. */
  async settled(timeoutMs?: number, stated: readonly CommittedFact[] = this.scene.stated): Promise<void> {
    let faults: string[] = [];
    const right = async () => this.status.state === 'LIVE' && (faults = tableFaults(stated, await this.rows())).length === 0;
    await until(`${this.name} to hold what was stated`, right, timeoutMs).catch((error: unknown) => {
      throw new Error(`${messageOf(error)} ${faults.join('; ')} ${JSON.stringify(this.status)}`);
    });
  }

  async rows(): Promise<TallyRow[]> {
    const { rows } = await this.scene.store.query<TallyRow>(
      `select key, facts, last_sequence::double precision as "lastSequence", cents::double precision as cents from ${this.#in(this.name)} order by key`,
    );
    return rows;
  }

  /** Of each partition, the next offset; none before the first claim. */
  async positions(): Promise<number[]> {
    return (await readCheckpoints(this.scene.store, this.name)).map(({ nextOffset }) => nextOffset);
  }

  /** Facts that are kept because they could not be applied, and those that wait behind them (no code). */
  async letters(): Promise<{ key: string; code: string | null }[]> {
    return (await this.scene.store.query<{ key: string; code: string | null }>(`select key, code from ${this.#in('dead_letter')} order by key, record_offset`)).rows;
  }

  #in(table: string): string {
    return `${identifier(this.name)}.${identifier(table)}`;
  }
}
