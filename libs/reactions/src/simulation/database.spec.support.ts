import { FactlineError } from 'factline/kernel';

export type Row = Readonly<Record<string, unknown>>;
export type Values = readonly unknown[];
type Mode = 'shared' | 'exclusive';

/** One of the rows that a statement holds until its transaction ends. */
export interface RowLock {
  row: string;
  mode: Mode;
}

/** A statement as it is run: first it waits for its locks, one after another; then it sees what is committed at that moment. */
export interface Plan {
  locks?: readonly RowLock[];
  run(view: View): object[];
}

/** Plans a statement. `view` is what it sees when it begins; `free` says whether nobody else holds a row. @throws for a statement that is not simulated. */
export type Planner = (text: string, values: Values, view: View, free: (row: string) => boolean) => Plan;

type Tables = Map<string, Map<string, Row | undefined>>;

function tableOf(tables: Tables, name: string): Map<string, Row | undefined> {
  let table = tables.get(name);
  if (!table) tables.set(name, (table = new Map()));
  return table;
}

/** What one transaction sees: what is committed now, and what it wrote itself. */
export class View {
  constructor(
    private readonly committed: Tables,
    private readonly own: Tables,
  ) {}

  get(table: string, id: string): Row | undefined {
    const own = tableOf(this.own, table);
    return own.has(id) ? own.get(id) : tableOf(this.committed, table).get(id);
  }

  rows(table: string): [string, Row][] {
    const merged = new Map([...tableOf(this.committed, table), ...tableOf(this.own, table)]);
    return [...merged].filter((entry): entry is [string, Row] => entry[1] !== undefined);
  }

  set(table: string, id: string, row: Row): void {
    tableOf(this.own, table).set(id, row);
  }

  remove(table: string, id: string): void {
    tableOf(this.own, table).set(id, undefined);
  }
}

export class Transaction {
  ended = false;
  /** A statement of it failed: nothing but a rollback is taken any more. */
  failed = false;
  /** Its connection is gone. */
  lost = false;
  readonly written: Tables = new Map();
  readonly held = new Map<string, Mode>();
  waitsFor: RowLock | undefined;
}

/** One database: read committed, rows locked until the end of a transaction, a deadlock ended as PostgreSQL does. What statements mean is told by `planner`. */
export class SimulatedDatabase {
  readonly #tables: Tables = new Map();
  readonly #open = new Set<Transaction>();
  #waiting: (() => void)[] = [];
  /** Looks at what is about to be committed. */
  committing = (_view: View, _held: ReadonlyMap<string, Mode>): void => undefined;

  constructor(private readonly planner: Planner) {}

  /** What everybody sees. */
  get view(): View {
    return new View(this.#tables, new Map());
  }

  begin(): Transaction {
    const transaction = new Transaction();
    this.#open.add(transaction);
    return transaction;
  }

  async execute(transaction: Transaction, text: string, values: Values): Promise<object[]> {
    if (transaction.ended || transaction.lost) throw unavailable();
    if (transaction.failed) throw new FactlineError({ code: 'store.statement', kind: 'internal', message: 'Postgres: current transaction is aborted' });
    const view = new View(this.#tables, transaction.written);
    const plan = this.planner(text, values, view, (row) => this.#blockers(transaction, { row, mode: 'exclusive' }).length === 0);
    for (const lock of plan.locks ?? []) await this.#lock(transaction, lock);
    return plan.run(view);
  }

  commit(transaction: Transaction): void {
    if (transaction.ended || transaction.lost) throw unavailable();
    if (transaction.failed) {
      this.rollback(transaction);
      throw new FactlineError({ code: 'store.rolled-back', kind: 'internal', message: 'The transaction was rolled back at commit.' });
    }
    this.committing(new View(this.#tables, transaction.written), transaction.held);
    for (const [name, rows] of transaction.written) {
      const table = tableOf(this.#tables, name);
      for (const [id, row] of rows) {
        if (row === undefined) table.delete(id);
        else table.set(id, row);
      }
    }
    this.rollback(transaction);
  }

  /** Ends it; what it wrote and did not commit is gone. */
  rollback(transaction: Transaction): void {
    transaction.ended = true;
    transaction.held.clear();
    this.#open.delete(transaction);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #lock(transaction: Transaction, lock: RowLock): Promise<void> {
    while (!transaction.ended && this.#blockers(transaction, lock).length > 0) {
      transaction.waitsFor = lock;
      if (this.#reaches(transaction, transaction, new Set())) {
        transaction.waitsFor = undefined;
        transaction.failed = true;
        throw new FactlineError({ code: 'store.contended', kind: 'unavailable', message: 'Postgres: deadlock detected' });
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    transaction.waitsFor = undefined;
    if (transaction.ended) throw unavailable();
    if (transaction.held.get(lock.row) !== 'exclusive') transaction.held.set(lock.row, lock.mode);
  }

  #blockers(transaction: Transaction, { row, mode }: RowLock): Transaction[] {
    return [...this.#open].filter((other) => other !== transaction && other.held.has(row) && (mode === 'exclusive' || other.held.get(row) === 'exclusive'));
  }

  #reaches(from: Transaction, target: Transaction, seen: Set<Transaction>): boolean {
    if (!from.waitsFor || seen.has(from)) return false;
    seen.add(from);
    return this.#blockers(from, from.waitsFor).some((other) => other === target || this.#reaches(other, target, seen));
  }
}

export function unavailable(): FactlineError {
  return new FactlineError({ code: 'store.unavailable', kind: 'unavailable', message: 'The connection to the database is lost.' });
}
