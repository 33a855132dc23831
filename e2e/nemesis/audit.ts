import { type Store, identifier } from 'factline/store';

/*
 * Triggers that write down what happened, in the transaction in which it happened. `n` is drawn while the row, key or checkpoint is locked, so within one of
 * them it rises with the commits. Security definer, because repairs run under a role that may write read models and nothing else.
 */
const SCHEMA = `
create schema if not exists nemesis;
create table if not exists nemesis.journal (n bigserial, kind text not null, key text, sequence bigint, partition integer, a bigint, b bigint, epoch bigint, generation integer,
  tx text not null default pg_current_xact_id()::text);
create table if not exists nemesis.fact (n bigserial, key text not null, sequence bigint not null, value bytea not null);`;

const FUNCTION = (name: string, body: string) => `create or replace function nemesis.${name}() returns trigger language plpgsql security definer as $$ begin ${body} return null; end $$;`;

const OUTBOX = [
  FUNCTION('stated', 'insert into nemesis.fact (key, sequence, value) values (new.key, new.sequence, new.value);'),
  ...[0, 1, 2].map((slot) => `create or replace trigger nemesis after insert on factline.outbox_${slot} for each row execute function nemesis.stated();`),
];

/** Writes down every fact that commits in an app's outbox. */
export async function auditOutbox(store: Store): Promise<void> {
  await apply(store, [SCHEMA, ...OUTBOX]);
}

export interface ModelColumns {
  /** Schema and table have this name. */
  model: string;
  key: string;
  /** The number of the last fact in the row. */
  sequence: string;
}

/** Writes down every change of a read model: its rows, its checkpoints and, if it has a table of them, its dead letters. */
export async function auditModel(store: Store, { model, key, sequence }: ModelColumns, parks = true): Promise<void> {
  const schema = identifier(model);
  const note = (columns: string, values: string) => `insert into nemesis.journal (${columns}) values (${values});`;
  await apply(store, [
    SCHEMA,
    FUNCTION('applied', note('kind, key, sequence', `'applied', new.${identifier(key)}, new.${identifier(sequence)}`)),
    `create or replace trigger nemesis after insert or update on ${schema}.${schema} for each row execute function nemesis.applied();`,
    FUNCTION('advanced', note('kind, partition, a, b, epoch, generation', "'advanced', new.partition, old.next_offset, new.next_offset, new.epoch, new.generation")),
    `create or replace trigger nemesis after update on ${schema}.checkpoint for each row when (old.next_offset is distinct from new.next_offset) execute function nemesis.advanced();`,
    ...(parks ? DEAD_LETTERS(schema, note) : []),
  ]);
}

const DEAD_LETTERS = (schema: string, note: (columns: string, values: string) => string) => [
  FUNCTION('parked', note('kind, key, partition, a', "'parked', new.key, new.partition, new.record_offset")),
  FUNCTION('released', note('kind, key, partition, a', "'released', old.key, old.partition, old.record_offset")),
  `create or replace trigger nemesis_in after insert on ${schema}.dead_letter for each row execute function nemesis.parked();`,
  `create or replace trigger nemesis_out after delete on ${schema}.dead_letter for each row execute function nemesis.released();`,
];

async function apply(store: Store, statements: readonly string[]): Promise<void> {
  await store.transaction(async (tx) => {
    for (const statement of statements) await tx.query(statement);
  });
}
