import { FactlineError } from 'factline/kernel';
import type { Result, Session, Store, Tx } from 'factline/store';
import type { SimulatedProcess, SqlValue } from 'factline/testing/simulation';
import { type SimulatedPostgres, type Transaction, gone } from './postgres.spec.support.js';
import { answer } from './statements.spec.support.js';

/** Changes a statement on its way: how a control takes away what keeps a guarantee. */
export type Mutation = (text: string, database: SimulatedPostgres) => string;

/** One process's connections to the simulated database: what the relay uses of Store and Session, and nothing else. */
export class SimulatedStore {
  readonly sessions = new Set<SimulatedSession>();

  constructor(
    readonly process: SimulatedProcess,
    readonly database: SimulatedPostgres,
    readonly mutate: Mutation = (text) => text,
  ) {}

  /** As the relay takes it; whatever it uses that is not here throws. */
  get store(): Store {
    return this as unknown as Store;
  }

  async query<Row>(text: string, values?: readonly SqlValue[]): Promise<Result<Row>> {
    return this.process.request(nameOf(text), async () => {
      const transaction = this.database.begin();
      try {
        const rows = await answer({ database: this.database, session: transaction, transaction }, this.mutate(text, this.database), values);
        this.database.commit(transaction);
        return resultOf<Row>(rows);
      } catch (error) {
        this.database.rollback(transaction);
        throw error;
      }
    });
  }

  async transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const transaction = await this.begin();
    const query = <Row>(text: string, values?: readonly SqlValue[]): Promise<Result<Row>> =>
      this.process.request(nameOf(text), async () => {
        if (transaction.ended) throw gone();
        return resultOf<Row>(await answer({ database: this.database, session: transaction, transaction }, this.mutate(text, this.database), values));
      });
    try {
      const result = await work({ query, onCommit: () => undefined } as unknown as Tx);
      await this.process.request('commit', () => this.database.commit(transaction));
      return result;
    } catch (error) {
      await this.process.request('rollback', () => this.database.rollback(transaction));
      throw error;
    }
  }

  /** A transaction that the server undoes when this process is gone. */
  async begin(): Promise<Transaction> {
    const transaction = await this.process.request('begin', () => this.database.begin());
    this.process.onDeath(() => this.database.rollback(transaction));
    return transaction;
  }

  async session(): Promise<Session> {
    const session = await this.process.request('connect', () => new SimulatedSession(this));
    this.sessions.add(session);
    this.process.onDeath(() => session.end());
    return session as unknown as Session;
  }
}

/** A connection of its own. It may have ended on the server some time before its client learns of it. */
class SimulatedSession {
  lost = false;
  #ended = false;

  constructor(private readonly at: SimulatedStore) {}

  /** As the server ends it: its lock is free at once. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const { database, process } = this.at;
    if (database.advisory === this) database.advisory = undefined;
    process.simulation.later(`${process.name} learns that its session ended`, () => (this.lost = true));
  }

  async query<Row>(text: string, values?: readonly SqlValue[]): Promise<Result<Row>> {
    return this.at.process.request(nameOf(text), () => this.#run<Row>(text, values));
  }

  async *copyOut(statement: string): AsyncIterable<Buffer> {
    const { rows } = await this.at.process.request('read a page', () => this.#run<{ chunk: Buffer }>(statement));
    yield rows[0]!.chunk;
  }

  async close(): Promise<void> {
    await this.at.process.request('disconnect', () => this.end());
  }

  async #run<Row>(text: string, values?: readonly SqlValue[]): Promise<Result<Row>> {
    const { database, mutate } = this.at;
    if (this.#ended) throw gone();
    const transaction = database.begin();
    try {
      const rows = await answer({ database, session: this, transaction }, mutate(text, database), values);
      database.commit(transaction);
      return resultOf<Row>(rows);
    } catch (error) {
      database.rollback(transaction);
      if (error instanceof FactlineError) this.lost = true;
      throw error;
    }
  }
}

function resultOf<Row>(rows: unknown[]): Result<Row> {
  return { rows: rows as Row[], rowCount: rows.length };
}

function nameOf(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 60);
}
