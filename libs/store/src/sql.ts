import { FactlineError } from 'factline/kernel';
import type { Executor } from './tx.js';

/**
 * A table, column or schema name for use in SQL text: lower-case letters, digits and underscores, 63 bytes at most (Postgres cuts longer ones silently), quoted.
 * @throws FactlineError `store.name` (configuration)
 */
export function identifier(name: string): string {
  if (/^[a-z_][a-z0-9_]{0,62}$/.test(name)) return `"${name}"`;
  throw new FactlineError({
    code: 'store.name',
    kind: 'configuration',
    message: `'${name}' is not a usable SQL name.`,
    advice: 'Use lower-case letters, digits and underscores, 63 at most, not beginning with a digit.',
  });
}

/** Whether there is a table of this name, as it stands in SQL text: `factline.job`, `"payees".checkpoint`. */
export async function tableExists(db: Executor, name: string): Promise<boolean> {
  const { rows } = await db.query<{ there: boolean }>('select to_regclass($1) is not null as there', [name]);
  return rows[0]!.there;
}
