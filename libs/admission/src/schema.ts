import { type Migration, type Store, migrate } from 'factline/store';

/*
 * Unlogged: no take waits for a disk. The price is stated with TokenBucket: after a crash or a failover of the server the table is empty, which means full buckets.
 * Updates touch no indexed column and pages are half full, so they stay on their page (HOT) and leave nothing for vacuum.
 */
const TABLE = `
create unlogged table factline.token_bucket (
  bucket text collate "C" not null,
  key text collate "C" not null,
  tokens float8 not null,
  at timestamptz not null,
  taken float8 not null,
  primary key (bucket, key)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.1);
comment on column factline.token_bucket.taken is 'what the last statement took: how it learns it without a second one';
`;

/**
 * Takes between $4 and $5 tokens, or none, after giving back $3; $6 is the burst, $7 tokens a second. The clock is read once, under the row's lock, so that no moment
 * counts twice; it may be set back, which then counts as no time at all.
 */
export const TAKE = {
  name: 'factline.token_take',
  text: `insert into factline.token_bucket as held (bucket, key, tokens, at, taken)
values ($1, $2, $6::float8 - $5::float8, clock_timestamp(), $5::float8)
on conflict on constraint token_bucket_pkey do update set (tokens, at, taken) = (
  select available - share.taken, reading.now, share.taken
    from (select greatest(held.at, clock_timestamp()) as now) as reading,
  lateral (select least($6::float8, held.tokens + $3::float8 + extract(epoch from reading.now - held.at)::float8 * $7::float8) as available) as bucket,
  lateral (select case when available < $4::float8 then 0 else least($5::float8, available) end as taken) as share)
returning taken, tokens`,
};

/** Gives tokens back, $3 of each key in $2; $4 is the burst. A key without a row has a full bucket already. */
export const GIVE_BACK = {
  name: 'factline.token_give_back',
  text: `update factline.token_bucket as held set tokens = least($4::float8, held.tokens + back.tokens)
  from unnest($2::text[], $3::float8[]) as back (key, tokens)
 where held.bucket = $1 and held.key = back.key`,
};

/** Removes rows untouched for $2 seconds, in which a bucket fills: a full bucket and no row are the same. */
export const SWEEP = `delete from factline.token_bucket where (bucket, key) in (
  select bucket, key from factline.token_bucket
   where bucket = $1 and at < clock_timestamp() - make_interval(secs => $2::float8) limit $3 for update skip locked)`;

const MIGRATIONS: readonly Migration[] = [{ name: 'token buckets', sql: TABLE }];

/** Creates or updates the table of token buckets in schema `factline` (component 'admission'); answers the names of what was applied now. */
export async function migrateAdmission(store: Store): Promise<string[]> {
  return migrate(store, 'admission', MIGRATIONS);
}
