import { type Executor, identifier, tableExists } from 'factline/store';
import { type Checkpoint, checkpointTable } from './checkpoint.js';
import { LETTER_COLUMNS, type DeadLetter, type LetterRow, letterOf } from './dead-letters/dead-letter.js';
import { PROGRESS_MARKS } from './limits.js';

/** How far a partition is, for others to read. */
export interface ProgressEntry {
  readonly checkpoint: Checkpoint;
  /** null: not known. */
  readonly asOfMs: number | null;
  /** Whether facts were applied since the last entry. */
  readonly moved: boolean;
}

/** What the checkpoints of one schema say about one place of the log. Times are the database's. */
export interface Reached {
  readonly topicId: string;
  readonly generation: number;
  readonly nextOffset: number;
  readonly lastOffset: number | null;
  /** When the checkpoint last moved, which was with the fact at `lastOffset`. */
  readonly movedAt: Date;
  readonly asOf: Date | null;
  /** The last moment of which it is known that the checkpoint had not passed the place. */
  readonly notYetAt: Date | null;
  /** The first moment of which it is known that it had; null: the marks do not reach back so far, or it has not. */
  readonly passedBy: Date | null;
  /** The fact waits, because it or one of its key before it could not be applied. */
  readonly letter: DeadLetter | null;
  /** The one that it waits behind, or itself. */
  readonly failed: DeadLetter | null;
}

interface CheckpointRow {
  topic_id: string;
  generation: number;
  next_offset: string;
  last_offset: string | null;
  updated_at: Date;
  as_of: Date | null;
}

/**
 * Marks of where checkpoints stood when, in the schema of the checkpoints, so that it can be said later when a fact was applied: between two marks. One a second and partition
 * while facts are applied, a ring of PROGRESS_MARKS: what was applied longer ago than the oldest mark has no upper time, and none is made up.
 */
export class Progress {
  readonly #marks: string;

  constructor(private readonly schema: string) {
    this.#marks = `${identifier(schema)}.progress_mark`;
  }

  get create(): string {
    return `create table if not exists ${this.#marks} (topic text not null, partition integer not null, slot integer not null, next_offset bigint not null,
  asked_at timestamptz not null, answered_at timestamptz not null, primary key (topic, partition, slot)) with (fillfactor = 50)`;
  }

  /**
   * Writes as-of times beside the checkpoints, and marks where they moved. A checkpoint of another generation is left alone. A mark says what this statement saw in the table: its
   * snapshot was taken after `asked_at` and before `answered_at`.
   */
  async record(db: Executor, entries: readonly ProgressEntry[]): Promise<void> {
    await db.query(
      `with given as (select * from unnest($1::text[], $2::integer[], $3::integer[], $4::double precision[], $5::boolean[]) as g (topic, partition, generation, as_of, moved)),
        marked as (insert into ${this.#marks} select c.topic, c.partition, extract(epoch from statement_timestamp())::bigint % ${PROGRESS_MARKS}, c.next_offset, statement_timestamp(), clock_timestamp()
          from given g join ${checkpointTable(this.schema)} c using (topic, partition) where c.generation = g.generation and g.moved
          on conflict (topic, partition, slot) do update set next_offset = excluded.next_offset, asked_at = excluded.asked_at, answered_at = excluded.answered_at)
       update ${checkpointTable(this.schema)} c set as_of = greatest(c.as_of, to_timestamp(g.as_of / 1000.0)) from given g
       where g.as_of is not null and c.topic = g.topic and c.partition = g.partition and c.generation = g.generation`,
      [
        entries.map(({ checkpoint }) => checkpoint.topic),
        entries.map(({ checkpoint }) => checkpoint.partition),
        entries.map(({ checkpoint }) => checkpoint.generation),
        entries.map(({ asOfMs }) => asOfMs),
        entries.map(({ moved }) => moved),
      ],
    );
  }

  /** undefined: nothing was ever read of this partition into this schema. */
  async of(db: Executor, { topic, partition, offset }: { topic: string; partition: number; offset: number }): Promise<Reached | undefined> {
    const { rows } = await db.query<CheckpointRow>(`select topic_id, generation, next_offset, last_offset, updated_at, as_of from ${checkpointTable(this.schema)} where topic = $1 and partition = $2`, [topic, partition]);
    const [at] = rows;
    if (!at) return undefined;
    const letters = await this.#letters(db, topic, partition, offset);
    return {
      topicId: at.topic_id,
      generation: at.generation,
      nextOffset: Number(at.next_offset),
      lastOffset: at.last_offset === null ? null : Number(at.last_offset),
      movedAt: at.updated_at,
      asOf: at.as_of,
      ...(await this.#around(db, topic, partition, offset)),
      letter: letters.find((letter) => letter.offset === offset) ?? null,
      failed: letters.find(({ code }) => code !== null) ?? null,
    };
  }

  /** The letters of the fact's key, when the fact is among them. */
  async #letters(db: Executor, topic: string, partition: number, offset: number): Promise<DeadLetter[]> {
    const table = `${identifier(this.schema)}.dead_letter`;
    const { rows } = await db.query<LetterRow>(
      `select ${LETTER_COLUMNS} from ${table} where topic = $1 and partition = $2 and key = (select key from ${table} where topic = $1 and partition = $2 and record_offset = $3 limit 1)
         and (record_offset = $3 or code is not null) order by record_offset`,
      [topic, partition, offset],
    );
    return rows.map(letterOf);
  }

  async #around(db: Executor, topic: string, partition: number, offset: number): Promise<Pick<Reached, 'notYetAt' | 'passedBy'>> {
    if (!(await tableExists(db, this.#marks))) return { notYetAt: null, passedBy: null }; // made by an earlier version of this software, which kept no marks
    const { rows } = await db.query<{ not_yet_at: Date | null; passed_by: Date | null }>(
      `select max(asked_at) filter (where next_offset <= $3) as not_yet_at, min(answered_at) filter (where next_offset > $3) as passed_by from ${this.#marks} where topic = $1 and partition = $2`,
      [topic, partition, offset],
    );
    return { notYetAt: rows[0]!.not_yet_at, passedBy: rows[0]!.passed_by };
  }
}
