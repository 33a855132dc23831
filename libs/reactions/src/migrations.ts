import { Pauses } from 'factline/consumer';
import { type Migration, type Store, migrate, migrateSchemaMemory } from 'factline/store';

const MIGRATIONS: readonly Migration[] = [
  {
    name: 'subscriptions of reactions',
    sql: `
create table factline.reactions (
  name text primary key,
  since text not null,
  selections jsonb not null,
  created_at timestamptz not null default clock_timestamp()
);
create table factline.redrive (
  id bigint generated always as identity primary key,
  subscription text not null,
  state text not null default 'running' check (state in ('running', 'done', 'stopped', 'cancelled')),
  outcome text,
  canary integer not null,
  rate double precision,
  stop_at double precision not null,
  requested_by text not null,
  keys integer not null,
  tried integer not null default 0,
  failed integer not null default 0,
  facts bigint not null default 0,
  next_at timestamptz not null default clock_timestamp(),
  created_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz
);
create unique index redrive_one_at_a_time on factline.redrive (subscription) where state = 'running';
create table factline.redrive_key (
  redrive bigint not null references factline.redrive (id) on delete cascade,
  nth integer not null,
  topic text not null,
  partition integer not null,
  key text not null,
  state text check (state in ('applied', 'blocked')),
  facts bigint not null default 0,
  code text,
  tried_at timestamptz,
  primary key (redrive, nth)
);
create table factline.edited_fact (
  number bigint generated always as identity primary key,
  subscription text not null,
  topic text not null,
  partition integer not null,
  record_offset bigint not null,
  key text not null,
  fact text not null,
  original jsonb,
  data jsonb not null,
  difference jsonb not null,
  reason text not null,
  edited_by text not null,
  edited_at timestamptz not null default clock_timestamp()
);
create index edited_fact_place on factline.edited_fact (subscription, topic, partition, record_offset);
create table factline.given_up_fact (
  number bigint generated always as identity primary key,
  subscription text not null,
  topic text not null,
  partition integer not null,
  key text not null,
  offsets bigint[] not null,
  reason text not null,
  given_up_by text not null,
  given_up_at timestamptz not null default clock_timestamp()
);`,
  },
];

/** The tables that all reactions of an app share; what one subscription needs lies in a schema of its name and is made when it starts. */
export async function migrateReactions(store: Store): Promise<string[]> {
  return [...(await migrateSchemaMemory(store)), ...(await Pauses.migrate(store)), ...(await migrate(store, 'reactions', MIGRATIONS))];
}
