import type { Store } from 'factline/store';

/**
 * Facts that wait: committed, and not visible in the snapshot up to which everything is known to be in the log. Exact, while `outboxStatus` estimates by ids, and
 * an id that was drawn early by a transaction that commits late is below what it counts.
 */
export async function pendingFacts(store: Store): Promise<{ key: string; sequence: number }[]> {
  const { rows } = await store.query<{ key: string; sequence: number }>(
    'select o.key, o.sequence::float8 as sequence from factline.outbox o, factline.relay r where not pg_visible_in_snapshot(o.xid, r.previous) order by o.id',
  );
  return rows;
}
