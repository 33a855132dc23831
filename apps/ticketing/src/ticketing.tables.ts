import type { Migration } from 'factline/store';

/** `expiry_job` is the command that will release the seat, to be taken back when that is not needed any more. */
export const ticketingMigrations: readonly Migration[] = [
  {
    name: 'events and seats',
    sql: `
create table event (
  id text collate "C" primary key,
  name text not null,
  price_cents bigint not null,
  currency text not null
);
create table seat (
  event_id text collate "C" not null references event,
  name text collate "C" not null,
  status text not null default 'free' check (status in ('free', 'locked', 'sold')),
  lock_id text,
  customer_id text,
  locked_until timestamptz,
  expiry_job uuid,
  primary key (event_id, name),
  check ((status = 'free') = (lock_id is null)),
  check ((status = 'locked') = (locked_until is not null))
) with (fillfactor = 80);`,
  },
];
