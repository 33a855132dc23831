import { FactlineError } from 'factline/kernel';
import type { Store } from './store.js';

export interface Migration {
  /** Kept for ever: it says what has been done. */
  name: string;
  /** Any number of statements. */
  sql: string;
}

const CREATE_LEDGER = `
create schema if not exists factline;
create table if not exists factline.migration (
  component text not null,
  number integer not null,
  name text not null,
  applied_at timestamptz not null default clock_timestamp(),
  primary key (component, number)
)`;

/**
 * Brings one component's tables to its newest version: each missing migration once, all in one transaction, under a lock (twenty processes may start at once).
 * @returns the names applied now.
 * @throws FactlineError `store.migration-mismatch` (configuration) when the database has other migrations than this software, for example newer ones.
 */
export async function migrate(store: Store, component: string, migrations: readonly Migration[]): Promise<string[]> {
  return store.transaction(async (tx) => {
    await tx.query('set local lock_timeout = 0'); // another starter may be migrating for minutes
    await tx.query("select pg_advisory_xact_lock(hashtextextended('factline.migrate', 0))");
    await tx.query(CREATE_LEDGER);
    const { rows } = await tx.query<{ number: number; name: string }>(
      'select number, name from factline.migration where component = $1 order by number',
      [component],
    );
    for (const row of rows) {
      if (migrations[row.number - 1]?.name === row.name) continue;
      throw new FactlineError({
        code: 'store.migration-mismatch',
        kind: 'configuration',
        message: `The database has migration ${row.number} '${row.name}' of '${component}', this software has ${migrations[row.number - 1]?.name ?? 'none'}.`,
        advice: 'Run the software version that made these tables, or a newer one.',
      });
    }
    const missing = migrations.slice(rows.length);
    for (const [index, migration] of missing.entries()) {
      await tx.query(migration.sql);
      await tx.query('insert into factline.migration (component, number, name) values ($1, $2, $3)', [component, rows.length + index + 1, migration.name]);
    }
    return missing.map(({ name }) => name);
  });
}
