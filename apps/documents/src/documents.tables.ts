import type { Migration } from 'factline/store';

/** Languages whose words are reduced to their stems, by the text-search configurations of Postgres; `simple` reduces none. A language is added here and by a migration of `words`. */
export const LANGUAGES = ['simple', 'english', 'german'] as const;
export type Language = (typeof LANGUAGES)[number];

export const documentMigrations: readonly Migration[] = [
  {
    name: 'documents',
    sql: `
create table document (
  id text primary key,
  name text not null,
  language text not null,
  version integer not null,
  media_type text not null,
  bytes integer not null,
  sha256 text not null unique,
  content bytea not null,
  uploaded_at timestamptz not null,
  stage text not null,
  job uuid,
  pages integer,
  characters integer,
  chunks integer,
  reason text
);
-- What was parsed and not yet cut.
create table page (
  document_id text not null references document,
  page integer not null,
  text text not null,
  primary key (document_id, page)
);
create table chunk (
  document_id text not null references document,
  number integer not null,
  page integer not null,
  text text not null,
  language text not null,
  indexed boolean not null default false,
  words tsvector generated always as (
    case when not indexed then null
      when language = 'english' then to_tsvector('english', text)
      when language = 'german' then to_tsvector('german', text)
      else to_tsvector('simple', text) end) stored,
  primary key (document_id, number)
);
create index chunk_words on chunk using gin (words);`,
  },
];
