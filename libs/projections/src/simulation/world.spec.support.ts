import { FactSubscription, Freshness } from 'factline/consumer';
import { FactDecoder, sequenceOf } from 'factline/contracts';
import { type MemoryBroker, memoryBroker, partitionOf } from 'factline/log';
import { type LogFaults, SimulatedLog, type SimulatedProcess, type Simulation } from 'factline/testing/simulation';
import { type Stated, closed, opened, paid, recordOf, writers } from '../accounts.spec.support.js';
import { LiveProjection } from '../live.js';
import { projection } from '../projection.js';
import { type Letter, ReadModelStatements } from './read-model.spec.support.js';
import { type DatabaseFaults, type Mutation, SimulatedDatabase, SimulatedStore } from './store.spec.support.js';

export const TOPIC = 'accounts';
const PARTITIONS = 2;
/** A payment of this much is what the broken fold cannot take. */
export const POISON = 13;

export interface Disturbance {
  after: number;
  kind: 'kill a member' | 'rebalance' | 'repair' | 'kill the rebuild';
}

export interface WorldOptions {
  log?: Partial<LogFaults>;
  database?: DatabaseFaults;
  mutate?: Mutation;
}

/** Keys of which something is wrong. */
export interface Verdict {
  /** Their row is not what their facts make, up to the first that waits. */
  wrongRow: string[];
  /** A fact behind one that failed is neither applied nor kept. */
  letterMissing: string[];
  letterTwice: string[];
  halted: string[];
  /** Partitions in which a batch was committed that did not begin where the one before had ended. */
  torn: readonly string[];
}

interface Account {
  account_id: string;
  balance: number;
  payments: number;
}

/** What facts make of a key, worked out without the code under test, and up to which of them. */
function accountOf(facts: readonly Stated[]): { row: Account | undefined; sequence: number } {
  let row: Account | undefined;
  let sequence = 0;
  for (const fact of facts) {
    const before = row;
    if (fact.kind === 'Opened') row = { account_id: fact.key, balance: fact.cents, payments: 0 };
    if (fact.kind === 'Paid' && row) row = { ...row, balance: row.balance + fact.cents, payments: row.payments + 1 };
    if (fact.kind === 'Closed') row = undefined;
    if (before || row) sequence = fact.sequence;
  }
  return { row, sequence };
}

/** Members that keep one read model, whose fold fails on some facts until it is repaired. */
export class ReadModelWorld {
  readonly reached = new Set<string>();
  readonly broker: MemoryBroker = memoryBroker();
  broken = true;
  /** What kills a rebuild and starts the next process of it, if there is one. */
  restartRebuild = (): void => undefined;
  readonly model = projection({ name: 'accounts', version: 1, key: 'account_id', columns: { account_id: 'text', balance: 'bigint', payments: 'integer' } })
    .on(opened(TOPIC), (_row, { key, data }) => ({ account_id: key, balance: data.cents, payments: 0 }))
    .on(paid(TOPIC), (row, { data }) => {
      if (data.cents === POISON && this.broken) throw new Error('poison');
      return row && { ...row, balance: row.balance + data.cents, payments: row.payments + 1 };
    })
    .on(closed(TOPIC), () => null);
  readonly database = new SimulatedDatabase(new ReadModelStatements(this.model));
  readonly #members: { process: SimulatedProcess; log: SimulatedLog; subscription: FactSubscription }[] = [];
  #started = 0;

  constructor(
    readonly simulation: Simulation,
    readonly history: readonly Stated[],
    readonly options: WorldOptions = {},
  ) {
    this.broker.create([{ name: TOPIC, partitions: PARTITIONS }]);
  }

  startMember(): void {
    const process = this.simulation.process(`member ${++this.#started}`);
    const { store } = new SimulatedStore(process, this.database, this.options.database ?? { refused: 0, answerLost: 0 }, this.options.mutate);
    const target = new LiveProjection(this.model, store, new FactDecoder(this.model.facts, writers));
    const log = new SimulatedLog(process, this.broker, this.options.log);
    const subscription = new FactSubscription({ name: 'accounts', group: 'g', topics: [TOPIC], log, target, freshness: new Freshness() });
    subscription.start();
    this.#members.push({ process, log, subscription });
  }

