import { FactlineError } from 'factline/kernel';

/** A pg_snapshot: which transactions had ended when it was taken. Transaction ids are 64 bits and stay text. */
export interface Snapshot {
  readonly text: string;
  /** Every id at or above it had not begun. */
  readonly xmax: string;
  /** Ids below xmax that were running. */
  readonly running: readonly string[];
}

/** @throws FactlineError `relay.snapshot` (integrity); what passes may stand in SQL text, for it is digits, colons and commas. */
export function parseSnapshot(text: string): Snapshot {
  const match = /^(\d+):(\d+):((?:\d+(?:,\d+)*)?)$/.exec(text);
  if (!match) {
    throw new FactlineError({
      code: 'relay.snapshot',
      kind: 'integrity',
      message: 'A stored snapshot of the relay is not a pg_snapshot.',
      advice: 'Look at previous and current in factline.relay: nobody but the relay writes them.',
    });
  }
  return { text, xmax: match[2]!, running: match[3] === '' ? [] : match[3]!.split(',') };
}

/** Whether `later` can follow `earlier` in one cluster: its xmax never goes back. A restore into another cluster breaks this. */
export function follows(later: Snapshot, earlier: Snapshot): boolean {
  return BigInt(later.xmax) >= BigInt(earlier.xmax);
}

const COLUMNS = 'id, topic, key, sequence, value, traceparent';

/*
 * A tick is the set of rows that are visible in `current` and were not in `previous` (PgQ, Marko Kreen, Skype 2007: skytools' pgq.next_batch). Why it is right:
 *
 * - Nothing is lost or doubled. The xid column is the id of the top-level transaction (pg_current_xact_id). A pg_snapshot says of each id whether that
 *   transaction had ended, and an id never becomes running again: over the sequence of snapshots each id turns from "not ended" to "ended" exactly once,
 *   and its rows are in the tick in which it did, however late, whatever the order of ids.
 * - Rolled-back transactions have ended too, but the reading statement's own MVCC snapshot hides their rows, and so it does for rolled-back savepoints.
 *   Released savepoints have other ids inside, yet the column holds the top-level one, which is the one that pg_snapshot lists.
 * - The reading statement runs after `current` was taken, so it sees everything that is visible in `current` (a superset, cut by pg_visible_in_snapshot).
 *   A crash between the two changes nothing: the page is read again under the same `current`, or a new tick begins.
 * - Isolation levels of writers do not matter: a repeatable-read writer's rows appear with its commit like any other's. Prepared transactions count as running.
 * - Order within a key. A later version is written after the earlier one's transaction ended, since the key's row lock lies between. So a snapshot that has the
 *   later has the earlier (both ended, and the earlier first), and within one tick ids rise with the lock order. The transaction's own id plays no part: it may
 *   be drawn long before the lock, which is what breaks cursors over xid.
 * - Databases share transaction ids, so a writer elsewhere appears in the lists of running ids. It delays nothing: nothing here waits for the lowest running id.
 */

/**
 * First page of a tick: two index ranges on xid, sorted by id. Costs the size of the tick, once.
 * `id + 0` keeps the planner from walking the id index over delivered rows in search of a first match.
 */
export function firstPage(previous: Snapshot, current: Snapshot, limit: number): string {
  const stillRunning = new Set(current.running);
  const ended = previous.running.filter((xid) => !stillRunning.has(xid));
  const late = ended.length === 0 ? '' : ` or xid = any('{${ended.join(',')}}'::xid8[])`;
  return copyOf(
    `where ((xid >= '${previous.xmax}'::xid8 and xid < '${current.xmax}'::xid8)${late}) and pg_visible_in_snapshot(xid, '${current.text}'::pg_snapshot)
     order by id + 0`,
    limit,
  );
}

/** Further pages: the same set behind an id, in id order from the id index. Costs the page, because a tick with more than one page is nearly all that lies there. */
export function nextPage(previous: Snapshot, current: Snapshot, after: number, limit: number): string {
  return copyOf(
    `where id > ${integer(after)} and pg_visible_in_snapshot(xid, '${current.text}'::pg_snapshot) and not pg_visible_in_snapshot(xid, '${previous.text}'::pg_snapshot)
     order by id`,
    limit,
  );
}

function copyOf(condition: string, limit: number): string {
  return `copy (select ${COLUMNS} from factline.outbox ${condition} limit ${integer(limit)}) to stdout (format binary)`;
}

function integer(value: number): string {
  if (Number.isSafeInteger(value) && value >= 0) return String(value);
  throw new FactlineError({ code: 'relay.number', kind: 'internal', message: `${value} cannot stand in a relay statement.` });
}
