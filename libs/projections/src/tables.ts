import { DeadLetterTable, Pauses, Progress, advanceCheckpoint, checkpointTable, createCheckpoints } from 'factline/consumer';
import { FactlineError } from 'factline/kernel';
import { type Executor, type Migration, type Store, identifier, migrate, migrateSchemaMemory } from 'factline/store';
import { type Column, columnsOf, selectList } from './encode.js';
import type { Projection } from './projection.js';

/** The schemas of a projection: the live build, the one being built, and the one before the last swap. */
export function schemaNames(projection: string): { live: string; next: string; previous: string } {
  return { live: projection, next: `${projection}_next`, previous: `${projection}_previous` };
}

/** What a schema of a projection says about itself. */
export interface About {
  generation: number;
  version: number;
  fingerprint: string;
}

const MIGRATIONS: readonly Migration[] = [
  {
    name: 'rebuilds and the replay role',
    sql: `
create table factline.rebuild (
  projection text primary key,
  phase text not null,
  plan jsonb not null,
  progress jsonb not null default '{}',
  started_at timestamptz not null default clock_timestamp(),
  heartbeat_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz
);
create table factline.swap (
  number bigint generated always as identity primary key,
  projection text not null,
  direction text not null,
  from_generation integer not null,
  to_generation integer not null,
  held_ms double precision,
  at timestamptz not null default clock_timestamp()
);
do $$
declare replay text := 'factline_replay_' || current_database();
begin
  if not exists (select from pg_roles where rolname = replay) then
    execute format('create role %I nologin', replay);
  end if;
  execute format('grant %I to current_user', replay);
  execute format('grant create on database %I to %I', current_database(), replay);
  execute format('grant usage on schema factline to %I', replay);
  execute format('grant select, insert, update, delete on factline.rebuild, factline.swap, factline.schema to %I', replay);
end $$;`,
  },
  {
    name: 'dead letters that were given up',
    sql: `
create table factline.purged_dead_letter (
  number bigint generated always as identity primary key,
  projection text not null,
  topic text not null,
  partition integer not null,
  key text not null,
  offsets bigint[] not null,
  reason text not null,
  purged_by text not null,
  purged_at timestamptz not null default clock_timestamp()
);
do $$ begin
  execute format('grant select, insert on factline.purged_dead_letter to %I', 'factline_replay_' || current_database());
end $$;`,
  },
];

/** The tables that all projections of an app share, and the role that owns read models: it has no right to the outbox, so a replay cannot state facts. */
export async function migrateProjections(store: Store): Promise<string[]> {
  return [...(await migrateSchemaMemory(store)), ...(await Pauses.migrate(store)), ...(await migrate(store, 'projections', MIGRATIONS))];
}

/** The role under which read models are built; per database. */
export async function replayRole(store: Executor): Promise<string> {
  const { rows } = await store.query<{ role: string; exists: boolean }>(
    "select role, exists (select from pg_roles where rolname = role) as exists from (select 'factline_replay_' || current_database() as role) r",
  );
  if (rows[0]!.exists) return rows[0]!.role;
  throw new FactlineError({
    code: 'projection.not-migrated',
    kind: 'configuration',
    message: 'This database has no factline tables for read models yet.',
    advice: 'Start the app once, or run: factline migrate --app <app>',
  });
}

/** All SQL text of one projection in one schema; built once. */
export class Tables {
  readonly columns: readonly Column[];
  readonly table: string;
  readonly gone: string;
  /** Facts that this build could not apply. */
  readonly deadLetters: DeadLetterTable;
  readonly progress: Progress;

  constructor(
    readonly projection: Projection,
    readonly schema: string,
  ) {
    this.columns = columnsOf(projection);
    this.table = `${identifier(schema)}.${identifier(projection.name)}`;
    this.gone = `${identifier(schema)}.gone`;
    this.deadLetters = new DeadLetterTable(schema);
    this.progress = new Progress(schema);
  }

