import { migrateAdmission } from 'factline/admission';
import { type Migration, type Store, migrate } from 'factline/store';

/*
 * A job is one row for its whole life: inserted by the send, updated by the handler's transaction, removed by retention. What runs is not written down: the row is locked
 * then, by the transaction that will commit it, so a crash leaves nothing that says "running" for ever.
 *
 * `sequence` is that of its record, by which a job is recognised whose record was given up. `closed_at` is when nothing more will come of it: retention counts from there.
 * Of a command whose queue another app owns this is at once ('sent'): that app has the job.
 */
const JOBS = `
create table factline.job (
  id uuid primary key,
  queue text collate "C" not null,
  key text collate "C" not null,
  command text not null,
  sender text not null,
  priority smallint not null default 0 check (priority between -1 and 1),
  state text not null check (state in ('queued', 'waiting', 'sent', 'done', 'failed', 'cancelled')),
  idempotency_key text collate "C",
  sequence bigint,
  not_before timestamptz,
  sent_at timestamptz not null default clock_timestamp(),
  closed_at timestamptz,
  result json
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
create unique index job_once on factline.job (queue, idempotency_key) where idempotency_key is not null;
create index job_open on factline.job (queue, id) where state = 'queued';
create index job_closed on factline.job (queue, closed_at) where closed_at is not null;

create table factline.job_progress (
  id uuid primary key,
  share real not null,
  text text,
  reported_at timestamptz not null default clock_timestamp()
);
`;

/*
 * A command whose time has not come is encoded already: what is wrong with it fails the transaction that sends it, and whoever sends it on needs to know nothing of its type.
 *
 * `command_now` is the time of all processes of an app. It runs ahead of the database's clock where a spec or a drill says so, and never goes back.
 */
const TIME = `
create table factline.waiting_command (
  number bigint generated always as identity primary key,
  id uuid not null unique,
  not_before timestamptz not null,
  becomes text not null,
  topic text not null,
  key text not null,
  value bytea storage external not null,
  traceparent text
);
create index waiting_command_due on factline.waiting_command (not_before, number);

create table factline.command_schedule (
  name text primary key,
  rule jsonb not null,
  catch_up text not null check (catch_up in ('last', 'all')),
  next_due timestamptz not null
);
create table factline.command_due (
  name text not null,
  due timestamptz not null,
  job uuid not null,
  sent_at timestamptz not null default clock_timestamp(),
  primary key (name, due)
);

create table factline.command_clock (singleton boolean primary key default true check (singleton), ahead interval not null default '0' check (ahead >= '0'));
insert into factline.command_clock default values;
create function factline.command_now() returns timestamptz language sql volatile as 'select clock_timestamp() + ahead from factline.command_clock';
`;

const MIGRATIONS: readonly Migration[] = [
  { name: 'jobs', sql: JOBS },
  { name: 'waiting commands and schedules', sql: TIME },
];

/** Creates or updates the tables of commands in schema `factline` (component 'commands'); answers the names of what was applied now. */
export async function migrateCommands(store: Store): Promise<string[]> {
  return [...(await migrateAdmission(store)), ...(await migrate(store, 'commands', MIGRATIONS))];
}
