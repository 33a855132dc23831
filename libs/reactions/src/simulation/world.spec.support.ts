import { FactSubscription, Freshness } from 'factline/consumer';
import { FactDecoder } from 'factline/contracts';
import { FactlineError, pause } from 'factline/kernel';
import { type MemoryBroker, memoryBroker, partitionOf } from 'factline/log';
import { type LogFaults, SimulatedLog, type SimulatedProcess, type Simulation } from 'factline/testing/simulation';
import { LiveReactions, ReactionDeadLetters, type ReactionOptions, type Reactions, Redriver, reactions } from '../index.js';
import { OrderPaid, writers } from '../shop.spec.support.js';
import { SimulatedDatabase } from './database.spec.support.js';
import { type Stated, TEMPERS, type Temper, recordOf } from './stated.spec.support.js';
import { type Noted, type Verdict, verdictOf } from './judge.spec.support.js';
import { NAME, NOTE } from './statement.spec.support.js';
import { planReactions } from './statements.spec.support.js';
import { type DatabaseFaults, type Mutation, NO_DATABASE_FAULTS, SimulatedStore } from './store.spec.support.js';

const TOPIC = 'orders';
const PARTITIONS = 2;
const TIMEOUT_MS = 400;

export interface Disturbance {
  after: number;
  kind: 'kill a member' | 'rebalance' | 'repair' | 'requeue' | 'outage' | 'end of the outage';
}

export interface WorldOptions {
  log?: Partial<LogFaults>;
  database?: DatabaseFaults;
  mutate?: (world: ReactionWorld) => Mutation;
  reactions?: Partial<ReactionOptions>;
  /** BROKEN on purpose: a fact that fails is put aside and tried later, as with a retry topic. */
  putsAside?: boolean;
  /** What the handler says of an outage. Default: unavailable. */
  outageIs?: 'unavailable' | 'refused';
}

interface Member {
  process: SimulatedProcess;
  log: SimulatedLog;
  subscription: FactSubscription;
  live: LiveReactions;
  store: SimulatedStore;
}

/** Members that run one subscription of reactions and re-drive its dead letters. */
export class ReactionWorld {
  readonly reached = new Set<string>();
  readonly broker: MemoryBroker = memoryBroker();
  readonly database = new SimulatedDatabase(planReactions);
  /** What was handled by a re-drive that did not ask for its key. */
  readonly beyondList: string[] = [];
  repaired = false;
  outage = false;
  readonly #members: Member[] = [];
  readonly #tries = new Map<string, number>();
  #processes = 0;

  constructor(
    readonly simulation: Simulation,
    readonly history: readonly Stated[],
    readonly options: WorldOptions = {},
  ) {
    this.broker.create([{ name: TOPIC, partitions: PARTITIONS }]);
    this.database.committing = (view, held) => {
      const before = new Set(this.database.view.rows('journal').map(([id]) => id));
      const redriven = view.rows('journal').filter(([id, row]) => row['redriven'] && !before.has(id)).map(([, { key }]) => key as string);
      const listed = view.rows('redrive_key').filter(([, { redrive }]) => held.has(`redrive ${redrive as string}`)).map(([, { key }]) => key as string);
      this.beyondList.push(...redriven.filter((key) => !listed.includes(key)));
    };
  }

  startMember(): void {
    const process = this.simulation.process(`member ${++this.#processes}`);
    const store = this.#store(process);
    const log = new SimulatedLog(process, this.broker, this.options.log);
    const made = this.#reactions(store);
    const live = new LiveReactions(made, store.store, new FactDecoder(made.facts, writers));
    const subscription = new FactSubscription({ name: NAME, group: 'g', topics: [TOPIC], log, target: live, freshness: new Freshness() });
    subscription.start();
    const redriver = new Redriver({ reactions: made, inbox: live.inbox, store: store.store, log, decoder: new FactDecoder(made.facts, writers) });
    redriver.start();
    this.#members.push({ process, log, subscription, live, store });
  }