  get #names(): string {
    return [...this.columns.map(({ name }) => identifier(name)), 'factline_sequence'].join(', ');
  }

  /** Tables without keys and indexes: rows are loaded first. */
  get create(): string {
    const columns = this.columns.map(({ name, type, nullable }) => `${identifier(name)} ${type}${nullable ? '' : ' not null'}`);
    return `
create schema if not exists ${identifier(this.schema)};
create table if not exists ${this.table} (${columns.join(', ')}, factline_sequence bigint not null) with (fillfactor = 70);
create table if not exists ${this.gone} (key text not null, sequence bigint not null);
create table if not exists ${identifier(this.schema)}.about (generation integer not null, version integer not null, fingerprint text not null, built_at timestamptz not null default clock_timestamp());
${createCheckpoints(this.schema)};
${this.deadLetters.create}
${this.progress.create};`;
  }

  /** Keys and indexes, one statement each, by what they are called in progress reports. */
  get indexes(): { name: string; sql: string }[] {
    const key = identifier(this.projection.key);
    return [
      { name: 'primary key', sql: `alter table ${this.table} add primary key (${key})` },
      { name: 'deleted keys', sql: `alter table ${this.gone} add primary key (key)` },
      ...this.projection.indexes.map((columns) => ({
        name: `index (${columns.join(', ')})`,
        sql: `create index on ${this.table} (${columns.map(identifier).join(', ')})`,
      })),
    ];
  }

  get analyze(): string {
    return `analyze ${this.table}`;
  }

  get copyRows(): string {
    return `copy ${this.table} (${this.#names}) from stdin`;
  }

  get copyGone(): string {
    return `copy ${this.gone} (key, sequence) from stdin`;
  }

  /** $1 keys: rows that exist, and for keys without a row the sequence at which they were deleted. */
  get load(): string {
    const key = identifier(this.projection.key);
    return `select ${selectList(this.columns)}, factline_sequence::double precision as factline_sequence, null as gone_key from ${this.table} where ${key} = any($1::text[])
      union all
      select ${this.columns.map(() => 'null').join(', ')}, sequence::double precision, key from ${this.gone} g
      where key = any($1::text[]) and not exists (select 1 from ${this.table} where ${key} = g.key)`;
  }

  /** $1 key: the sequence of the last selected fact that this key's row contains. */
  get sequenceOf(): string {
    return `select greatest(
      (select factline_sequence from ${this.table} where ${identifier(this.projection.key)} = $1),
      (select sequence from ${this.gone} where key = $1))::double precision as sequence`;
  }

  /**
   * One statement, so one transaction in one round trip: the checkpoint's compare-and-set, and everything else only if it held.
   * $1-$8 as in advanceCheckpoint; $9 deleted keys, $10 their sequences; then one array per column, and last the sequences of the rows.
   */
  get apply(): string {
    return `with moved as (${advanceCheckpoint(this.schema)}), ${this.#effects(9, 'where exists (select from moved)')} select count(*)::integer as moved from moved`;
  }

  /** The same without a checkpoint, for the one row of a key that the caller holds: $1 deleted keys, $2 their sequences, then the columns. */
  get put(): string {
    return `with ${this.#effects(1, '')} select 1`;
  }

  /** Deletes and writes rows given as arrays, from parameter `at` on. */
  #effects(at: number, condition: string): string {
    const arrays = [...this.columns.map(({ type }) => type), 'bigint'].map((type, i) => `$${at + 2 + i}::${type}[]`);
    const assignments = this.columns.filter(({ name }) => name !== this.projection.key).map(({ name }) => `${identifier(name)} = excluded.${identifier(name)}`);
    const key = identifier(this.projection.key);
    return `deleted as (delete from ${this.table} where ${key} = any($${at}::text[])${condition && ` and ${condition.replace('where ', '')}`}),
      gone as (insert into ${this.gone} (key, sequence) select * from unnest($${at}::text[], $${at + 1}::bigint[]) ${condition}
        on conflict (key) do update set sequence = excluded.sequence),
      written as (insert into ${this.table} (${this.#names}) select * from unnest(${arrays.join(', ')}) ${condition}
        on conflict (${key}) do update set ${[...assignments, 'factline_sequence = excluded.factline_sequence'].join(', ')})`;
  }

  /** As of when nothing is missing: where partitions stand, and no later than the last moment at which nothing was parked yet. Null while some of it is unknown. */
  get asOf(): string {
    return `select case when c.rows = c.known and d.rows = d.known then least(c.as_of, d.as_of) end as as_of, d.keys
      from (select count(*) as rows, count(as_of) as known, min(as_of) as as_of from ${this.checkpoints}) c,
        (select count(*) as rows, count(as_of) as known, min(as_of) as as_of, count(distinct (topic, key))::integer as keys from ${this.deadLetters.name}) d`;
  }

  get about(): string {
    return `select generation, version, fingerprint from ${identifier(this.schema)}.about`;
  }

  get checkpoints(): string {
    return checkpointTable(this.schema);
  }
}

export async function schemaExists(db: Executor, schema: string): Promise<boolean> {
  const { rows } = await db.query<{ exists: boolean }>('select exists (select from pg_namespace where nspname = $1) as exists', [schema]);
  return rows[0]!.exists;
}

export async function readAbout(db: Executor, tables: Tables): Promise<About | undefined> {
  if (!(await schemaExists(db, tables.schema))) return undefined;
  const { rows } = await db.query<About>(tables.about);
  return rows[0];
}

export async function writeAbout(db: Executor, tables: Tables, about: About): Promise<void> {
  await db.query(`delete from ${identifier(tables.schema)}.about`);
  await db.query(`insert into ${identifier(tables.schema)}.about (generation, version, fingerprint) values ($1, $2, $3)`, [
    about.generation,
    about.version,
    about.fingerprint,
  ]);
}
