import type { FactDecoder } from 'factline/contracts';
import { type Checkpoint, type Parked, type Work, lastKnown } from 'factline/consumer';
import type { FactlineError } from 'factline/kernel';
import type { LogRecord } from 'factline/log';
import type { Executor, Session, Store, Tx } from 'factline/store';
import { Folder, type KeyState } from './fold.js';
import { loadStates } from './key-states.js';
import { Blocked, type ParkingBatch } from './parking.js';
import { RowCache } from './row-cache.js';
import { RowWriter, isRefusal } from './row-writer.js';
import type { Projection } from './projection.js';
import type { Tables } from './tables.js';

/** What a batch can be committed with: a transaction of its own, or as part of one. */
export type Transactional = Store | Session | Tx;

interface Attempt {
  readonly checkpoint: Checkpoint;
  readonly work: Work;
  readonly keys: readonly string[];
  readonly blocked: Blocked;
  /** Keys whose rows the database refused in an attempt before. */
  readonly rejected: Map<string, FactlineError>;
  /** What it would write. */
  readonly changed: Map<string, KeyState>;
}

/** What a batch did, to be remembered once it is committed. */
interface Done {
  readonly next: Checkpoint;
  readonly states: ReadonlyMap<string, KeyState>;
  readonly parking: ParkingBatch;
}

const NOBODY: ReadonlySet<string> = new Set();

/**
 * The batch engine: folds a batch in memory, key by key, and writes only the final rows, together with the checkpoint, in one statement.
 * Used by the live subscription and by a rebuild that follows the live position. The cache holds what this engine itself committed.
 */
export class BatchEngine {
  readonly #folder: Folder;
  readonly #caches = new Map<string, RowCache>();
  readonly #blocked = new Map<string, Blocked>();
  readonly #writer: RowWriter;

  constructor(
    readonly projection: Projection,
    private readonly tables: Tables,
    private readonly decoder: FactDecoder,
    private readonly db: Store | Session,
    /** Told of each fact that was parked, after the commit. */
    private readonly onParked: (at: Checkpoint, parked: Parked) => void = () => undefined,
  ) {
    this.#folder = new Folder(projection, decoder);
    this.#writer = new RowWriter(projection, tables);
  }

  get duplicates(): number {
    return this.#folder.duplicates;
  }

  /** Forgets what was remembered of all partitions: their rows may have been changed by somebody else. */
  forget(): void {
    this.#caches.clear();
    this.#blocked.clear();
  }

  /** What this process knows of a key right now; undefined when it does not remember it. */
  peek(topic: string, partition: number, key: string): KeyState | undefined {
    return this.#caches.get(`${topic}/${partition}`)?.get(key);
  }

  /** Has its statements prepared on a connection, without any effect: no checkpoint has epoch -1. The first run of a statement costs ten times the second. */
  async warm(db: Executor = this.db): Promise<void> {
    await loadStates(db, this.tables, []);
    await this.#writer.tryOut(new Map(), db);
  }

  /**
   * One transaction. `fenced`: the checkpoint was not where expected, nothing was written. A fact that cannot be applied is parked with the later ones of its key, in the same
   * transaction, and the other keys go on; see `Blocked` for when it is not parked but thrown.
   */
  async apply(checkpoint: Checkpoint, work: Work, db: Transactional = this.db): Promise<Checkpoint | 'fenced'> {
    const keys = work.records.map(keyOf);
    const unprepared = this.decoder.unprepared(work.records.map(({ value }) => value));
    if (unprepared.length > 0) await this.decoder.prepare(unprepared);
    const blocked = await this.#blockedIn(checkpoint, db);
    const rejected = new Map<string, FactlineError>();
    for (;;) {
      const attempt: Attempt = { checkpoint, work, keys, blocked, rejected, changed: new Map() };
      try {
        return await this.#attempt(attempt, db);
      } catch (error) {
        if (!isRefusal(error) || isTx(db)) throw error; // a transaction that failed takes nothing more
        const found = await this.#writer.refusedOf(attempt.changed, this.db);
        if (found.length === 0) throw error;
        for (const key of found) rejected.set(key, error);
      }
    }
  }