  #store(process: SimulatedProcess): SimulatedStore {
    return new SimulatedStore(process, this.database, this.options.database ?? NO_DATABASE_FAULTS, this.options.mutate?.(this));
  }

  #reactions(store: SimulatedStore): Reactions {
    return reactions({ name: NAME, from: 'beginning', timeout: TIMEOUT_MS, retry: { delay: 20, maxDelay: 400 }, ...this.options.reactions }).on(OrderPaid, async ({ key, meta: { sequence }, data }, tx, { redriven }) => {
      const note = async (db: { query: typeof tx.query }, what: string) => void (await db.query(NOTE, [key, sequence, what, redriven]));
      if (this.options.putsAside && TEMPERS[data.cents] === 'flaky' && this.#fails(key, sequence, 'flaky')) {
        void pause(50).then(() => store.transaction((later) => note(later, 'row'))).catch(() => undefined);
        return;
      }
      await this.#suffer(key, sequence, TEMPERS[data.cents]!);
      await note(tx, 'row');
      await note(tx, 'fact');
    });
  }

  async #suffer(key: string, sequence: number, temper: Temper): Promise<void> {
    if (this.outage) throw new FactlineError({ code: 'spec.away', kind: this.options.outageIs ?? 'unavailable', message: 'what it needs is away' });
    if (temper === 'slow' && this.#fails(key, sequence, temper)) {
      this.reached.add('a handler that took too long');
      await pause(3 * TIMEOUT_MS);
    }
    if (temper === 'flaky' && this.#fails(key, sequence, temper)) throw new TypeError('now and then');
    if (temper === 'broken' && !this.repaired) throw new TypeError('broken');
    if (temper === 'refused' && !this.repaired) throw new FactlineError({ code: 'spec.refused', kind: 'refused', message: 'not this one' });
  }

  /** The first time. */
  #fails(key: string, sequence: number, temper: Temper): boolean {
    const name = `${key}/${sequence} ${temper}`;
    const tries = (this.#tries.get(name) ?? 0) + 1;
    this.#tries.set(name, tries);
    return tries === 1;
  }

  /** `sent` are facts of the history, some of them again later, as after crashes of a relay. */
  async publish(sent: readonly Stated[]): Promise<void> {
    const made = new Map(this.history.map((stated) => [stated, recordOf(stated)]));
    for (const stated of sent) {
      await this.simulation.turn(`${stated.key}/${stated.sequence} is published`);
      const record = made.get(stated)!;
      this.broker.append(TOPIC, partitionOf(record.key, PARTITIONS), [record]);
    }
  }

  async disturb({ after, kind }: Disturbance): Promise<void> {
    for (let turn = 0; turn < after; turn++) await this.simulation.turn('nothing happens');
    if (kind === 'rebalance') this.simulation.pick(this.#alive()).log.evict();
    if (kind === 'repair') this.repaired = true;
    if (kind === 'outage') this.outage = true;
    if (kind === 'end of the outage') this.outage = false;
    if (kind === 'requeue') await this.requeue(this.options.database);
    if (kind !== 'kill a member') return;
    this.simulation.pick(this.#alive()).process.kill();
    if (this.#alive().length === 0) this.startMember();
  }

  #letters(faults?: DatabaseFaults): ReactionDeadLetters {
    const operator = this.simulation.process(`operator ${++this.#processes}`);
    return new ReactionDeadLetters(NAME, new SimulatedStore(operator, this.database, faults ?? NO_DATABASE_FAULTS).store, new SimulatedLog(operator, this.broker), writers);
  }

  /** As an operator asks for it, who may be told that it cannot be done now. */
  async requeue(faults?: DatabaseFaults, careful = true): Promise<void> {
    const options = careful ? { canary: this.simulation.pick([0, 1]), stopAt: this.simulation.pick([0.1, 1]), ...(this.simulation.pick([true, false]) && { rate: 20 }) } : { canary: 0, stopAt: 1 };
    await this.#letters(faults).requeue({ all: true }, { ...options, by: 'spec' }).catch((error: unknown) => {
      if (!(error instanceof FactlineError)) throw error;
    });
  }

  /** What cannot be read is given up, and everything else handled again, until nothing waits. @param steps for each round. */
  async repairAll(steps: number): Promise<void> {
    this.repaired = true;
    for (let round = 0; round <= this.history.length && this.database.view.rows('letter').length > 0; round++) {
      for (const [, { key, record_offset: offset, code }] of this.database.view.rows('letter')) {
        if (typeof code !== 'string' || !code.startsWith('fact.')) continue;
        await this.#letters().purge({ key: key as string, offset: Number(offset) }, { reason: 'no fact', by: 'spec' });
      }
      await this.requeue(undefined, false);
      if (!(await this.simulation.within(steps, () => this.idle()))) return;
    }
  }

  /** No re-drive is under way. */
  idle(): boolean {
    return !this.database.view.rows('redrive').some(([, { state }]) => state === 'running');
  }

  complete(): boolean {
    const { view } = this.database;
    return this.broker.topic(TOPIC).partitions.every(({ end }, partition) => end === 0 || Number(view.get('checkpoint', `${TOPIC}/${partition}`)?.['next_offset']) >= end);
  }

  async stop(): Promise<void> {
    for (const { process } of this.#alive()) process.kill();
  }

  judge(): Verdict {
    this.#look();
    const { view } = this.database;
    const journal = view.rows('journal').map(([, row]) => row as unknown as Noted);
    const letters = view.rows('letter').map(([, { partition, record_offset: offset, code, key }]) => ({ partition: partition as number, offset: Number(offset), code: code as string | null, key: key as string }));
    const redrives = view.rows('redrive').map(([id, { tried, failed, state }]) => ({ tried, failed, state, keys: view.rows('redrive_key').filter(([, { redrive }]) => redrive === id).map(([, row]) => row['state']) }));
    const halted = this.#alive().filter(({ subscription }) => subscription.status.state === 'HALTED').map(({ process }) => process.name);
    const verdict = verdictOf({ history: this.history, journal, letters, redrives, records: (partition) => this.broker.partition(TOPIC, partition).records });
    return { ...verdict, beyondList: this.beyondList, halted };
  }

  /** Which rare paths were taken. */
  #look(): void {
    for (const { store, live, subscription } of this.#members) {
      for (const each of store.reached) this.reached.add(each);
      if (live.counts.overtaken > 0) this.reached.add('an inbox that was asked again');
      if (subscription.status.counts.fenced > 0) this.reached.add('a former owner refused');
    }
    const { view } = this.database;
    for (const [, { code }] of view.rows('letter')) this.reached.add(code === null ? 'a fact parked behind another' : `a letter ${code as string}`);
    for (const [, { state, keys }] of view.rows('redrive')) if ((keys as number) > 0) this.reached.add(`a re-drive ${state as string}`);
    if (view.rows('redrive_key').some(([, { state }]) => state === 'blocked')) this.reached.add('a key that failed again');
    if (view.rows('journal').some(([, { redriven }]) => redriven)) this.reached.add('a fact handled by a re-drive');
  }

  /** Whether a breaker is open now. */
  paused(): boolean {
    return this.#alive().some(({ subscription }) => subscription.status.trouble?.code === 'consumer.breaker');
  }

  #alive(): Member[] {
    return this.#members.filter(({ process }) => process.alive);
  }
}
