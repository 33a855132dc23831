import type { Store } from 'factline/store';
import type { HoldingSession, OutboxFinding } from './finding.js';
import { WRAPAROUND_TRANSACTIONS } from './limits.js';

/** Old snapshots of this database whose transaction wrote nothing: they delay no fact, and keep dead rows of all tables. */
export const SNAPSHOT_HOLDERS = `from pg_stat_activity
 where datname = current_database() and backend_xmin is not null and backend_xid is null and pid <> pg_backend_pid() and backend_type = 'client backend'`;

const AGE = 'select age(datfrozenxid)::float8 as age from pg_database where datname = current_database()';

/** What keeps the tables from being cleaned: who holds a snapshot, and how near the server is to the end of its transaction ids. */
export async function vacuumFindings(store: Store, holders: readonly HoldingSession[]): Promise<OutboxFinding[]> {
  const { rows } = await store.query<{ age: number }>(AGE);
  return [...holders.map(heldBack), ...wraparoundFindings(rows[0]!.age)];
}

function heldBack(session: HoldingSession): OutboxFinding {
  return {
    code: 'outbox.vacuum-held',
    severity: 'warning',
    message: `Session ${session.pid} (${session.application || 'no name'}, ${session.state}) looks at this database as it was ${Math.round(session.ageMs / 1_000)} s ago: ${session.query || 'query not readable'}`,
    advice: `No fact is delayed, but dead rows of all tables stay, and updates become slower by and by. If it will not end by itself: select pg_terminate_backend(${session.pid});`,
    details: { ...session },
  };
}

/** @param age transactions since the oldest row that is not frozen. */
export function wraparoundFindings(age: number): OutboxFinding[] {
  if (age < WRAPAROUND_TRANSACTIONS) return [];
  return [
    {
      code: 'outbox.wraparound',
      severity: 'problem',
      message: `The oldest transaction id in use in this database is ${age} transactions old; at 2,100 million the server takes no more writes.`,
      advice: 'Look why autovacuum does not freeze: an old snapshot, a prepared transaction, a replication slot that nobody reads; then: vacuum (freeze, verbose).',
      details: { age },
    },
  ];
}
