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

const MIGRATIONS: readonly Migration[] = [{ name: 'jobs', sql: JOBS }];

/** Creates or updates the tables of commands in schema `factline` (component 'commands'); answers the names of what was applied now. */
export function migrateCommands(store: Store): Promise<string[]> {
  return migrate(store, 'commands', MIGRATIONS);
}
