import type { Store } from 'factline/store';
import { STATUS_DELIVERED_ROWS } from './limits.js';
import { type Backlog, measureBacklog } from './pressure.js';

export interface SlotStatus {
  slot: number;
  written: boolean;
  /** With indexes; facts in a slot may be delivered already. */
  bytes: number;
}

export interface DeliveredFact {
  id: number;
  topic: string;
  key: string;
  sequence: number;
  statedAt: Date;
}

export interface HeldPartition {
  topic: string;
  partition: number;
  facts: number;
  since: Date;
}

/** What the database knows of the outbox, whoever runs the relay. */
export interface OutboxStatus {
  /** null before the first relay. */
  owner: string | null;
  epoch: number;
  acquiredAt: Date | null;
  /** Milliseconds since the owner last showed that it lives. */
  heartbeatAgeMs: number | null;
  /** A session holds the relay's lock now. */
  owned: boolean;
  pending: Backlog;
  deliveredTotal: number;
  /** Partitions that take no facts, and what is set aside for them. */
  held: HeldPartition[];
  /** A tick of several pages is being published. */
  tickInProgress: boolean;
  slots: SlotStatus[];
  /** How often the written slot changed, and for how long it has been the one. */
  rotations: number;
  slotAgeMs: number;
  /** Newest first; delivered facts stay visible until their slot is emptied. */
  delivered: DeliveredFact[];
}

interface StatusRow {
  owner: string | null;
  epoch: string;
  acquired_at: Date | null;
  heartbeat_age_ms: number | null;
  owned: boolean;
  delivered_total: string;
  tick_in_progress: boolean;
  slot: number;
  rotations: string;
  slot_age_ms: number;
  sizes: string[];
}

/*
 * The lock of pg_advisory_lock(bigint) appears in pg_locks with its halves in classid and objid and objsubid 1 (PostgreSQL manual, pg_locks).
 */
const STATUS = `
select owner, epoch, acquired_at, (extract(epoch from clock_timestamp() - heartbeat_at) * 1000)::float8 as heartbeat_age_ms, delivered_total,
       current is not null as tick_in_progress, slot.slot, slot.rotations, (extract(epoch from clock_timestamp() - slot.since) * 1000)::float8 as slot_age_ms,
       exists (select from pg_locks, (select hashtextextended('factline.relay', 0) as key) as relay_lock
                where locktype = 'advisory' and granted and objsubid = 1 and database = (select oid from pg_database where datname = current_database())
                  and classid = ((key >> 32) & 4294967295)::oid and objid = (key & 4294967295)::oid) as owned,
       array[pg_total_relation_size('factline.outbox_0'), pg_total_relation_size('factline.outbox_1'), pg_total_relation_size('factline.outbox_2')]::text[] as sizes
  from factline.relay, factline.slot`;

const DELIVERED = `
select id, topic, key, sequence, created_at from factline.outbox, (select previous from factline.relay) as relay
 where pg_visible_in_snapshot(xid, previous) and not exists (select from factline.outbox_held as held where held.topic = outbox.topic and held.id = outbox.id)
 order by id desc limit $1`;

const HELD = 'select topic, partition, count(*)::integer as facts, min(held_at) as since from factline.outbox_held group by topic, partition order by topic, partition';

/** For `factline outbox status`. Constant cost, whatever the backlog, unless a large backlog lies in front of the newest delivered facts. */
export async function outboxStatus(store: Store): Promise<OutboxStatus> {
  const [{ rows }, pending, delivered, held] = await Promise.all([
    store.query<StatusRow>(STATUS),
    measureBacklog(store),
    store.query<{ id: string; topic: string; key: string; sequence: string; created_at: Date }>(DELIVERED, [STATUS_DELIVERED_ROWS]),
    store.query<HeldPartition>(HELD),
  ]);
  const row = rows[0]!;
  return {
    owner: row.owner,
    epoch: Number(row.epoch),
    acquiredAt: row.acquired_at,
    heartbeatAgeMs: row.heartbeat_age_ms,
    owned: row.owned,
    pending: pending.backlog,
    deliveredTotal: Number(row.delivered_total),
    held: held.rows,
    tickInProgress: row.tick_in_progress,
    slots: row.sizes.map((bytes, slot) => ({ slot, written: slot === row.slot, bytes: Number(bytes) })),
    rotations: Number(row.rotations),
    slotAgeMs: row.slot_age_ms,
    delivered: delivered.rows.map(({ id, topic, key, sequence, created_at: statedAt }) => ({ id: Number(id), topic, key, sequence: Number(sequence), statedAt })),
  };
}
