import type { Store } from 'factline/store';
import { FactlineError } from 'factline/kernel';
import { ROTATE_AFTER_MS, ROTATE_ROWS, TRUNCATE_LOCK_WAIT_MS } from './limits.js';

const SLOTS = 3;

export interface RotationLimits {
  rows: number;
  afterMs: number;
}

export const rotationLimits: RotationLimits = { rows: ROTATE_ROWS, afterMs: ROTATE_AFTER_MS };

export interface Rotated {
  /** Slots that were emptied now. */
  emptied: number[];
  /** The slot that is written from now on, if it changed. */
  switchedTo?: number;
}

interface SlotRow {
  slot: number;
  ids: number;
  age_ms: number;
  filled: boolean[];
}

const LOOK = `
select slot, (coalesce(pg_sequence_last_value('factline.outbox_id'), 0) - first_id + 1)::float8 as ids,
       (extract(epoch from clock_timestamp() - since) * 1000)::float8 as age_ms,
       array[pg_relation_size('factline.outbox_0') > 0, pg_relation_size('factline.outbox_1') > 0, pg_relation_size('factline.outbox_2') > 0] as filled
  from factline.slot`;

/**
 * Empties the slots whose facts are all delivered, and turns to the next slot when the current one is full or old and the next one is empty.
 * Anyone may call it at any time, also two at once: what it needs to know it reads under the lock it takes.
 */
export async function rotate(store: Store, limits: RotationLimits = rotationLimits): Promise<Rotated> {
  const { rows } = await store.query<SlotRow>(LOOK, [], 'factline.slot_look');
  const { slot: current, ids, age_ms: age, filled } = rows[0]!;
  const emptied: number[] = [];
  for (let slot = 0; slot < SLOTS; slot++) {
    if (slot !== current && filled[slot] && (await empty(store, slot))) {
      emptied.push(slot);
      filled[slot] = false;
    }
  }
  const next = (current + 1) % SLOTS;
  if (!filled[current] || filled[next] || (ids < limits.rows && age < limits.afterMs)) return { emptied };
  const { rowCount } = await store.query(
    `update factline.slot set slot = $2, since = clock_timestamp(), first_id = coalesce(pg_sequence_last_value('factline.outbox_id'), 0) + 1, rotations = rotations + 1
      where slot = $1`,
    [current, next],
  );
  return rowCount === 0 ? { emptied } : { emptied, switchedTo: next };
}

/*
 * Delivered is what is visible in `previous`: its transaction had ended when everything up to that snapshot was acknowledged. Ids below the snapshot's xmin
 * are visible by definition, so the index needs to be looked at from there only.
 */
const UNDELIVERED = (slot: number) => `
select exists (
  select from factline.outbox_${slot}, (select previous, pg_snapshot_xmin(previous) as xmin from factline.relay) as relay
   where xid >= relay.xmin and not pg_visible_in_snapshot(xid, relay.previous)) as undelivered`;

/**
 * Why nothing is lost: whoever wrote into the slot holds its lock until the end of its transaction, so the exclusive lock is granted only when every row in it
 * is committed or dead, and the look that follows has a newer snapshot than all of them. A writer whose own snapshot still says "write to this slot" (repeatable
 * read, or between reading the slot and inserting) waits for this lock, inserts after the TRUNCATE, and its row is found by the next tick, which reads all slots.
 * The parent is never locked, so writers to the current slot do not notice.
 */
async function empty(store: Store, slot: number): Promise<boolean> {
  const look = await store.query<{ undelivered: boolean }>(UNDELIVERED(slot));
  if (look.rows[0]!.undelivered) return false;
  try {
    return await store.transaction(async (tx) => {
      await tx.query("select set_config('lock_timeout', $1, true)", [String(TRUNCATE_LOCK_WAIT_MS)]);
      await tx.query(`lock table only factline.outbox_${slot} in access exclusive mode`);
      const { rows } = await tx.query<{ undelivered: boolean }>(UNDELIVERED(slot));
      if (rows[0]!.undelivered) return false;
      await tx.query(`truncate only factline.outbox_${slot}`);
      return true;
    });
  } catch (error) {
    if (error instanceof FactlineError && error.code === 'store.locked') return false; // a reader or an old writer is in the slot: the next round tries again
    throw error;
  }
}
