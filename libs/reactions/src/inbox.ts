import { DeadLetterTable, type KeyPlace, Progress, checkpointTable, createCheckpoints } from 'factline/consumer';
import { type Executor, type Tx, identifier } from 'factline/store';

/** Up to where a key is done. */
export interface Done {
  /** 0: nothing of it yet. */
  sequence: number;
  factId: Buffer | null;
}

/** A step of one key: from where it was to where it is. */
export interface Step {
  key: string;
  expected: number;
  sequence: number;
  factId: Buffer | null;
}

const MOVE_ONE = 'factline_inbox_move';
const BEGIN_ONE = 'factline_inbox_begin';

/**
 * What a subscription of reactions keeps in its Postgres schema: its checkpoints, its dead letters, and its inbox, one row a key: the last sequence that is done, and when. The row
 * is moved in the transaction of the effect, and only from where it was expected; so a fact is in effect once, whatever its age and whoever else tries.
 */
export class Inbox {
  readonly name: string;
  readonly checkpoints: string;
  readonly deadLetters: DeadLetterTable;
  readonly progress: Progress;
  /** Built once: they run for each fact. */
  readonly #sql: ReturnType<typeof statements>;

  constructor(readonly schema: string) {
    this.name = `${identifier(schema)}.inbox`;
    this.#sql = statements(this.name);
    this.checkpoints = checkpointTable(schema);
    this.deadLetters = new DeadLetterTable(schema);
    this.progress = new Progress(schema);
  }

  get create(): string {
    return `create schema if not exists ${identifier(this.schema)};
${createCheckpoints(this.schema)};
${this.deadLetters.create}
${this.progress.create};
create table if not exists ${this.name} (topic text collate "C" not null, key text collate "C" not null, sequence bigint not null, fact_id bytea, done_at timestamptz default clock_timestamp(), primary key (key, topic)) with (fillfactor = 70);
do $$ begin
  if not exists (select from pg_attribute where attrelid = '${this.name}'::regclass and attname = 'done_at') then
    alter table ${this.name} add column done_at timestamptz, alter column done_at set default clock_timestamp();
  end if;
end $$;`;
  }

  async load(db: Executor, topic: string, keys: readonly string[]): Promise<Map<string, Done>> {
    const { rows } = await db.query<{ key: string; sequence: string; fact_id: Buffer | null }>(`select key, sequence, fact_id from ${this.name} where topic = $1 and key = any($2::text[])`, [topic, keys]);
    return new Map(rows.map(({ key, sequence, fact_id: factId }) => [key, { sequence: Number(sequence), factId }]));
  }

  /** @returns whether all keys were where they were expected; when not, roll back. */
  async move(tx: Tx, topic: string, steps: readonly Step[]): Promise<boolean> {
    const [first] = steps;
    if (steps.length === 1) return this.#moveOne(tx, topic, first!);
    const { rows } = await tx.query<{ moved: number }>(
      this.#sql.moveMany,
      [topic, steps.map(({ key }) => key), steps.map(({ expected }) => expected), steps.map(({ sequence }) => sequence), steps.map(({ factId }) => factId)],
      `${MOVE_ONE}_many_${this.schema}`,
    );
    return rows[0]!.moved === steps.length;
  }

  async #moveOne(tx: Tx, topic: string, { key, expected, sequence, factId }: Step): Promise<boolean> {
    const { rowCount } =
      expected === 0
        ? await tx.query(this.#sql.beginOne, [topic, key, sequence, factId], `${BEGIN_ONE}_${this.schema}`)
        : await tx.query(this.#sql.moveOne, [topic, key, expected, sequence, factId], `${MOVE_ONE}_${this.schema}`);
    return rowCount === 1;
  }

  /** Takes keys on to facts that need no effect, or that were given up. Never back. */
  async pass(db: Executor, topic: string, steps: readonly Omit<Step, 'expected'>[]): Promise<void> {
    await db.query(
      `insert into ${this.name} as i (topic, key, sequence, fact_id) select $1, * from unnest($2::text[], $3::bigint[], $4::bytea[])
       on conflict (topic, key) do update set sequence = excluded.sequence, fact_id = excluded.fact_id, done_at = clock_timestamp() where i.sequence < excluded.sequence`,
      [topic, steps.map(({ key }) => key), steps.map(({ sequence }) => sequence), steps.map(({ factId }) => factId)],
    );
  }

  /** Whether this epoch still owns the partition, and holds it until the transaction ends: whoever takes it over waits. */
  async owns(tx: Tx, { topic, partition, epoch }: Omit<KeyPlace, 'key'> & { epoch: number }): Promise<boolean> {
    const { rowCount } = await tx.query(`select from ${this.checkpoints} where topic = $1 and partition = $2 and epoch = $3 for share`, [topic, partition, epoch]);
    return rowCount === 1;
  }
}

function statements(inbox: string) {
  return {
    /** $1 topic, then arrays: $2 keys, $3 expected sequences, $4 sequences, $5 fact ids. */
    moveMany: `with given as (select * from unnest($2::text[], $3::bigint[], $4::bigint[], $5::bytea[]) as g (key, expected, sequence, fact_id)),
        moved as (update ${inbox} i set sequence = g.sequence, fact_id = g.fact_id, done_at = clock_timestamp() from given g where i.topic = $1 and i.key = g.key and i.sequence = g.expected returning 1),
        begun as (insert into ${inbox} (topic, key, sequence, fact_id) select $1, key, sequence, fact_id from given where expected = 0 on conflict do nothing returning 1)
       select ((select count(*) from moved) + (select count(*) from begun))::integer as moved`,
    /** $1 topic, $2 key, $3 sequence, $4 fact id. */
    beginOne: `insert into ${inbox} (topic, key, sequence, fact_id) values ($1, $2, $3, $4) on conflict do nothing`,
    /** $1 topic, $2 key, $3 expected sequence, $4 sequence, $5 fact id. */
    moveOne: `update ${inbox} set sequence = $4, fact_id = $5, done_at = clock_timestamp() where topic = $1 and key = $2 and sequence = $3`,
  };
}
