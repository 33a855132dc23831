import { Store, identifier } from 'factline/store';

/** What one row of a table costs. */
export interface RowStorage {
  rows: number;
  /** The values alone, on average. */
  bytesOfValues: number;
  /** With everything that the table needs on the disk: pages, indexes, TOAST. */
  bytesOnDisk: number;
}

/** @param table `schema.table`, or a table of the public schema */
export async function storageOf(databaseUrl: string, table: string): Promise<RowStorage> {
  const name = table.split('.').map(identifier).join('.');
  const store = new Store({ url: databaseUrl, applicationName: 'e2e storage', connections: 1 });
  try {
    await store.query(`vacuum full ${name}`); // of few rows what updates left behind would be most
    const { rows } = await store.query<RowStorage>(
      `select count(*)::integer as rows, coalesce(avg(pg_column_size(t.*)), 0)::float8 as "bytesOfValues",
         pg_total_relation_size('${name}')::float8 / greatest(count(*), 1) as "bytesOnDisk" from ${name} t`,
    );
    return rows[0]!;
  } finally {
    await store.close();
  }
}
