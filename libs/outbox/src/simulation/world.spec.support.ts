import { factIdOf, sequenceOf } from 'factline/contracts';
import { FactlineError, pause } from 'factline/kernel';
import { type FactLog, type MemoryBroker, memoryBroker, partitionOf } from 'factline/log';
import { type LogFaults, SimulatedLog, type SimulatedProcess, type Simulation } from 'factline/testing/simulation';
import { HOLD_AFTER_MS } from '../limits.js';
import { Relay } from '../relay.js';
import { SimulatedPostgres } from './postgres.spec.support.js';
import { type Mutation, SimulatedStore } from './store.spec.support.js';

const TOPIC = 'spec.job';
const PARTITIONS = 2;

export interface WriterStep {
  writer: number;
  /** The transaction has its id before it asks for the first key. */
  early: boolean;
  keys: readonly string[];
  ends: 'commit' | 'rollback' | 'crash';
}

export interface Disturbance {
  /** Turns of the schedule before it. */
  after: number;
  kind: 'kill a relay' | 'cut a session' | 'lose the lock' | 'crash the server' | 'hold a transaction' | 'refuse a partition';
}

export interface WorldOptions {
  log?: Partial<LogFaults>;
  mutate?: Mutation;
  /** Between a relay and its log. */
  through?: (log: FactLog, simulation: Simulation) => FactLog;
}

interface Running {
  process: SimulatedProcess;
  at: SimulatedStore;
  relay: Relay;
}

export interface Verdict {
  lost: string[];
  phantom: string[];
  inverted: string[];
  /** Facts sent again although nothing had gone wrong. */
  repeated: number;
  owners: string[];
}

/** Two relays, some writers, one database and one broker. */
export class RelayWorld {
  readonly database: SimulatedPostgres;
  readonly broker: MemoryBroker = memoryBroker();
  readonly #relays: Running[] = [];
  /** Named rare states: a simulation that never meets them proves nothing about them. */
  readonly reached = new Set<string>();
  #started = 0;
  #stated = 0;
  /** Whether a fact may be sent again: something was lost on the way, or an owner died. */
  #excused = false;
  #peaceFrom = Infinity;
  /** The partition that takes nothing now. */
  #refused: number | undefined;

  constructor(
    readonly simulation: Simulation,
    private readonly options: WorldOptions = {},
  ) {
    this.database = new SimulatedPostgres(simulation);
    this.broker.create([{ name: TOPIC, partitions: PARTITIONS }, { name: 'factline.watermark', partitions: 1 }]);
    this.#excused = Object.values(options.log ?? {}).some((probability) => probability > 0);
  }

  startRelay(): void {
    if (this.database.relay.current !== null) this.reached.add('a tick of several pages interrupted');
    const process = this.simulation.process(`relay ${++this.#started}`);
    const at = new SimulatedStore(process, this.database, this.options.mutate);
    const log = this.#refusing(new SimulatedLog(process, this.broker, this.options.log));
    const topics = [{ name: TOPIC, owner: 'spec', keyField: 'jobId', partitions: PARTITIONS, kind: 'facts' as const, settings: {} }];
    const relay = new Relay({
      store: at.store,
      log: this.options.through?.(log, this.simulation) ?? log,
      app: 'spec',
      topics,
      batchSize: 3,
      publishTimeout: this.#excused ? '10s' : '1h', // without faults a late answer must not count as none,
      rotation: { rows: 8, afterMs: Infinity },
      observe: ({ name, epoch }) => void this.reached.add(name === 'acquired' && epoch > 1 ? 'takeover' : name),
    });
    relay.start();
    this.#relays.push({ process, at, relay });
  }

