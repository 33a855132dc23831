import type { FactDecoder } from 'factline/contracts';
import { FactlineError } from 'factline/kernel';
import type { FactLog } from 'factline/log';
import { type Executor, type Store, type Tx, identifier } from 'factline/store';
import { checkpointTable } from '../checkpoint.js';
import { DEAD_LETTERS_READ } from '../limits.js';
import { type DeadLetter, LETTER_COLUMNS, type LetterRow, type Parked, idOf, letterOf, numberOf, reasonOf, writtenWith } from './dead-letter.js';
import { type ReadLetter, readLetters } from './read-letter.js';

/** Which keys are meant. One of them has to be said: nothing is not everything. */
export interface DeadLetterFilter {
  readonly key?: string;
  /** Keys whose failed fact has this code. */
  readonly code?: string;
  /** Keys whose failed fact was written with this schema; with a code: both of the same fact. */
  readonly schemaId?: number;
  readonly all?: boolean;
}

/** What is given up: everything that waits of the meant keys, or the one fact at an offset. */
export type PurgeFilter = DeadLetterFilter & { readonly offset?: number };

/** How carefully keys are tried again. */
export interface RequeueCare {
  /** Keys that are tried first: when one of them is blocked still, nothing else is touched. Default 1. */
  readonly canary?: number;
  /** Keys a second at most. Default: as fast as it goes. */
  readonly rate?: number;
  /** Stops when more than this share of the keys so far is blocked still, looked at after the canary. Default 0.1. */
  readonly stopAt?: number;
}

/** A key of one partition. */
export interface KeyPlace {
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
}

type Place = Pick<KeyPlace, 'topic' | 'partition'>;

/**
 * Facts that a subscription could not apply, and those of the same keys that wait behind them, in the schema of its checkpoints. A key with rows here is blocked; deleting
 * them unblocks it. The value is not copied: it lies in the log, with fields that nobody selected.
 */
export class DeadLetterTable {
  readonly name: string;
  /** The statements of a running subscription. */
  readonly sql: ReturnType<typeof statements>;

  constructor(schema: string) {
    this.name = `${identifier(schema)}.dead_letter`;
    this.sql = statements(this.name, checkpointTable(schema));
  }

  /**
   * Makes the table, or adds what one of an earlier version lacks; asked first, because altering waits for whoever holds a row, needed or not.
   * Without primary key: a rebuild copies rows in, and order is by offset.
   */
  get create(): string {
    return `create table if not exists ${this.name} (topic text not null, partition integer not null, record_offset bigint not null, key text not null,
  fact_id bytea, code text, reason text, seen bigint, as_of timestamptz, parked_at timestamptz not null default clock_timestamp(), sequence bigint, schema_id bigint);
do $$ begin
  if not exists (select from pg_attribute where attrelid = '${this.name}'::regclass and attname = 'schema_id') then
    alter table ${this.name} add column if not exists sequence bigint, add column schema_id bigint;
  end if;
end $$;
create index if not exists dead_letter_key on ${this.name} (topic, partition, key);`;
  }

  async blockedKeys(db: Executor, { topic, partition }: Place): Promise<string[]> {
    const { rows } = await db.query<{ key: string }>(this.sql.blockedKeys, [topic, partition]);
    return rows.map(({ key }) => key);
  }

  async countKeys(db: Executor): Promise<number> {
    const { rows } = await db.query<{ keys: number }>(this.sql.countKeys);
    return rows[0]!.keys;
  }

  /** Those of the keys that are blocked still, held so until the transaction ends; whoever unblocks one is waited for. */
  async holdBlocked(tx: Tx, { topic, partition }: Place, keys: readonly string[]): Promise<Set<string>> {
    const { rows } = await tx.query<{ key: string }>(this.sql.holdBlocked, [topic, partition, keys]);
    return new Set(rows.map(({ key }) => key));
  }

  /** Writes down what is kept of parked facts. One that is there already is not written twice. */
  async park(db: Executor, { topic, partition }: Place, parked: readonly Parked[]): Promise<void> {
    await db.query(this.sql.park, [
      topic,
      partition,
      parked.map(({ record }) => record.offset),
      parked.map(({ key }) => key),
      parked.map(({ record }) => idOf(record)),
      parked.map(({ error }) => error?.code ?? null),
      parked.map(({ error }) => (error ? reasonOf(error) : null)),
      parked.map(({ seen }) => seen || null),
      parked.map(({ record }) => numberOf(record) ?? null),
      parked.map(({ record }) => writtenWith(record) ?? null),
    ]);
  }

  /** Those of the meant keys, by place, at most 1,000 of them; counts are of all. @throws FactlineError `dead-letters.filter` (invalid). */
  async list(db: Executor, filter: DeadLetterFilter): Promise<{ letters: DeadLetter[]; keys: number; facts: number }> {
    const [condition, values] = this.#condition(filter);
    const { rows } = await db.query<LetterRow>(`select ${LETTER_COLUMNS} from ${this.name} d where ${condition} order by topic, partition, key, record_offset limit ${DEAD_LETTERS_READ}`, values);
    const { rows: counts } = await db.query<{ keys: number; facts: number }>(`select count(distinct (topic, key))::integer as keys, count(*)::integer as facts from ${this.name} d where ${condition}`, values);
    return { letters: rows.map(letterOf), ...counts[0]! };
  }

