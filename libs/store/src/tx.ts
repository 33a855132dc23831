export interface Result<Row> {
  rows: Row[];
  rowCount: number;
}

/** Anything that runs one SQL statement. */
export interface Executor {
  query<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Result<Row>>;
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
