import { FactlineError } from 'factline/kernel';
import type { Simulation } from 'factline/testing/simulation';

export interface StoredFact {
  slot: number;
  id: number;
  xid: bigint;
  topic: string;
  key: string;
  sequence: number;
  value: Buffer;
}

interface KeyRow {
  sequence: number;
  /** Has changed it and not ended; others wait for its end. */
  holder: Transaction | undefined;
}

/** A transaction or a single statement outside one. */
export interface Transaction {
  xid: bigint | undefined;
  ended: boolean;
  /** Its commit does not wait for the disk. */
  quick: boolean;
  /** In the order in which they are undone, last first. */
  undo: (() => void)[];
  redo: (() => void)[];
  waitsFor: Transaction | undefined;
}

export interface RelayRow {
  cluster: string | null;
  epoch: number;
  previous: string;
  current: string | null;
  pageId: number;
  delivered: number;
}

/** A fact that was set aside for a partition. */
export interface HeldRow {
  topic: string;
  partition: number;
  id: number;
  key: string;
  sequence: number;
  value: Buffer;
}

const SLOTS = [0, 1, 2];
const FIRST_XID = 740n;

/**
 * The outbox's tables with the rules of PostgreSQL that the relay leans on: 64-bit transaction ids drawn at the first write, snapshots of what had ended
 * (xmax is the last one that ended plus one), rows that become visible with the end of their transaction in whatever order, numbers of a sequence that no
 * rollback gives back, row locks until the end, a session's advisory lock, table locks for TRUNCATE, an answered commit that a crash takes back where it was not flushed.
 * Each call happens at one moment; waiting for locks is the only thing that takes time.
 */
export class SimulatedPostgres {
  facts: StoredFact[] = [];
  /** What was committed, for the judge: rotation removes the rows. */
  readonly committed: StoredFact[] = [];
  readonly filled = SLOTS.map(() => false);
  slot = { slot: 0, firstId: 1, rotations: 0 };
  relay: RelayRow = { cluster: null, epoch: 0, previous: '1:1:', current: null, pageId: 0, delivered: 0 };
  /** What a crash of the server leaves of the relay's row. */
  flushed: RelayRow = this.relay;
  held: readonly HeldRow[] = [];
  #flushedHeld: readonly HeldRow[] = [];
  lastId = 0;
  advisory: object | undefined;
  readonly #keys = new Map<string, KeyRow>();
  readonly #running = new Set<bigint>();
  readonly #open = new Set<Transaction>();
  readonly #inSlot = SLOTS.map(() => new Set<Transaction>());
  readonly #emptying: (Transaction | undefined)[] = SLOTS.map(() => undefined);
  #nextXid = FIRST_XID;
  #lastEnded = FIRST_XID - 1n;
  #ends: (() => void)[] = [];

  constructor(readonly simulation: Simulation) {}

