import type { Executor } from 'factline/store';
import { arrayLiteral } from './encode.js';
import type { KeyState } from './fold.js';
import type { Tables } from './tables.js';

/** What a build holds of these keys: their rows, and for deleted keys the sequence at which they were. Keys that never were are not in the answer. */
export async function loadStates(db: Executor, tables: Tables, keys: readonly string[]): Promise<Map<string, KeyState>> {
  const { rows } = await db.query<{ factline_sequence: number; gone_key: string | null } & Record<string, unknown>>(tables.load, [arrayLiteral(keys, String)], `load_${tables.schema}`);
  return new Map(
    rows.map(({ factline_sequence: sequence, gone_key: gone, ...row }) => [gone ?? (row[tables.projection.key] as string), { row: gone === null ? row : null, sequence, seen: 0 }]),
  );
}
