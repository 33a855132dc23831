import { type DeadLetter, type DeadLetterFilter, type DeadLetterTable, type KeyPlace, type PurgeFilter, type ReadLetter, type Records, type RequeueCare, inSequence, readRecords, recordOf } from 'factline/consumer';
import { FactDecoder } from 'factline/contracts';
import { FactlineError, messageOf, pause } from 'factline/kernel';
import type { FactLog, LogRecord } from 'factline/log';
import type { Store, Tx } from 'factline/store';
import { Folder, type KeyState } from './fold.js';
import { KEYS_READ } from './limits.js';
import { loadStates } from './key-states.js';
import { isPoison } from './parking.js';
import type { Projection } from './projection.js';
import { type RebuildConnections, connect } from './rebuild/connections.js';
import { RowWriter } from './row-writer.js';
import { Tables, readAbout } from './tables.js';

export interface RequeuedKey {
  readonly key: string;
  /** Facts that are applied now, or were duplicates. */
  readonly applied: number;
  /** Facts that wait still; 0: the key is not blocked any more. */
  readonly waiting: number;
  /** Why the first of them could not be applied. */
  readonly code: string | null;
  readonly reason: string | null;
}

/**
 * The dead letters of a live read model: what is blocked and why, applying it after the repair, giving it up.
 * A key is unblocked in one transaction with the row that its facts make, in the order of their sequences, while other keys and the live consumer go on; a crash leaves it blocked or repaired.
 */
export class DeadLetters {
  readonly #tables: Tables;
  readonly #waiting: DeadLetterTable;
  readonly #writer: RowWriter;

  constructor(
    private readonly projection: Projection,
    private readonly store: Store,
    private readonly decoder: FactDecoder,
    private readonly log: FactLog,
    /** Ends what was opened for it. */
    readonly close: () => Promise<void> = async () => undefined,
  ) {
    this.#tables = new Tables(projection, projection.name);
    this.#waiting = this.#tables.deadLetters;
    this.#writer = new RowWriter(projection, this.#tables);
  }

  /** With connections of its own, under the role of rebuilds: it cannot state facts. `close` ends them. */
  static async open(projection: Projection, connections: RebuildConnections): Promise<DeadLetters> {
    const { log, store, schemas, close } = await connect(connections, 'factline dead-letters');
    return new DeadLetters(projection, store, new FactDecoder(projection.facts, schemas), log, close);
  }

  /** The version of the code that made the live build, which alone may repair it. */
  async liveVersion(): Promise<number | undefined> {
    return (await readAbout(this.store, this.#tables))?.version;
  }

  /** Those of the meant keys, by place, at most 1,000 of them. */
  list(filter: DeadLetterFilter): Promise<{ letters: DeadLetter[]; keys: number; facts: number }> {
    return this.#waiting.list(this.store, filter);
  }

  /** The facts of one key as this app reads them, in order: what it selects, or why they cannot be read. */
  read(key: string): Promise<ReadLetter[]> {
    return this.#waiting.read(this.store, key, this.log, this.decoder);
  }

  /**
   * Applies the waiting facts of each meant key, each key in a transaction of its own, to the row as it is. Facts that fail again stay, with their new reason, and so do those behind them.
   * Which keys is decided at the beginning. Killed, it goes on where it was when it is called again: what was repaired is not blocked any more.
   * @throws FactlineError `dead-letters.filter` (invalid), `projection.outdated`: only the code that made the live build repairs it; `dead-letters.failing` (refused) when the
   * canary or too many keys fail again. What was repaired before stays repaired.
   */
  async *requeue(filter: DeadLetterFilter, { canary = 1, rate = Infinity, stopAt = 0.1, abort }: RequeueCare & { abort?: AbortSignal } = {}): AsyncGenerator<RequeuedKey, void, undefined> {
    const keys = await this.#waiting.keys(this.store, filter);
    await this.#assertCurrent();
    const started = performance.now();
    let failed = 0;
    let known: Records | undefined;
    for (const [tried, { topic, partition, key }] of keys.entries()) {
      if (tried % KEYS_READ === 0) known = await this.#records(await this.#waiting.ofKeys(this.store, keys.slice(tried, tried + KEYS_READ)));
      const early = started + (tried / rate) * 1_000 - performance.now();
      if (early > 0) await pause(early, abort);
      abort?.throwIfAborted();
      const done = await this.store.transaction((tx) => this.#requeueKey(tx, { topic, partition, key }, known));
      if (!done) continue;
      yield done;
      if (done.waiting > 0) failed++;
      const left = keys.length - tried - 1;
      if (left > 0 && failed > (tried < canary ? 0 : stopAt * (tried + 1))) throw stillFailing(failed, tried + 1, left, done);
    }
  }

  /** Gives the waiting facts of the meant keys up, or the one at an offset: their rows stay as they are, without these facts, and later facts are applied to them. What was given up, why and by whom is kept. */
  purge(filter: PurgeFilter, why: { reason: string; by: string }): Promise<{ keys: number; facts: number }> {
    return this.#waiting.purge(this.store, filter, async (tx, { topic, partition, key }, letters) => {
      await tx.query('insert into factline.purged_dead_letter (projection, topic, partition, key, offsets, reason, purged_by) values ($1, $2, $3, $4, $5, $6, $7)', [
        this.projection.name, topic, partition, key, letters.map(({ offset }) => offset), why.reason, why.by,
      ]);
      await this.#waiting.remove(tx, letters);
    });
  }

  async #requeueKey(tx: Tx, { topic, partition, key }: KeyPlace, known?: Records): Promise<RequeuedKey | undefined> {
    const letters = await this.#waiting.hold(tx, { topic, partition, key });
    if (letters.length === 0) return undefined; // somebody else did it
    const records = await this.#records(letters, known); // one that was parked a moment ago is not known
    const ordered = inSequence(letters, records).map((letter) => ({ letter, record: recordOf(letter, records) }));
    await this.#holdGeneration(tx, topic, partition);
    const { state, done, error } = await this.#fold(tx, ordered);
    if (state) await this.#writer.put(key, state, tx);
    await this.#waiting.remove(tx, ordered.slice(0, done).map(({ letter }) => letter));
    const first = ordered[done]?.letter;
    if (first && error) await this.#waiting.failed(tx, first, error);
    return { key, applied: done, waiting: letters.length - done, code: error?.code ?? null, reason: error ? messageOf(error) : null };
  }

