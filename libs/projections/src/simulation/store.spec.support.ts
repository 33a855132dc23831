import { FactlineError } from 'factline/kernel';
import type { Result, Session, Store, Tx } from 'factline/store';
import type { SimulatedProcess } from 'factline/testing/simulation';
import { Build, type ReadModelStatements } from './read-model.spec.support.js';

type Values = readonly unknown[];
/** Changes a statement on its way: how a control takes away what keeps a guarantee. */
export type Mutation = (text: string, values: Values) => { text: string; values: Values };

interface Transaction {
  ended: boolean;
  /** What it has written; seen by itself only until it commits. */
  written: [string, Values][];
  locks: Set<string>;
}

/** One database: read committed, with locks on rows that are held until the end of a transaction. */
export class SimulatedDatabase {
  build = new Build();
  readonly #locks = new Map<string, Transaction>();
  #waiting: (() => void)[] = [];

  constructor(readonly statements: ReadModelStatements) {}

  get quiet(): boolean {
    return this.#locks.size === 0;
  }

  begin(): Transaction {
    return { ended: false, written: [], locks: new Set() };
  }

  /** Waits for its locks, and sees what is committed at the moment in which it has them. */
  async execute(transaction: Transaction, text: string, values: Values): Promise<object[]> {
    for (let names = this.#names(transaction, text, values); !this.#take(transaction, names); names = this.#names(transaction, text, values)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (transaction.ended) throw unavailable();
    const rows = this.statements.execute(this.#view(transaction), text, values);
    transaction.written.push([text, values]);
    return rows;
  }

  commit(transaction: Transaction): void {
    if (transaction.ended) throw unavailable();
    for (const [text, values] of transaction.written) this.statements.execute(this.build, text, values);
    this.rollback(transaction);
  }

  rollback(transaction: Transaction): void {
    transaction.ended = true;
    for (const name of transaction.locks) this.#locks.delete(name);
    transaction.locks.clear();
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #view({ written }: Transaction): Build {
    const view = this.build.copy();
    for (const [text, values] of written) this.statements.execute(view, text, values);
    return view;
  }

  #names(transaction: Transaction, text: string, values: Values): string[] {
    return this.statements.locks(this.#view(transaction), text, values);
  }

  #take(transaction: Transaction, names: readonly string[]): boolean {
    if (transaction.ended) return true;
    if (names.some((name) => this.#locks.has(name) && this.#locks.get(name) !== transaction)) return false;
    for (const name of names) {
      this.#locks.set(name, transaction);
      transaction.locks.add(name);
    }
    return true;
  }
}

export interface DatabaseFaults {
  refused: number;
  answerLost: number;
}

/** One process's connections: what read models use of Store, and nothing else. As a session it has one transaction at a time. */
export class SimulatedStore {
  #open: Transaction | undefined;

  constructor(
    private readonly process: SimulatedProcess,
    private readonly database: SimulatedDatabase,
    private readonly faults: DatabaseFaults,
    private readonly mutate: Mutation = (text, values) => ({ text, values }),
  ) {}

  get store(): Store {
    return this as unknown as Store;
  }

  get session(): Session {
    return this as unknown as Session;
  }

  async copyIn(statement: string, chunks: Iterable<string>): Promise<number> {
    const text = [...chunks].join('');
    await this.#request(labelOf(statement), () => this.database.execute(this.#open!, statement, [text]));
    return text.split('\n').length - 1;
  }

  query<Row>(given: string, parameters: Values = []): Promise<Result<Row>> {
    const { text, values } = this.mutate(given, parameters);
    return this.#request(labelOf(text), async () => {
      const transaction = this.database.begin();
      const rows = await this.database.execute(transaction, text, values);
      this.database.commit(transaction);
      return { rows: rows as Row[], rowCount: rows.length };
    });
  }

  async transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const transaction = await this.#request('begin', () => this.database.begin());
    this.process.onDeath(() => this.database.rollback(transaction));
    this.#open = transaction;
    const query = <Row>(given: string, parameters: Values = []): Promise<Result<Row>> => {
      const { text, values } = this.mutate(given, parameters);
      return this.#request(labelOf(text), async () => {
        const rows = await this.database.execute(transaction, text, values);
        return { rows: rows as Row[], rowCount: rows.length };
      });
    };
    let result: T;
    try {
      result = await work({ query, onCommit: () => undefined } as unknown as Tx);
    } catch (error) {
      this.database.rollback(transaction);
      throw error;
    }
    try {
      await this.#request('commit', () => this.database.commit(transaction));
    } catch {
      this.database.rollback(transaction);
      throw new FactlineError({ code: 'store.outcome-unknown', kind: 'unavailable', retry: false, message: 'The connection was lost while committing.' }); // as Store says it
    }
    return result;
  }

  #request<T>(label: string, effect: () => T | Promise<T>): Promise<T> {
    const { simulation } = this.process;
    return this.process.request(label, async () => {
      if (simulation.strikes(this.faults.refused)) throw unavailable();
      const result = await effect();
      if (simulation.strikes(this.faults.answerLost)) throw unavailable();
      return result;
    });
  }
}

function unavailable(): FactlineError {
  return new FactlineError({ code: 'store.unavailable', kind: 'unavailable', message: 'The connection to the database is lost.' });
}

function labelOf(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 60);
}
