import type { Migration } from 'factline/store';

export const timesheetMigrations: readonly Migration[] = [
  {
    name: 'locations, jobs and time entries',
    sql: `
create table location (id text primary key, name text not null, open boolean not null default true);
create table job (id text primary key, title text not null, location_id text not null references location, open boolean not null default true);
create index on job (location_id);
create table time_entry (
  id text primary key,
  employee_id text not null,
  job_id text not null references job,
  day date not null,
  minutes integer not null,
  recorded_at timestamptz not null default clock_timestamp()
);
create index on time_entry (employee_id, id);`,
  },
];