  snapshot(): string {
    const xmax = this.#lastEnded + 1n;
    const running = [...this.#running].filter((xid) => xid < xmax);
    return `${running[0] ?? xmax}:${xmax}:${running.join(',')}`;
  }

  begin(): Transaction {
    const transaction: Transaction = { xid: undefined, ended: false, quick: false, undo: [], redo: [], waitsFor: undefined };
    this.#open.add(transaction);
    return transaction;
  }

  xidOf(transaction: Transaction): bigint {
    if (transaction.xid === undefined) {
      transaction.xid = this.#nextXid++;
      this.#running.add(transaction.xid);
    }
    return transaction.xid;
  }

  /** What `outbox_add` does, in its order: the key's lock, its number, the id. */
  async state(transaction: Transaction, slot: number, topic: string, key: string, value: Buffer): Promise<void> {
    const xid = this.xidOf(transaction);
    const row = await this.#locked(transaction, `${topic}/${key}`);
    const sequence = ++row.sequence;
    transaction.undo.push(() => row.sequence--);
    await this.#free(transaction, () => this.#emptying[slot], () => this.#inSlot[slot]!.add(transaction));
    const fact = { slot, id: ++this.lastId, xid, topic, key, sequence, value };
    this.filled[slot] = true;
    this.facts.push(fact);
    transaction.undo.push(() => (this.facts = this.facts.filter((each) => each !== fact)));
    transaction.redo.push(() => this.committed.push(fact));
  }

  /** Rows that a statement sees which begins now; it waits for the slots that are being emptied. */
  async visible(): Promise<StoredFact[]> {
    for (const slot of SLOTS) await this.#free(undefined, () => this.#emptying[slot]);
    return this.ended();
  }

  /** Rows whose transactions have committed, by id. */
  ended(): StoredFact[] {
    return this.facts.filter(({ xid }) => !this.#running.has(xid)).toSorted((one, other) => one.id - other.id);
  }

  /** Rows of one slot as its only user sees them. */
  inSlot(slot: number): StoredFact[] {
    return this.facts.filter((fact) => fact.slot === slot && !this.#running.has(fact.xid));
  }

  /** @throws FactlineError `store.locked` when a writer is in it. */
  lockSlot(transaction: Transaction, slot: number): void {
    if (this.#inSlot[slot]!.size > 0 || this.#emptying[slot]) throw new FactlineError({ code: 'store.locked', kind: 'unavailable', message: 'canceling statement due to lock timeout' });
    this.#emptying[slot] = transaction;
  }

  truncate(transaction: Transaction, slot: number): void {
    this.xidOf(transaction);
    const before = this.facts;
    this.facts = before.filter((fact) => fact.slot !== slot);
    const removed = before.filter((fact) => fact.slot === slot);
    transaction.undo.push(() => this.facts.push(...removed));
    transaction.redo.push(() => (this.filled[slot] = false));
  }

  /** A change of the relay's row; `quick` ones are lost when the server crashes before another transaction was flushed. */
  put(transaction: Transaction, relay: RelayRow, quick: boolean): void {
    this.xidOf(transaction);
    transaction.quick = quick;
    this.relay = relay;
  }

  /** What is set aside from now on. */
  hold(transaction: Transaction, held: readonly HeldRow[]): void {
    this.xidOf(transaction);
    this.held = held;
  }

  commit(transaction: Transaction): void {
    if (transaction.ended) throw gone();
    for (const run of transaction.redo) run();
    // The log of the server is one: who waits for its own record waits for all before it.
    if (transaction.xid !== undefined && !transaction.quick) [this.flushed, this.#flushedHeld] = [this.relay, this.held];
    this.#end(transaction);
  }

  rollback(transaction: Transaction): void {
    if (transaction.ended) return;
    for (const run of transaction.undo.toReversed()) run();
    this.#end(transaction);
  }

  /** Everything open is undone, and what was not flushed. Sessions end too: see the store. */
  crash(): void {
    for (const transaction of this.#open) this.rollback(transaction);
    [this.relay, this.held] = [this.flushed, this.#flushedHeld];
    this.advisory = undefined;
  }

  async #locked(transaction: Transaction, name: string): Promise<KeyRow> {
    const row = this.#keys.get(name) ?? { sequence: 0, holder: undefined };
    this.#keys.set(name, row);
    await this.#free(transaction, () => (row.holder === transaction ? undefined : row.holder), () => (row.holder = transaction));
    return row;
  }

  /** Waits until nobody holds it, and takes it at the same moment. @throws FactlineError `store.contended` for a deadlock, `store.unavailable` when the waiting transaction ended meanwhile. */
  async #free(waiting: Transaction | undefined, holder: () => Transaction | undefined, take: () => unknown = () => undefined): Promise<void> {
    for (let held = holder(); held; held = holder()) {
      if (waiting) waiting.waitsFor = held;
      for (let next: Transaction | undefined = held; next; next = next.waitsFor) {
        if (next !== waiting) continue;
        waiting!.waitsFor = undefined;
        throw new FactlineError({ code: 'store.contended', kind: 'unavailable', message: 'deadlock detected' });
      }
      await new Promise<void>((resolve) => this.#ends.push(resolve));
      if (waiting) waiting.waitsFor = undefined;
    }
    if (waiting?.ended) throw gone();
    take();
  }

  #end(transaction: Transaction): void {
    transaction.ended = true;
    this.#open.delete(transaction);
    if (transaction.xid !== undefined) {
      this.#running.delete(transaction.xid);
      if (transaction.xid > this.#lastEnded) this.#lastEnded = transaction.xid;
    }
    for (const row of this.#keys.values()) if (row.holder === transaction) row.holder = undefined;
    for (const slot of SLOTS) {
      this.#inSlot[slot]!.delete(transaction);
      if (this.#emptying[slot] === transaction) this.#emptying[slot] = undefined;
    }
    for (const wake of this.#ends.splice(0)) wake();
  }
}

export function gone(): FactlineError {
  return new FactlineError({ code: 'store.unavailable', kind: 'unavailable', message: 'The connection to the database is lost.' });
}