  /** @returns the state after the last fact that could be applied; none when nothing changed. */
  async #fold(tx: Tx, waiting: readonly { letter: DeadLetter; record: LogRecord }[]): Promise<{ state?: KeyState; done: number; error?: FactlineError }> {
    const folder = new Folder(this.projection, this.decoder);
    const { topic, partition, key } = waiting[0]!.letter;
    const seen = waiting.find(({ letter }) => letter.code !== null)?.letter.seen ?? 0;
    let sound: KeyState = { row: null, sequence: 0, ...(await loadStates(tx, this.#tables, [key])).get(key), seen };
    let changed = false;
    for (const [done, { record }] of waiting.entries()) {
      const next = { ...sound };
      try {
        const changes = folder.fold(next, key, record, { topic, partition, fromZero: false });
        if (changes) await this.#writer.tryOut(new Map([[key, next]]), this.store);
        changed ||= changes;
      } catch (error) {
        if (isPoison(error)) return { ...(changed && { state: sound }), done, error };
        throw error;
      }
      sound = next;
    }
    return { ...(changed && { state: sound }), done: waiting.length };
  }

  /** A swap retires this row: it waits until the repair is in the build that is live now. */
  async #holdGeneration(tx: Tx, topic: string, partition: number): Promise<void> {
    await tx.query(`select from ${this.#tables.checkpoints} where topic = $1 and partition = $2 for share`, [topic, partition]);
    await this.#assertCurrent(tx);
  }

  async #assertCurrent(db: Store | Tx = this.store): Promise<void> {
    const about = await readAbout(db, this.#tables);
    if (about?.fingerprint === this.projection.fingerprint) return;
    throw new FactlineError({
      code: 'projection.outdated',
      kind: 'conflict',
      message: `The live model of '${this.projection.name}' was built by other code than this: its blocked keys cannot be repaired with it.`,
      advice: `Rebuild it with this code, which applies everything anew: factline replay run ${this.projection.name}`,
    });
  }

  async #records(letters: readonly DeadLetter[], known?: Records): Promise<Records> {
    const found = await readRecords(this.log, letters, known);
    const unprepared = this.decoder.unprepared([...found.all()].map(({ value }) => value));
    if (unprepared.length > 0) await this.decoder.prepare(unprepared);
    return found;
  }
}

function stillFailing(failed: number, tried: number, left: number, { key, code, reason }: RequeuedKey): FactlineError {
  return new FactlineError({
    code: 'dead-letters.failing',
    kind: 'refused',
    message: `${failed} of the first ${tried} keys are blocked still, so ${left} more are left as they are. The last: '${key}', ${code}: ${reason}`,
    advice: 'Repair the cause first; or choose keys by --key or --code, or allow more with --canary 0 --stop-at 1.',
    details: { failed, tried, left, key, code },
  });
}
