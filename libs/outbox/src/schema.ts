import { type Migration, type Store, migrate, migrateSchemaMemory } from 'factline/store';

/*
 * Three slots, written in turn: one is written, one is being emptied by its last readers and writers, one is empty. Delivered facts leave by TRUNCATE, so no
 * dead row is ever left to vacuum. They inherit from `outbox`, through which all are read, and are no partitions: those check their bound with every row, 3 %
 * of what stating a fact costs the server.
 *
 * Storage: `value` is EXTERNAL, because Avro is dense and compressing a fact costs the writer more CPU than the disk it saves; with EXTERNAL a value is moved
 * out of line only when the whole row passes 2 kB, so 120-byte facts stay in the row.
 *
 * `factline.slot` is apart from `factline.relay` because every writer reads it: the relay row has hundreds of versions a second, and while a long transaction
 * keeps them all alive a reader would have to walk over them.
 */
const TABLES = `
create sequence factline.outbox_id cache 1;

create table factline.outbox_key (
  topic text collate "C" not null,
  key text collate "C" not null,
  sequence bigint not null,
  primary key (topic, key)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);

create table factline.outbox (
  id bigint not null default nextval('factline.outbox_id'),
  sequence bigint not null,
  xid xid8 not null default pg_current_xact_id(),
  created_at timestamptz not null default clock_timestamp(),
  topic text collate "C" not null,
  key text collate "C" not null,
  value bytea storage external not null,
  traceparent text,
  constraint facts_go_to_a_slot check (false) no inherit
);
${[0, 1, 2]
  .map(
    (slot) => `
create table factline.outbox_${slot} () inherits (factline.outbox)
  with (fillfactor = 100, autovacuum_vacuum_insert_threshold = 100000, autovacuum_analyze_threshold = 10000);
alter table factline.outbox_${slot} alter value set storage external;
create index outbox_${slot}_by_id on factline.outbox_${slot} (id);
create index outbox_${slot}_by_xid on factline.outbox_${slot} (xid);`,
  )
  .join('')}

create table factline.slot (
  singleton boolean primary key default true check (singleton),
  slot smallint not null default 0,
  since timestamptz not null default clock_timestamp(),
  first_id bigint not null default 1,
  rotations bigint not null default 0
);
insert into factline.slot default values;

create table factline.relay (
  singleton boolean primary key default true check (singleton),
  cluster text,
  epoch bigint not null default 0,
  owner text,
  acquired_at timestamptz,
  heartbeat_at timestamptz,
  previous pg_snapshot not null default '1:1:',
  current pg_snapshot,
  page_id bigint not null default 0,
  delivered_total bigint not null default 0
) with (fillfactor = 10, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);
insert into factline.relay default values;
`;

/*
 * A key's row is written first with room that its first update gives back to the page. A page is pruned whenever less is free than its fillfactor leaves, and after an insert
 * that is the case with each update: 99,950 pages were pruned by 100,000 updates, of 20 us each; with 24 bytes of slack 5,300, and 15.5 us.
 */
const KEY_SLACK = 24;
const keyUpsert = (topic: string, key: string) => `insert into factline.outbox_key as known (topic, key, sequence, slack) values (${topic}, ${key}, 1, repeat('-', ${KEY_SLACK}))
    on conflict on constraint outbox_key_pkey do update set sequence = known.sequence + 1, slack = null`;

/*
 * One call states one fact. The order inside is the guarantee: the key's row lock is taken first and held until the transaction ends, then the number and
 * the id are drawn. So within a key the ids rise in the order of the commits, and a transaction that rolls back gives its number back.
 *
 * synchronous_commit: without it a transaction becomes visible before it is on disk; the relay could publish a fact that a crash of the server then undoes,
 * and its sequence would be given to another fact. A transaction that states facts therefore always waits for its own commit record.
 */
