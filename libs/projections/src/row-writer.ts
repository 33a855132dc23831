import type { Checkpoint } from 'factline/consumer';
import { FactlineError } from 'factline/kernel';
import type { Executor, Tx } from 'factline/store';
import { arrayLiteral, assertRow } from './encode.js';
import type { KeyState } from './fold.js';
import type { Projection } from './projection.js';
import type { Tables } from './tables.js';

/** No checkpoint has epoch -1: what is written with it has no effect. */
const NO_CHECKPOINT: Checkpoint = { topic: '', partition: 0, topicId: '', nextOffset: 0, lastOffset: null, lastFactId: null, generation: 0, epoch: -1 };

/** Writes the rows that folding ended with: many in one statement. */
export class RowWriter {
  readonly #apply: string;

  constructor(
    private readonly projection: Projection,
    private readonly tables: Tables,
  ) {
    this.#apply = tables.apply;
  }

  /** Rows and checkpoint, both or neither. @returns whether the checkpoint was where expected. @throws FactlineError `projection.row-invalid`, `store.value`. */
  async write(from: Checkpoint, to: Checkpoint, changed: ReadonlyMap<string, KeyState>, db: Executor): Promise<boolean> {
    const { rows } = await db.query<{ moved: number }>(
      this.#apply,
      [from.topic, from.partition, from.nextOffset, from.generation, from.epoch, to.nextOffset, to.lastOffset, to.lastFactId, ...this.#effects(changed)],
      `apply_${this.tables.schema}`,
    );
    return rows[0]!.moved === 1;
  }

  /** The row of a key that the caller holds. */
  async put(key: string, state: KeyState, tx: Tx): Promise<void> {
    await tx.query(this.tables.put, this.#effects(new Map([[key, state]])));
  }

  /** Runs the statement without any effect: it refuses what it would refuse. */
  async tryOut(changed: ReadonlyMap<string, KeyState>, db: Executor): Promise<void> {
    await this.write(NO_CHECKPOINT, NO_CHECKPOINT, changed, db);
  }

  /** The keys whose rows the database refuses, of many that it refused together: found by halves, about 2 log n statements for each. */
  async refusedOf(changed: ReadonlyMap<string, KeyState>, db: Executor): Promise<string[]> {
    const search = async (part: readonly (readonly [string, KeyState])[]): Promise<string[]> => {
      if (part.length === 0 || (await this.#accepts(new Map(part), db))) return [];
      if (part.length === 1) return [part[0]![0]];
      return [...(await search(part.slice(0, part.length / 2))), ...(await search(part.slice(part.length / 2)))];
    };
    return search([...changed]);
  }

  async #accepts(changed: ReadonlyMap<string, KeyState>, db: Executor): Promise<boolean> {
    try {
      await this.tryOut(changed, db);
      return true;
    } catch (error) {
      if (isRefusal(error)) return false;
      throw error;
    }
  }

  /** What `Tables.apply` and `Tables.put` take: deleted keys and their sequences, then the columns of rows and theirs. */
  #effects(changed: ReadonlyMap<string, KeyState>): string[] {
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
    return [
      arrayLiteral(gone, String),
      arrayLiteral(goneSequences, String, true),
      ...columns.map(({ name, toText, bare }) => arrayLiteral(kept.map((row) => (row as Record<string, unknown>)[name]), toText, bare)),
      arrayLiteral(sequences, String, true),
    ];
  }
}

/** What says that a row cannot be stored, and not which one of many. */
export function isRefusal(error: unknown): error is FactlineError {
  return error instanceof FactlineError && ['store.value', 'projection.row-invalid'].includes(error.code);
}