  async #attempt(attempt: Attempt, db: Transactional): Promise<Checkpoint | 'fenced'> {
    const { checkpoint, keys, blocked } = attempt;
    const waiting = blocked.keys.size === 0 ? [] : [...new Set(keys.filter((key) => blocked.keys.has(key)))];
    if (waiting.length === 0) return this.#remembered(attempt, await this.#write(attempt, NOBODY, db));
    const done = await inTransaction(db, async (tx) => {
      const held = await this.tables.deadLetters.holdBlocked(tx, checkpoint, waiting);
      for (const key of waiting) if (!held.has(key)) blocked.keys.delete(key); // somebody repaired it
      return this.#write(attempt, held, tx);
    });
    return this.#remembered(attempt, done);
  }

  /** Only after the commit: what was rolled back and remembered would be taken for applied when the batch is tried again, and its facts would be dropped as duplicates. */
  #remembered({ checkpoint, blocked }: Attempt, done: Done | 'fenced'): Checkpoint | 'fenced' {
    if (done === 'fenced') return 'fenced';
    const cache = this.#cache(checkpoint);
    for (const [key, state] of done.states) cache.set(key, state);
    for (const { key } of done.parking.parked) cache.delete(key); // whoever unblocks it changes its row
    blocked.commit(done.parking);
    for (const each of done.parking.parked) this.onParked(checkpoint, each);
    return done.next;
  }

  async #write({ checkpoint, work, keys, blocked, rejected, changed }: Attempt, held: ReadonlySet<string>, db: Transactional): Promise<Done | 'fenced'> {
    changed.clear(); // a transaction that lost a race runs again
    const states = await this.#states(this.#cache(checkpoint), keys, db);
    const scope = { topic: checkpoint.topic, partition: checkpoint.partition, fromZero: false };
    const parking = blocked.batch(held, rejected);
    const parks = held.size > 0 || rejected.size > 0;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      const record = work.records[i]!;
      if ((parks || parking.failed.size > 0) && parking.takes(record, key)) continue;
      const state = states.get(key)!;
      const { seen } = state;
      try {
        if (this.#folder.fold(state, key, record, scope)) changed.set(key, state);
      } catch (error) {
        state.seen = seen;
        parking.fail(record, key, error, seen);
      }
    }
    const last = lastKnown(work.records);
    const next: Checkpoint = {
      ...checkpoint,
      nextOffset: work.nextOffset,
      lastOffset: last?.offset ?? checkpoint.lastOffset,
      lastFactId: last?.id ?? checkpoint.lastFactId,
    };
    return (await this.#writeAndPark(checkpoint, next, changed, parking, db)) ? { next, states, parking } : 'fenced';
  }

  async #writeAndPark(from: Checkpoint, to: Checkpoint, changed: ReadonlyMap<string, KeyState>, { parked }: ParkingBatch, db: Transactional): Promise<boolean> {
    if (parked.length === 0) return this.#writer.write(from, to, changed, db);
    return inTransaction(db, async (tx) => {
      if (!(await this.#writer.write(from, to, changed, tx))) return false;
      await this.tables.deadLetters.park(tx, from, parked);
      return true;
    });
  }

  /** The blocked keys of a partition, read once and kept: it is this engine that blocks them, and asks before it takes one for blocked still. */
  async #blockedIn(at: Checkpoint, db: Executor): Promise<Blocked> {
    const name = `${at.topic}/${at.partition}`;
    let blocked = this.#blocked.get(name);
    if (!blocked) this.#blocked.set(name, (blocked = new Blocked(new Set(await this.tables.deadLetters.blockedKeys(db, at)))));
    return blocked;
  }

  #cache(checkpoint: Checkpoint): RowCache {
    const name = `${checkpoint.topic}/${checkpoint.partition}`;
    let cache = this.#caches.get(name);
    if (!cache) this.#caches.set(name, (cache = new RowCache()));
    return cache;
  }

  /** States are copies: a batch that fails leaves the cache as it was. Unknown keys are loaded with one query. */
  async #states(cache: RowCache, keys: readonly string[], db: Executor): Promise<Map<string, KeyState>> {
    const states = new Map<string, KeyState>();
    const unknown: string[] = [];
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      if (states.has(key)) continue;
      const known = cache.get(key);
      states.set(key, known ? { row: known.row, sequence: known.sequence, seen: known.seen } : { row: null, sequence: 0, seen: 0 });
      if (!known) unknown.push(key);
    }
    if (unknown.length > 0) for (const [key, state] of await loadStates(db, this.tables, unknown)) states.set(key, state);
    return states;
  }
}

function isTx(db: Transactional): db is Tx {
  return !('transaction' in db);
}

function inTransaction<T>(db: Transactional, work: (tx: Tx) => Promise<T>): Promise<T> {
  return isTx(db) ? work(db) : db.transaction(work);
}

export function keyOf(record: LogRecord): string {
  return record.key.toString('utf8');
}
