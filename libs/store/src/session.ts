import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import type { Client } from 'pg';
import copyStreams from 'pg-copy-streams';
import { translate } from './errors.js';
import { COPY_CHUNK_BYTES } from './limits.js';
import { type Executor, type Result, type Tx, afterCommit, commit, openTx, run } from './tx.js';

const { from: copyFrom, to: copyTo } = copyStreams;

/** One connection of its own, for what needs a session: advisory locks, COPY, SET ROLE. Use it from one loop; it does not queue. */
export class Session implements Executor {
  #lost: Error | undefined;

  constructor(private readonly client: Client) {
    client.on('error', (error) => {
      this.#lost = error;
    });
    client.on('end', () => {
      this.#lost ??= new Error('connection ended');
    });
  }

  /** Whether the connection is known to be gone; locks held by it are gone too. */
  get lost(): boolean {
    return this.#lost !== undefined;
  }

  query<Row = Record<string, unknown>>(text: string, values?: readonly unknown[], name?: string): Promise<Result<Row>> {
    return run<Row>(this.client, text, values, name);
  }

  /** Like `Store.transaction` on this session, without retry. */
  async transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    await this.query('begin');
    const { tx, close } = openTx(this.client);
    let committing = false;
    let result: T;
    try {
      result = await work(tx);
      committing = true;
      await commit(this.client);
    } catch (error) {
      close();
      await this.query('rollback').catch((lost: Error) => {
        this.#lost ??= lost; // the server rolls back by itself
      });
      throw committing ? afterCommit(error) : error;
    }
    for (const callback of close()) callback();
    return result;
  }

  /** The bytes of `COPY (...) TO STDOUT`; the statement takes no parameters, so only numbers and names checked by the caller may be in it. */
  async *copyOut(statement: string): AsyncIterable<Buffer> {
    try {
      yield* this.client.query(copyTo(statement)) as AsyncIterable<Buffer>;
    } catch (error) {
      throw translate(error);
    }
  }

  /** Feeds `COPY ... FROM STDIN`; answers how many rows the server took. */
  async copyIn(statement: string, chunks: Iterable<Buffer | string> | AsyncIterable<Buffer | string>): Promise<number> {
    const target = this.client.query(copyFrom(statement, { highWaterMark: COPY_CHUNK_BYTES }));
    try {
      await pipeline(Readable.from(chunks, { objectMode: true }), target);
    } catch (error) {
      throw translate(error);
    }
    return target.rowCount ?? 0;
  }

  async close(): Promise<void> {
    await this.client.end().catch((error: Error) => {
      this.#lost ??= error; // already gone: nothing is left to close
    });
  }
}
