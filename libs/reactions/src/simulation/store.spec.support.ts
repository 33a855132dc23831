import { FactlineError, backoffMs, pause } from 'factline/kernel';
import type { Result, Store, Tx } from 'factline/store';
import type { SimulatedProcess } from 'factline/testing/simulation';
import { type SimulatedDatabase, type Transaction, type Values, unavailable } from './database.spec.support.js';

/** Changes a statement on its way: how a control takes away what keeps a guarantee. */
export type Mutation = (text: string, values: Values) => { text: string; values: Values };

/** Probabilities, by statement. */
export interface DatabaseFaults {
  /** The connection is lost before the statement arrives. */
  refused: number;
  /** It is lost after the statement was executed; of a commit: nobody knows. */
  answerLost: number;
  /**
   * Of a commit: it is lost, and the commit arrives at the server later, when its author has begun something else. Not of dead letters: one that arrives so late may be of a fact
   * that its author has tried again meanwhile, with success; it blocks its key until it is re-driven, which finds the fact done.
   */
  commitLate: number;
}

export const NO_DATABASE_FAULTS: DatabaseFaults = { refused: 0, answerLost: 0, commitLate: 0 };

const ATTEMPTS = 5;

/** One process's connections: what reactions use of Store, and nothing else. Statements of a transaction are executed in the order in which they were sent, as on one connection. */
export class SimulatedStore {
  readonly #open = new Set<Transaction>();
  /** What happened to it that is rare. */
  readonly reached = new Set<string>();

  constructor(
    private readonly process: SimulatedProcess,
    private readonly database: SimulatedDatabase,
    private readonly faults: DatabaseFaults,
    private readonly mutate: Mutation = (text, values) => ({ text, values }),
  ) {
    process.onDeath(() => {
      for (const transaction of this.#open) this.database.rollback(transaction);
    });
  }

  get store(): Store {
    return this as unknown as Store;
  }

  async query<Row>(text: string, values: Values = []): Promise<Result<Row>> {
    const transaction = this.#begin();
    const rows = await this.#statement(transaction, text, values, () => this.database.commit(transaction));
    return { rows: rows as Row[], rowCount: rows.length };
  }

  async transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(work);
      } catch (error) {
        if (!(error instanceof FactlineError && error.code === 'store.contended') || attempt >= ATTEMPTS) throw error;
        this.reached.add('a deadlock');
        await pause(backoffMs(attempt, { delay: 5, maxDelay: 200 }));
      }
    }
  }

  async #attempt<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const transaction = this.#begin();
    let last: Promise<unknown> = Promise.resolve();
    let over = false;
    const query = <Row>(text: string, values: Values = []): Promise<Result<Row>> => {
      if (over) return Promise.reject(new FactlineError({ code: 'store.not-a-transaction', kind: 'internal', message: 'The transaction has ended.' }));
      const sent = last.then(() => this.#statement(transaction, text, values));
      last = sent.catch(() => undefined);
      return sent.then((rows) => ({ rows: rows as Row[], rowCount: rows.length }));
    };
    let result: T;
    try {
      result = await work({ query, onCommit: () => undefined } as unknown as Tx);
    } catch (error) {
      over = true;
      await last;
      await this.process.request('rollback', () => this.#end(transaction));
      throw error;
    }
    over = true;
    await last;
    await this.#commit(transaction);
    return result;
  }

  async #commit(transaction: Transaction): Promise<void> {
    const { simulation } = this.process;
    try {
      await this.process.request('commit', () => {
        if (simulation.strikes(this.faults.refused)) throw this.#lost(transaction);
        if (!transaction.written.has('letter') && simulation.strikes(this.faults.commitLate)) {
          simulation.later('a commit arrives', () => {
            if (!transaction.ended) this.database.commit(transaction);
            this.#open.delete(transaction);
          });
          this.reached.add('a late commit');
          throw unavailable();
        }
        this.database.commit(transaction);
        this.#open.delete(transaction);
        if (simulation.strikes(this.faults.answerLost)) throw unavailable();
      });
    } catch (error) {
      if ((error as FactlineError).code !== 'store.unavailable') throw error;
      this.reached.add('a commit without an answer');
      throw new FactlineError({ code: 'store.outcome-unknown', kind: 'unavailable', retry: false, message: 'The connection was lost while committing.' }); // as Store says it
    }
  }

  async #statement(transaction: Transaction, given: string, parameters: Values, then: () => void = () => undefined): Promise<object[]> {
    const { simulation } = this.process;
    const { text, values } = this.mutate(given, parameters);
    return this.process.request(text.replaceAll(/\s+/g, ' ').trim().slice(0, 60), async () => {
      if (simulation.strikes(this.faults.refused)) throw this.#lost(transaction);
      const rows = await this.database.execute(transaction, text, values);
      then();
      if (simulation.strikes(this.faults.answerLost)) throw this.#lost(transaction);
      return rows;
    });
  }

  #begin(): Transaction {
    const transaction = this.database.begin();
    this.#open.add(transaction);
    return transaction;
  }

  #end(transaction: Transaction): void {
    this.database.rollback(transaction);
    this.#open.delete(transaction);
  }

  /** The server notices some time later, and holds its locks until then; whoever speaks on this connection learns it at once. */
  #lost(transaction: Transaction): FactlineError {
    transaction.lost = true;
    this.process.simulation.later('a lost connection is noticed', () => this.#end(transaction));
    return unavailable();
  }
}
