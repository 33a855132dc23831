import type { ClientBase } from 'pg';
import { FactlineError } from 'factline/kernel';
import { send } from './batch.js';
import { translate } from './errors.js';

export interface Result<Row> {
  rows: Row[];
  rowCount: number;
}

/** Anything that runs one SQL statement; values are always parameters ($1, $2 ...). */
export interface Executor {
  /** `name` prepares the statement once per connection under that name: worth it for statements that run thousands of times. */
  query<Row = Record<string, unknown>>(text: string, values?: readonly unknown[], name?: string): Promise<Result<Row>>;
}

declare const transaction: unique symbol;

/**
 * A transaction that is open now: the first argument of everything that writes. Only `Store.transaction` and adapters such as `fromPg` make one,
 * so a pool or a plain client is refused by the compiler, and by `assertTx` at run time.
 */
export interface Tx extends Executor {
  readonly [transaction]: true;
  /** Runs after a successful commit, in order; never after a rollback. It must not throw: the commit has happened. */
  onCommit(run: () => void): void;
}

const open = new WeakMap<object, (() => void)[]>();

/** Opens a Tx over a client whose transaction has begun; `close` answers the commit callbacks and ends the Tx's validity. */
export function openTx(client: ClientBase): { tx: Tx; close(): (() => void)[] } {
  const callbacks: (() => void)[] = [];
  const tx = {
    query: async <Row>(text: string, values?: readonly unknown[], name?: string): Promise<Result<Row>> => {
      assertTx(tx);
      return run<Row>(client, text, values, name);
    },
    onCommit: (callback: () => void) => {
      callbacks.push(callback);
    },
  } as Tx;
  open.set(tx, callbacks);
  return {
    tx,
    close: () => {
      open.delete(tx);
      return callbacks;
    },
  };
}

const parents = new WeakMap<object, Tx>();

/** Another handle on the same transaction, for one of several that share it: what is said of it (`causedBy`) is said of no other. It ends with the transaction. */
export function partOf(tx: Tx): Tx {
  const part = { query: tx.query, onCommit: tx.onCommit } as Tx;
  parents.set(part, tx);
  return part;
}

/** @throws FactlineError `store.not-a-transaction` (internal) for a pool, a client, or a transaction that has ended. */
export function assertTx(candidate: unknown): asserts candidate is Tx {
  if (typeof candidate === 'object' && candidate !== null && open.has(parents.get(candidate) ?? candidate)) return;
  throw new FactlineError({
    code: 'store.not-a-transaction',
    kind: 'internal',
    message: 'The first argument is not an open transaction.',
    advice: 'Pass the tx given by store.transaction(async (tx) => ...), or fromPg(client) after BEGIN, and await everything before the transaction ends.',
  });
}

/** What made a transaction happen: facts stated in it say so. */
export interface Cause {
  readonly correlationId: string;
  readonly causationId: string;
}

const causes = new WeakMap<Tx, () => Cause>();

/** Says why this transaction runs; asked for only when something is stated in it. */
export function causedBy(tx: Tx, cause: () => Cause): void {
  causes.set(tx, cause);
}

export function causeOf(tx: Tx): Cause | undefined {
  return causes.get(tx)?.();
}

const traces = new WeakMap<Tx, string>();

/** Says which sampled trace this transaction is part of: facts stated in it carry it on. A W3C traceparent. */
export function tracedBy(tx: Tx, traceparent: string): void {
  traces.set(tx, traceparent);
}

export function traceOf(tx: Tx): string | undefined {
  return traces.get(tx);
}

/**
 * Adapts a pg client on which your code has sent BEGIN. Call `committed()` after COMMIT succeeded, so that a relay in this process wakes at once;
 * without it the relay finds the fact by polling.
 * @throws FactlineError `store.not-a-transaction` for a pool or a client that is not inside a transaction.
 */
export function fromPg(client: ClientBase): { tx: Tx; committed(): void } {
  const status = (client as { getTransactionStatus?: () => string | null }).getTransactionStatus?.();
  if (status !== 'T') assertTx(undefined);
  const { tx, close } = openTx(client);
  return {
    tx,
    committed: () => {
      for (const callback of close()) callback();
    },
  };
}

/** One statement on one connection, with this library's errors. */
export async function run<Row>(client: ClientBase, text: string, values?: readonly unknown[], name?: string): Promise<Result<Row>> {
  try {
    const result = await send(client, { text, ...(values && { values: values as unknown[] }), ...(name && { name }) });
    return { rows: result.rows as Row[], rowCount: result.rowCount ?? 0 };
  } catch (error) {
    throw translate(error);
  }
}

/** Postgres answers ROLLBACK to the COMMIT of a failed transaction: without this look a swallowed statement error would pass for a commit. */
export async function commit(client: ClientBase): Promise<void> {
  let command: string;
  try {
    ({ command } = await send(client, { text: 'commit' }));
  } catch (error) {
    throw translate(error);
  }
  if (command !== 'COMMIT') {
    throw new FactlineError({
      code: 'store.rolled-back',
      kind: 'internal',
      message: 'The transaction was rolled back at commit: one of its statements had failed and the error was not passed on.',
      advice: 'Let statement errors leave the transaction function, or use a savepoint.',
    });
  }
}

/** What an error means that came while committing: of a lost connection nobody knows whether the server had committed before. */
export function afterCommit(error: unknown): unknown {
  if (!(error instanceof FactlineError) || error.code !== 'store.unavailable') return error;
  return new FactlineError({
    code: 'store.outcome-unknown',
    kind: 'unavailable',
    retry: false,
    message: 'The connection was lost while committing: the transaction may or may not have happened.',
    advice: 'Look before doing it again, or repeat it with the same idempotency key.',
    cause: error,
  });
}
