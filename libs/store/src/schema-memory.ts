import type { RememberedSchema, SchemaMemory } from 'factline/contracts';
import { migrate } from './migrations.js';
import type { Store } from './store.js';

/** Schema ids that this app has seen, in its own database: it starts and works while the registry is down. */
export function schemaMemory(store: Store): SchemaMemory {
  return {
    all: async () => (await store.query<RememberedSchema>('select id, subject, schema from factline.schema order by id')).rows,
    remember: async ({ id, subject, schema }) => {
      await store.query(
        `insert into factline.schema (id, subject, schema) values ($1, $2, $3)
         on conflict (id) do update set subject = excluded.subject, schema = excluded.schema`,
        [id, subject, JSON.stringify(schema)],
      );
    },
  };
}

/** Makes the table behind `schemaMemory`. */
export async function migrateSchemaMemory(store: Store): Promise<string[]> {
  return migrate(store, 'schemas', [
    { name: 'remembered schemas', sql: 'create table factline.schema (id integer primary key, subject text not null, schema jsonb not null, seen_at timestamptz not null default clock_timestamp());' },
  ]);
}
