import { type ErrorParts, FactlineError, messageOf } from 'factline/kernel';

interface DatabaseFault {
  code?: string;
  constraint?: string;
  table?: string;
  column?: string;
  message: string;
}

/** SQLSTATE classes and codes (PostgreSQL manual, appendix A) to what a caller can do about them. First match wins. */
const FAULTS: readonly [RegExp, Pick<ErrorParts, 'code' | 'kind' | 'advice'>][] = [
  [/^(40001|40P01)$/, { code: 'store.contended', kind: 'unavailable', advice: 'Run the transaction again.' }],
  [/^55P03$/, { code: 'store.locked', kind: 'unavailable', advice: 'Another session holds the lock; try again, or find it in pg_stat_activity.' }],
  [/^23/, { code: 'store.constraint', kind: 'conflict', advice: 'The row breaks a constraint of the table.' }],
  [/^22/, { code: 'store.value', kind: 'invalid', advice: 'A value does not fit its column.' }],
  [/^28/, { code: 'store.login', kind: 'configuration', advice: 'Check user and password in the database URL.' }],
  [/^3D000$/, { code: 'store.database-unknown', kind: 'configuration', advice: 'Create the database, or correct its name in the database URL.' }],
  [/^42501$/, { code: 'store.forbidden', kind: 'refused', advice: 'The database role lacks a privilege it needs for this.' }],
  [/^42P01$|^3F000$/, { code: 'store.table-unknown', kind: 'configuration', advice: 'Run `factline migrate` for this app.' }],
  [/^(57014|25P03)$/, { code: 'store.cancelled', kind: 'unavailable', advice: 'The statement or its idle transaction was ended by the server; it is tried again. See statement_timeout and pg_cancel_backend.' }],
  [/^(08|53|57P|58)|^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST)/, { code: 'store.unavailable', kind: 'unavailable', advice: 'The database does not answer; it is tried again.' }],
];

const CONNECTION_MESSAGES = /connection (terminated|ended|timeout)|timeout exceeded when trying to connect|not queryable|client was closed/i;

/** The one place where the driver's errors become ours. The driver reports lost connections without a code, hence the one look at its text. */
export function translate(error: unknown): FactlineError {
  if (error instanceof FactlineError) return error;
  const fault = error as DatabaseFault;
  const code = fault?.code ?? (CONNECTION_MESSAGES.test(messageOf(error)) ? '08006' : '');
  const known = FAULTS.find(([pattern]) => pattern.test(code))?.[1] ?? { code: 'store.statement', kind: 'internal' as const };
  return new FactlineError({
    ...known,
    message: `Postgres: ${messageOf(error)}`,
    details: { sqlState: code, ...(fault?.constraint && { constraint: fault.constraint }), ...(fault?.table && { table: fault.table }) },
    cause: error,
  });
}
