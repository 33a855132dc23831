import pg from 'pg';
import { FactlineError, type Logger, backoffMs, messageOf, pause, silentLogger } from 'factline/kernel';
import { send } from './batch.js';
import { translate } from './errors.js';
import { CONNECT_TIMEOUT_MS, IDLE_IN_TRANSACTION_TIMEOUT_MS, LOCK_TIMEOUT_MS, POOL_CONNECTIONS, POOL_WAIT_MS, TRANSACTION_ATTEMPTS } from './limits.js';
import { openSession } from './open-session.js';
import type { Session } from './session.js';
import { type Executor, type Result, type Tx, afterCommit, commit, openTx, run } from './tx.js';
import { Waits } from './waits.js';

export interface StoreOptions {
  /** `postgres://user:password@host:port/database` */
  url: string;
  /** Shown in pg_stat_activity, so that `outbox doctor` can name who holds what. */
  applicationName: string;
  /** Connections at most; default 10. */
  connections?: number;
  /** Role that every connection takes on: a replay's may build read models and nothing else. */
  role?: string;
  log?: Logger;
}

export interface TransactionOptions {
  isolation?: 'read committed' | 'repeatable read' | 'serializable';
  readOnly?: boolean;
  /** How often the function may run in all, when the server reports a serialization failure or a deadlock. Default 5. */
  attempts?: number;
}

/**
 * One app's Postgres database.
 * Promised: a transaction's callbacks run after its commit only; serialization failures and deadlocks run the whole function again (up to 5 times), so it
 * must not have effects outside the database; BEGIN travels with the first statement (one round trip less).
 * Not promised: anything about a commit whose answer was lost: that is `store.outcome-unknown`, neither done nor undone.
 */
export class Store implements Executor {
  readonly #pool: pg.Pool;
  readonly #options: StoreOptions;
  readonly #log: Logger;
  readonly #waits = new Waits();
  #closed: Promise<void> | undefined;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#log = options.log ?? silentLogger;
    this.#pool = new pg.Pool({
      ...this.#connection(),
      max: options.connections ?? POOL_CONNECTIONS,
      connectionTimeoutMillis: POOL_WAIT_MS,
      options: `${this.#settings()} -c lock_timeout=${LOCK_TIMEOUT_MS} -c idle_in_transaction_session_timeout=${IDLE_IN_TRANSACTION_TIMEOUT_MS}`,
      pipeline: true,
    } as pg.PoolConfig);
    this.#pool.on('error', (error) => {
      this.#log.warn({ error: messageOf(error) }, 'an idle database connection was lost');
    });
    const held = new WeakMap<object, () => void>();
    this.#pool.on('acquire', (client) => held.set(client, this.#waits.hold()));
    this.#pool.on('release', (_error, client) => held.get(client)?.());
    // The pool listens to idle connections only: one lost between two statements of a transaction would end the process.
    this.#pool.on('connect', (client) => {
      client.on('error', (error) => this.#log.debug({ error: messageOf(error) }, 'a database connection was lost'));
    });
  }

  #connection() {
    return { connectionString: this.#options.url, application_name: this.#options.applicationName, keepAlive: true };
  }

  #settings(): string {
    return this.#options.role ? `-c role=${this.#options.role}` : '';
  }

  async query<Row = Record<string, unknown>>(text: string, values?: readonly unknown[], name?: string): Promise<Result<Row>> {
    const client = await this.#connect();
    let lost = false;
    try {
      return await run<Row>(client, text, values, name);
    } catch (error) {
      // The server's farewell arrives before the socket closes: the pool would give the connection to the next caller.
      lost = error instanceof FactlineError && error.code === 'store.unavailable';
      throw error;
    } finally {
      client.release(lost);
    }
  }

  /** Commits what `work` did, or nothing. @throws whatever `work` throws, after the rollback. */
  async transaction<T>(work: (tx: Tx) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(work, options);
      } catch (error) {
        if (!(error instanceof FactlineError && error.code === 'store.contended') || attempt >= (options.attempts ?? TRANSACTION_ATTEMPTS)) throw error;
        await pause(backoffMs(attempt, { delay: 5, maxDelay: 200 }));
      }
    }
  }

  async #attempt<T>(work: (tx: Tx) => Promise<T>, options: TransactionOptions): Promise<T> {
    const client = await this.#connect();
    const { tx, close } = openTx(client);
    const begin = `begin isolation level ${ISOLATION[options.isolation ?? 'read committed']}${options.readOnly ? ' read only' : ''}`;
    const begun = run(client, begin, undefined, begin);
    begun.catch(() => undefined); // awaited below; a rejection before that is not unhandled
    let committing = false;
    let result: T;
    try {
      result = await work(tx);
      await begun;
      committing = true;
      await commit(client);
    } catch (error) {
      close();
      await this.#rollback(client);
      throw committing ? afterCommit(error) : error;
    }
    client.release();
    this.#notify(close());
    return result;
  }

  /** The commit has happened: a callback that throws must not make it look undone, nor keep the others from running. */
  #notify(callbacks: readonly (() => void)[]): void {
    for (const callback of callbacks) {
      try {
        callback();
      } catch (error) {
        this.#log.error({ error: messageOf(error) }, 'a commit callback failed; the commit stands');
      }
    }
  }

  async #rollback(client: pg.PoolClient): Promise<void> {
    try {
      await send(client, { text: 'rollback' });
      client.release();
    } catch {
      client.release(true); // the connection is gone, and the server rolls back by itself
    }
  }

  /**
   * A connection of its own, outside the pool: for a loop that must keep running when requests use up the pool, and for what belongs to a session.
   * @throws FactlineError `store.pooled` (configuration) behind a pooler that hands its connections out by the transaction; others as for a query.
   */
  async session(): Promise<Session> {
    return openSession(() => new pg.Client({ ...this.#connection(), connectionTimeoutMillis: CONNECT_TIMEOUT_MS, options: this.#settings() }));
  }

  /** Waits for what is under way; once however often it is called. */
  close(): Promise<void> {
    this.#closed ??= this.#pool.end();
    return this.#closed;
  }

  /**
   * How long statements and transactions wait for a connection, in milliseconds: weighted towards now, and never less than the one has waited that waits longest,
   * nor than the queue is long by how long connections are used of late. It is what a full database looks like from here, before anything fails.
   */
  get connectionWaitMs(): number {
    return this.#waits.current(this.#pool.waitingCount, this.#pool.options.max);
  }

  async #connect(): Promise<pg.PoolClient> {
    const waited = this.#waits.begin();
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw translate(error);
    } finally {
      waited();
    }
  }
}

const ISOLATION = { 'read committed': 'read committed', 'repeatable read': 'repeatable read', serializable: 'serializable' } as const;
