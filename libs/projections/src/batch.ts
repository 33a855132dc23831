import { type FactDecoder, factIdOf } from 'factline/contracts';
import type { Checkpoint, Work } from 'factline/consumer';
import type { LogRecord } from 'factline/log';
import type { Executor } from 'factline/store';
import { arrayLiteral, assertRow } from './encode.js';
import { Folder, type KeyState } from './fold.js';
import { RowCache } from './row-cache.js';
import type { Projection } from './projection.js';
import type { Tables } from './tables.js';

/**
 * The batch engine: folds a batch in memory, key by key, and writes only the final rows, together with the checkpoint, in one statement.
 * Used by the live subscription and by a rebuild that follows the live position. The cache holds what this engine itself committed.
 */
export class BatchEngine {
  readonly #folder: Folder;
  readonly #caches = new Map<string, RowCache>();
  readonly #statement: string;

  constructor(
    readonly projection: Projection,
    private readonly tables: Tables,
    private readonly decoder: FactDecoder,
    private readonly db: Executor,
  ) {
    this.#folder = new Folder(projection, decoder);
    this.#statement = tables.apply;
  }

  get duplicates(): number {
    return this.#folder.duplicates;
  }

  /** Forgets what was remembered of all partitions: their rows may have been changed by somebody else. */
  forget(): void {
    this.#caches.clear();
  }

  /** What this process knows of a key right now; undefined when it does not remember it. */
  peek(topic: string, partition: number, key: string): KeyState | undefined {
    return this.#caches.get(`${topic}/${partition}`)?.get(key);
  }

  /** Has its statements prepared on a connection, without any effect: no checkpoint has epoch -1. The first run of a statement costs ten times the second. */
  async warm(db: Executor = this.db): Promise<void> {
    await db.query(this.tables.load, ['{}'], `load_${this.tables.schema}`);
    const nobody: Checkpoint = { topic: '', partition: 0, topicId: '', nextOffset: 0, lastOffset: null, lastFactId: null, generation: 0, epoch: -1 };
    await this.#write(nobody, nobody, new Map(), db);
  }

  /** One transaction. `fenced`: the checkpoint was not where expected, nothing was written. */
  async apply(checkpoint: Checkpoint, work: Work, db: Executor = this.db): Promise<Checkpoint | 'fenced'> {
    const cache = this.#cache(checkpoint);
    const keys = work.records.map(keyOf);
    const states = await this.#states(cache, keys, work.records);
    const scope = { topic: checkpoint.topic, partition: checkpoint.partition, fromZero: false };
    const changed = new Map<string, KeyState>();
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      const state = states.get(key)!;
      if (this.#folder.fold(state, key, work.records[i]!, scope)) changed.set(key, state);
    }
    const last = work.records.at(-1);
    const next: Checkpoint = {
      ...checkpoint,
      nextOffset: work.nextOffset,
      lastOffset: last?.offset ?? checkpoint.lastOffset,
      lastFactId: last?.value ? Buffer.from(factIdOf(last.value)) : checkpoint.lastFactId,
    };
    if (!(await this.#write(checkpoint, next, changed, db))) return 'fenced';
    for (const [key, state] of states) cache.set(key, state);
    return next;
  }

  #cache(checkpoint: Checkpoint): RowCache {
    const name = `${checkpoint.topic}/${checkpoint.partition}`;
    let cache = this.#caches.get(name);
    if (!cache) this.#caches.set(name, (cache = new RowCache()));
    return cache;
  }

  /** States are copies: a batch that fails leaves the cache as it was. Unknown keys are loaded with one query. */
  async #states(cache: RowCache, keys: readonly string[], records: readonly LogRecord[]): Promise<Map<string, KeyState>> {
    const states = new Map<string, KeyState>();
    const unknown: string[] = [];
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      if (states.has(key)) continue;
      const known = cache.get(key);
      states.set(key, known ? { row: known.row, sequence: known.sequence, seen: known.seen } : { row: null, sequence: 0, seen: 0 });
      if (!known) unknown.push(key);
    }
    const unprepared = this.decoder.unprepared(records.map(({ value }) => value));
    if (unprepared.length > 0) await this.decoder.prepare(unprepared);
    if (unknown.length > 0) await this.#load(states, unknown);
    return states;
  }

  async #load(states: Map<string, KeyState>, unknown: readonly string[]): Promise<void> {
    const { rows } = await this.db.query<{ factline_sequence: number; gone_key: string | null } & Record<string, unknown>>(
      this.tables.load,
      [arrayLiteral(unknown, String)],
      `load_${this.tables.schema}`,
    );
    for (const { factline_sequence: sequence, gone_key: gone, ...row } of rows) {
      const state = states.get(gone ?? (row[this.projection.key] as string))!;
      state.sequence = sequence;
      state.row = gone === null ? row : null;
    }
  }

  async #write(from: Checkpoint, to: Checkpoint, changed: ReadonlyMap<string, KeyState>, db: Executor): Promise<boolean> {
    const { columns } = this.tables;
    const gone: string[] = [];
    const goneSequences: number[] = [];
    const kept: object[] = [];
    const sequences: number[] = [];
    for (const [key, { row, sequence }] of changed) {
      if (row === null) {
        gone.push(key);
        goneSequences.push(sequence);
      } else {
        assertRow(this.projection, columns, key, row);
        kept.push(row);
        sequences.push(sequence);
      }
    }
    const { rows } = await db.query<{ moved: number }>(
      this.#statement,
      [
        from.topic,
        from.partition,
        from.nextOffset,
        from.generation,
        from.epoch,
        to.nextOffset,
        to.lastOffset,
        to.lastFactId,
        arrayLiteral(gone, String),
        arrayLiteral(goneSequences, String, true),
        ...columns.map(({ name, toText, bare }) => arrayLiteral(kept.map((row) => (row as Record<string, unknown>)[name]), toText, bare)),
        arrayLiteral(sequences, String, true),
      ],
      `apply_${this.tables.schema}`,
    );
    return rows[0]!.moved === 1;
  }
}

export function keyOf(record: LogRecord): string {
  return record.key.toString('utf8');
}