  /** One transaction, as an app would run it. A process that dies in it, or a database that goes away, ends it. */
  async write({ writer, early, keys, ends }: WriterStep): Promise<void> {
    const process = this.simulation.process(`writer ${writer}`);
    const at = new SimulatedStore(process, this.database);
    const knownSlot = this.simulation.pick([this.database.slot.slot, Math.max(0, this.database.slot.slot - 1)]); // what a writer knows may be old
    const transaction = await at.begin();
    try {
      if (early) await process.request('take an id', () => void this.database.xidOf(transaction));
      for (const key of keys) await process.request(`state ${key}`, () => this.database.state(transaction, knownSlot, TOPIC, key, this.#value()));
      if (ends === 'crash') return process.kill();
      await process.request(ends, () => (ends === 'commit' ? this.database.commit(transaction) : this.database.rollback(transaction)));
    } catch {
      await process.request('rollback', () => this.database.rollback(transaction)); // a deadlock or a lost connection: the app would run it again, as another one
    }
  }

  async disturb({ after, kind }: Disturbance): Promise<void> {
    for (let turn = 0; turn < after; turn++) await this.simulation.turn('nothing happens');
    const { process, at } = this.simulation.pick(this.#relays.filter((each) => each.process.alive));
    if (kind === 'hold a transaction') return this.#hold(after);
    if (kind === 'refuse a partition') return this.#refuse();
    this.#excused = true;
    if (kind === 'lose the lock') this.database.advisory = undefined; // as behind a pooler that gives the connection to somebody else
    if (kind === 'cut a session') for (const session of at.sessions) session.end();
    if (kind === 'kill a relay') {
      process.kill();
      this.startRelay();
    }
    if (kind === 'crash the server') {
      if (this.database.relay !== this.database.flushed) this.reached.add('progress undone by a crash');
      this.database.crash();
      for (const each of this.#relays) for (const session of each.at.sessions) session.end();
    }
  }

  /** One partition takes nothing for longer than a relay waits for it. */
  async #refuse(): Promise<void> {
    this.#refused = this.simulation.pick([0, 1]);
    await pause(2 * HOLD_AFTER_MS);
    this.#refused = undefined;
  }

  #refusing(log: SimulatedLog): FactLog {
    return {
      ...(log as FactLog),
      describe: (topics) => log.describe(topics),
      publisher: async () => {
        const inner = await log.publisher();
        const send: typeof inner.send = async (topic, partition, records) => {
          if (topic !== TOPIC || partition !== this.#refused) return inner.send(topic, partition, records);
          if (this.database.held.length > 0) this.reached.add('facts set aside');
          throw new FactlineError({ code: 'log.unavailable', kind: 'unavailable', message: 'The partition takes nothing.' });
        };
        return { send, close: () => inner.close() };
      },
    };
  }

  /** A transaction with an id that ends late, as of a report or of another database. */
  async #hold(turns: number): Promise<void> {
    const transaction = this.database.begin();
    this.database.xidOf(transaction);
    for (let turn = 0; turn < 3 * turns; turn++) await this.simulation.turn('a long transaction goes on');
    this.database.rollback(transaction);
  }

  /** Whether each committed fact is in the log. */
  delivered(): boolean {
    const { partitions } = this.broker.topic(TOPIC);
    const records = partitions.reduce((sum, { end }) => sum + end, 0);
    if (records < this.database.committed.length) return false;
    const ids = new Set(partitions.flatMap((each) => each.records.map(({ value }) => idOf(value!))));
    return this.database.committed.every(({ value }) => ids.has(idOf(value)));
  }

  /** From here on a fact that is stated is sent once. */
  makePeace(): void {
    this.#peaceFrom = this.database.lastId;
  }

  /** The relays that believe that the outbox is theirs, by what the database thinks of it. */
  owners(): string[] {
    const believing = this.#relays.filter(({ process, relay }) => process.alive && relay.status().state === 'owner');
    return believing.map(({ at, relay }) => ([...at.sessions].some((session) => session === this.database.advisory) && relay.status().epoch === this.database.relay.epoch ? 'rightly' : 'wrongly'));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#relays.filter(({ process }) => process.alive).map(({ relay }) => relay.stop()));
  }

  judge(): Verdict {
    const { committed } = this.database;
    const log = this.#log();
    const names = new Map(committed.map(({ key, sequence, value }) => [idOf(value), `${key}${sequence}`]));
    const peaceful = new Set(committed.filter(({ id }) => id > this.#peaceFrom).map(({ value }) => idOf(value)));
    if (committed.some(({ id }, at) => committed.slice(0, at).some((before) => before.id > id))) this.reached.add('commits in another order than ids');
    const arrived = new Set(log.map(({ id }) => id));
    const seen = new Map<string, number>();
    const inverted: string[] = [];
    let repeated = 0;
    for (const { id, key, sequence } of log) {
      const last = seen.get(key) ?? 0;
      if (sequence > last + 1) inverted.push(`${key}${sequence} after ${key}${last}`);
      if (sequence <= last) this.reached.add('a fact sent again');
      if (sequence <= last && (!this.#excused || peaceful.has(id))) repeated++;
      seen.set(key, Math.max(last, sequence));
    }
    return {
      lost: [...names].filter(([id]) => !arrived.has(id)).map(([, name]) => name),
      phantom: log.filter(({ id, key, sequence }) => names.get(id) !== `${key}${sequence}`).map(({ key, sequence }) => `${key}${sequence}`),
      inverted,
      repeated,
      owners: this.owners(),
    };
  }

  #log(): { id: string; key: string; sequence: number }[] {
    return this.broker.topic(TOPIC).partitions.flatMap(({ records }, partition) =>
      records.map(({ key, value }) => {
        if (partitionOf(key, PARTITIONS) !== partition) throw new Error(`${key.toString()} is in another key's partition`);
        return { id: idOf(value!), key: key.toString(), sequence: sequenceOf(value) };
      }),
    );
  }

  /** The smallest value that is a fact, with an id of its own. */
  #value(): Buffer {
    const value = Buffer.alloc(24);
    value.writeUInt32BE(++this.#stated, 5);
    return value;
  }
}

function idOf(value: Buffer): string {
  return Buffer.from(factIdOf(value)).toString('hex');
}