  /** `sent` are facts of the history, some of them again later, as after crashes of a relay. */
  async publish(sent: readonly Stated[]): Promise<void> {
    const made = new Map(this.history.map((stated) => [stated, recordOf(stated)]));
    for (const stated of sent) {
      await this.simulation.turn(`${stated.key}${stated.sequence} is published`);
      const record = made.get(stated)!;
      this.broker.append(TOPIC, partitionOf(record.key, PARTITIONS), [record]);
    }
  }

  async disturb({ after, kind }: Disturbance): Promise<void> {
    for (let turn = 0; turn < after; turn++) await this.simulation.turn('nothing happens');
    if (kind === 'rebalance') this.simulation.pick(this.#alive()).log.evict();
    if (kind === 'repair') await this.repair();
    if (kind === 'kill the rebuild') this.restartRebuild();
    if (kind !== 'kill a member') return;
    this.simulation.pick(this.#alive()).process.kill();
    if (this.#alive().length === 0) this.startMember();
  }

  /** Corrects the fold, and applies what waits, at one moment. */
  async repair(): Promise<void> {
    this.broken = false;
    while (!this.database.quiet) await this.simulation.turn('the repair waits for locks');
    const { build } = this.database;
    for (const key of new Set(build.letters.map((letter) => letter.key))) {
      this.reached.add('a key repaired');
      const last = Math.max(...build.letters.filter((letter) => letter.key === key).map((letter) => this.#sequence(letter)));
      const { row, sequence } = accountOf(this.#factsOf(key).filter((fact) => fact.sequence <= last));
      build.rows.delete(key);
      if (row) build.rows.set(key, { row: { ...row }, sequence });
      else build.gone.set(key, sequence);
    }
    build.letters = [];
  }

  complete(): boolean {
    const { rows } = this.database.build.checkpoints;
    return this.broker.topic(TOPIC).partitions.every(({ end }, partition) => end === 0 || Number(rows.get(`${TOPIC}/${partition}`)?.next_offset) >= end);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#alive().map(({ subscription }) => subscription.stop()));
  }

  judge(): Verdict {
    const { rows, letters } = this.database.build;
    const halted = this.#alive().filter(({ subscription }) => subscription.status.state === 'HALTED').map(({ process }) => process.name);
    const verdict = { wrongRow: [] as string[], letterMissing: [] as string[], letterTwice: [] as string[], halted, torn: this.database.build.torn };
    for (const key of new Set(this.history.map((fact) => fact.key))) {
      const waiting = letters.filter((letter) => letter.key === key);
      const failed = waiting.find(({ code }) => code !== null);
      const from = failed ? this.#sequence(failed) : Infinity;
      const { row } = accountOf(this.#factsOf(key).filter(({ sequence }) => sequence < from));
      if (JSON.stringify(rows.get(key)?.row) !== JSON.stringify(row)) verdict.wrongRow.push(key);
      const kept = new Set(waiting.map((letter) => this.#sequence(letter)));
      if (this.#factsOf(key).some(({ sequence }) => sequence >= from && !kept.has(sequence))) verdict.letterMissing.push(key);
      if (new Set(waiting.map(({ offset }) => offset)).size < waiting.length) verdict.letterTwice.push(key);
      if (waiting.length > 1) this.reached.add('a fact parked behind another');
    }
    return verdict;
  }

  #factsOf(key: string): Stated[] {
    return this.history.filter((fact) => fact.key === key);
  }

  #sequence({ topic, partition, offset }: Letter): number {
    return sequenceOf(this.broker.partition(topic, partition).records[offset]!.value);
  }

  #alive() {
    return this.#members.filter(({ process }) => process.alive);
  }
}