  /** The facts of one key, in the order of the log, as the decoder's app reads them. @throws what is away. */
  async read(db: Executor, key: string, log: FactLog, decoder: FactDecoder): Promise<ReadLetter[]> {
    return readLetters((await this.list(db, { key })).letters, log, decoder);
  }

  /** The meant keys, the one that was blocked first at the beginning. @throws FactlineError `dead-letters.filter` (invalid). */
  async keys(db: Executor, filter: DeadLetterFilter): Promise<KeyPlace[]> {
    const [condition, values] = this.#condition(filter);
    return (await db.query<KeyPlace>(`select topic, partition, key from ${this.name} d where ${condition} group by 1, 2, 3 order by min(parked_at), 3`, values)).rows;
  }

  /** What waits of several keys, in the order of the log, at most 1,000. */
  async ofKeys(db: Executor, keys: readonly KeyPlace[]): Promise<DeadLetter[]> {
    const { rows } = await db.query<LetterRow>(`select ${LETTER_COLUMNS} from ${this.name} where key = any($1::text[]) order by record_offset limit ${DEAD_LETTERS_READ}`, [keys.map(({ key }) => key)]);
    return rows.map(letterOf);
  }

  /** All of the key's letters, held: whoever parks another behind them waits. Looked for twice, because one may have been parked while the first look waited. */
  async hold(tx: Tx, { topic, partition, key }: KeyPlace): Promise<DeadLetter[]> {
    const held = `select ${LETTER_COLUMNS} from ${this.name} where topic = $1 and partition = $2 and key = $3 order by record_offset`;
    await tx.query(`${held} for update`, [topic, partition, key]);
    return (await tx.query<LetterRow>(held, [topic, partition, key])).rows.map(letterOf);
  }

  /** Why a letter failed, the last time. */
  async failed(tx: Tx, { topic, partition, offset }: DeadLetter, error: FactlineError): Promise<void> {
    await tx.query(`update ${this.name} set code = $4, reason = $5 where topic = $1 and partition = $2 and record_offset = $3`, [topic, partition, offset, error.code, reasonOf(error)]);
  }

  /**
   * Gives up what waits of the meant keys, or the one fact at an offset, each key in a transaction of its own with its letters held.
   * @param giveUp writes down what, why and by whom, and removes them; of `all` letters of the key it is given those that are `meant`, at least one.
   */
  async purge(store: Store, { offset, ...filter }: PurgeFilter, giveUp: (tx: Tx, place: KeyPlace, meant: readonly DeadLetter[], all: readonly DeadLetter[]) => Promise<void>): Promise<{ keys: number; facts: number }> {
    let facts = 0;
    const keys = await this.keys(store, filter);
    for (const place of keys) {
      facts += await store.transaction(async (tx) => {
        const all = await this.hold(tx, place);
        const meant = all.filter((letter) => offset === undefined || letter.offset === offset);
        if (meant.length > 0) await giveUp(tx, place, meant, all);
        return meant.length;
      });
    }
    return { keys: keys.length, facts };
  }

  async remove(tx: Tx, letters: readonly DeadLetter[]): Promise<void> {
    const [first] = letters;
    if (!first) return;
    await tx.query(`delete from ${this.name} where topic = $1 and partition = $2 and key = $3 and record_offset = any($4::bigint[])`, [first.topic, first.partition, first.key, letters.map(({ offset }) => offset)]);
  }

  #condition({ key, code, schemaId, all }: DeadLetterFilter): [string, (string | number)[]] {
    const values: (string | number)[] = [];
    const is = (column: string, value: string | number | undefined) => (value === undefined ? [] : [`${column} = $${values.push(value)}`]);
    const own = is('d.key', key);
    const failed = [...is('f.code', code), ...is('f.schema_id', schemaId)];
    if (failed.length > 0) own.push(`exists (select from ${this.name} f where f.topic = d.topic and f.partition = d.partition and f.key = d.key and f.code is not null and ${failed.join(' and ')})`);
    if (own.length > 0 || all) return [own.join(' and ') || 'true', values];
    throw new FactlineError({ code: 'dead-letters.filter', kind: 'invalid', message: 'Which keys are meant is not said.', advice: 'Name a key, a code or a schema, or say all.' });
  }
}

function statements(table: string, checkpoints: string) {
  return {
    /** $1 topic, $2 partition. */
    blockedKeys: `select distinct key from ${table} where topic = $1 and partition = $2`,
    countKeys: `select count(distinct (topic, key))::integer as keys from ${table}`,
    /** $1 topic, $2 partition, $3 keys. */
    holdBlocked: `select key from ${table} where topic = $1 and partition = $2 and key = any($3::text[]) for share`,
    /** $1 topic, $2 partition, then arrays: $3 offsets, $4 keys, $5 fact ids, $6 codes, $7 reasons, $8 sequences before, $9 sequences, $10 schema ids. */
    park: `insert into ${table} (topic, partition, as_of, record_offset, key, fact_id, code, reason, seen, sequence, schema_id)
       select $1, $2, (select as_of from ${checkpoints} where topic = $1 and partition = $2), p.*
       from unnest($3::bigint[], $4::text[], $5::bytea[], $6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[]) as p (record_offset, key, fact_id, code, reason, seen, sequence, schema_id)
       where not exists (select from ${table} d where d.topic = $1 and d.partition = $2 and d.key = p.key and d.record_offset = p.record_offset)`,
  };
}