const FUNCTIONS = `
create or replace function factline.outbox_add(a_topic text, a_key text, a_value bytea, a_traceparent text, out id bigint, out sequence bigint)
language plpgsql as $$
begin
  if current_setting('synchronous_commit') = 'off' then
    perform set_config('synchronous_commit', 'on', true);
  end if;
  ${keyUpsert('a_topic', 'a_key')}
    returning known.sequence into outbox_add.sequence;
  case (select current_slot.slot from factline.slot as current_slot)
  ${[0, 1, 2]
    .map(
      (slot) => `when ${slot} then
    insert into factline.outbox_${slot} as added (topic, key, sequence, value, traceparent)
      values (a_topic, a_key, outbox_add.sequence, a_value, a_traceparent) returning added.id into outbox_add.id;`,
    )
    .join('\n  ')}
  end case;
end $$;
`;

/**
 * What outbox_add does, as one statement to prepare on a connection: 55 us of the server's CPU instead of the 79 of the function, whose statements run one by one.
 * The insert pulls its row from `known`, so here too the key is locked before the id is drawn. $1 topic, $2 key, $3 value, $4 traceparent.
 *
 * The slot that a writer knows may be old: a row in any slot is found by the next tick, and only costs the emptying of that slot another round (rotation.ts).
 */
function addTo(slot: number): string {
  return `with known as (
    ${keyUpsert('$1', '$2')}
      returning sequence)
  insert into factline.outbox_${slot} (topic, key, sequence, value, traceparent)
    select $1, $2, known.sequence, $3, $4 from known
     where case when current_setting('synchronous_commit') = 'off' then set_config('synchronous_commit', 'on', true) else 'on' end = 'on'
    returning sequence`;
}

export interface AddStatement {
  text: string;
  name: string;
}

/** For a writer that does not know which slot is written. */
export const ADD: AddStatement = { text: 'select sequence from factline.outbox_add($1, $2, $3, $4)', name: 'factline.outbox_add' };
/** By slot. */
export const ADD_TO: readonly AddStatement[] = [0, 1, 2].map((slot) => ({ text: addTo(slot), name: `factline.add_${slot}` }));

/** Facts whose partition does not take them, so that others need not wait: delivered for the relay's progress, and not in the log. */
const HELD = `
create table factline.outbox_held (
  topic text collate "C" not null,
  partition integer not null,
  id bigint not null,
  sequence bigint not null,
  held_at timestamptz not null default clock_timestamp(),
  key text collate "C" not null,
  value bytea storage external not null,
  traceparent text,
  primary key (topic, partition, id)
);`;

/** What was found after each change of the server: PostgreSQL gives a promoted standby another timeline. */
const FAILOVERS = `
alter table factline.relay add column timeline integer;
create table factline.failover (
  timeline integer primary key,
  found_at timestamptz not null default clock_timestamp(),
  facts bigint not null,
  keys bigint not null,
  lost jsonb not null
);`;

/** An app has few topics and many keys: compared first, the key decides at once, and the index's inner pages need not hold the topic. 14 us less of the server's CPU a fact, of 145. */
const KEY_FIRST = 'alter table factline.outbox_key drop constraint outbox_key_pkey, add constraint outbox_key_pkey primary key (key, topic);';

const MIGRATIONS: readonly Migration[] = [
  { name: 'outbox tables and outbox_add', sql: TABLES + FUNCTIONS },
  { name: 'facts held for a partition that does not take them', sql: HELD },
  { name: 'what a failover has lost', sql: FAILOVERS },
  { name: 'room for the updates of keys', sql: `alter table factline.outbox_key add column slack text;${FUNCTIONS}` },
  { name: 'keys are found by key, then topic', sql: KEY_FIRST },
];

/** Creates or updates the tables of the outbox in schema `factline` (components 'outbox' and 'schemas'); answers the names of what was applied now. PostgreSQL 14 or newer. */
export async function migrateOutbox(store: Store): Promise<string[]> {
  return [...(await migrateSchemaMemory(store)), ...(await migrate(store, 'outbox', MIGRATIONS))];
}
