import { FactlineError } from 'factline/kernel';
import type { Session } from 'factline/store';
import type { HeldFact } from './lanes.js';
import { OWNER_SILENCE_MS } from './limits.js';
import { SessionTurns } from './session-turns.js';
import { type Snapshot, follows, parseSnapshot } from './snapshot.js';

/** How far the log has acknowledged everything. */
export interface Progress {
  /** Everything visible in it is in the log. */
  previous: Snapshot;
  /** The tick in progress, if it has more than one page. */
  current: Snapshot | null;
  /** Inside a tick: the last id of it that is in the log. Between ticks: the highest id drawn when `previous` was taken, for estimates only. */
  pageId: number;
}

interface RelayRow {
  epoch: string;
  previous: string;
  current: string | null;
  page_id: string;
  delivered_total: string;
  now: string;
  timeline: number;
  failed_over: boolean;
}

const LOCK = "select pg_try_advisory_lock(hashtextextended('factline.relay', 0)) as mine";

/*
 * An owner that falls silent (a stopped process, a cut network) loses its session and with it the lock: idle_session_timeout ends it between statements,
 * tcp_user_timeout while the server waits for it to take a page. Sequential scans would cost what was delivered, not what is new, when statistics are old.
 */
const GUARD = "select set_config('idle_session_timeout', $1, false), set_config('tcp_user_timeout', $1, false), set_config('enable_seqscan', 'off', false)";

/** Where the transaction ids in these tables mean something: one database of one cluster. */
const HERE = "select system_identifier || '/' || oid as cluster from pg_control_system(), pg_database where datname = current_database()";

/** A promoted standby writes on another timeline: the first 8 digits of the name of its WAL file (PostgreSQL manual, "Timelines"). */
const TIMELINE = "select ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer as timeline";

const ACQUIRE = `
update factline.relay
   set epoch = epoch + 1, owner = $1, acquired_at = clock_timestamp(), heartbeat_at = clock_timestamp(), cluster = here.cluster, timeline = coalesce(relay.timeline, server.timeline)
  from (${HERE}) as here, (${TIMELINE}) as server
 where relay.cluster is null or relay.cluster = here.cluster
returning epoch, previous::text, current::text, page_id, delivered_total, pg_current_snapshot()::text as now, server.timeline, relay.timeline <> server.timeline as failed_over`;

/*
 * Not flushed to disk: a crash of the server may take back the last third of a second of progress, and the relay then publishes those facts again. That is a
 * duplicate with the same number, never a loss, because progress is only ever stored after the log's acknowledgement.
 */
const PERSIST = `
update factline.relay
   set previous = $2::pg_snapshot, current = $3::pg_snapshot, page_id = $4, delivered_total = $5, heartbeat_at = clock_timestamp()
  from (select set_config('synchronous_commit', 'off', true)) as quick
 where epoch = $1`;

/** The same, with the facts that count as delivered by it but are only set aside. */
const PERSIST_HELD = `
with relay as (${PERSIST}
returning epoch), held as (
insert into factline.outbox_held (id, topic, partition, key, sequence, value, traceparent)
select fact.* from relay, unnest($6::bigint[], $7::text[], $8::integer[], $9::text[], $10::bigint[], $11::bytea[], $12::text[]) as fact
    on conflict do nothing)
select epoch from relay`;

/**
 * The right to publish: a session advisory lock, and an epoch that rises with each owner. The lock keeps relays apart; the epoch refuses the progress of
 * one that lost the lock without knowing. Such a stale owner can still send what it has in hand: a duplicate, which its number shows.
 */
export class Ownership {
  #fenced = false;
  /** Set aside, and not stored yet. */
  readonly #held: HeldFact[] = [];
  /** Told which facts that are set aside are in the table now. */
  onStored: (held: readonly HeldFact[]) => void = () => undefined;

  private constructor(
    /** The session that holds the lock; everything an owner does in the database goes through it. */
    readonly turns: SessionTurns,
    readonly epoch: number,
    private state: Progress,
    private delivered: number,
    /** The server's timeline, when it is another than that of the last owner who looked (failover.ts). */
    readonly failedOverTo: number | undefined,
  ) {}

  /**
   * @returns undefined while another relay owns this database.
   * @throws FactlineError `relay.restored` (integrity) when the tables came from another database or cluster.
   */
  static async acquire(session: Session, owner: string): Promise<Ownership | undefined> {
    const locked = await session.query<{ mine: boolean }>(LOCK);
    if (!locked.rows[0]!.mine) return undefined;
    await session.query(GUARD, [String(OWNER_SILENCE_MS)]);
    const { rows } = await session.query<RelayRow>(ACQUIRE, [owner]);
    const row = rows[0];
    if (!row || !follows(parseSnapshot(row.now), parseSnapshot(row.previous))) throw restored();
    const current = row.current === null ? null : parseSnapshot(row.current);
    const progress = { previous: parseSnapshot(row.previous), current, pageId: Number(row.page_id) };
    return new Ownership(new SessionTurns(session), Number(row.epoch), progress, Number(row.delivered_total), row.failed_over ? row.timeline : undefined);
  }

  get progress(): Progress {
    return this.state;
  }

  /** @throws FactlineError `relay.fenced` as soon as it is known that the lock is gone. Ask before each send. */
  assertHeld(): void {
    if (this.#fenced || this.turns.lost) throw fenced(this.epoch);
  }

  /** Remembers what the log has acknowledged, and what is set aside instead; `persist` writes both in one statement. */
  advance(progress: Progress, deliveredRows: number, held: readonly HeldFact[] = []): void {
    this.state = progress;
    this.delivered += deliveredRows;
    this.#held.push(...held);
  }

  get hasHeld(): boolean {
    return this.#held.length > 0;
  }

  /** Writes the progress and a heartbeat. @throws FactlineError `relay.fenced` when a later owner has begun. */
  async persist(): Promise<void> {
    this.assertHeld();
    const rowCount = await this.turns.take(async (session) => {
      // Taken in its turn: of two that wait, the second must not store the progress without the facts that the first failed to set aside.
      const { previous, current, pageId } = this.state;
      const held = this.#held.slice();
      const values = [this.epoch, previous.text, current?.text ?? null, pageId, this.delivered];
      if (held.length === 0) return (await session.query(PERSIST, values, 'factline.relay_persist')).rowCount;
      const stored = await session.query(PERSIST_HELD, [...values, ...columnsOf(held)], 'factline.relay_persist_held');
      this.#held.splice(0, held.length);
      this.onStored(held);
      return stored.rowCount;
    });
    if (rowCount === 0) {
      this.#fenced = true;
      throw fenced(this.epoch);
    }
  }
}

function columnsOf(held: readonly HeldFact[]): unknown[] {
  return [
    held.map(({ row }) => row.id),
    held.map(({ row }) => row.topic),
    held.map(({ partition }) => partition),
    held.map(({ row }) => row.key.toString('utf8')),
    held.map(({ row }) => row.sequence),
    held.map(({ row }) => row.value),
    held.map(({ row }) => row.traceparent?.toString('utf8') ?? null),
  ];
}

function fenced(epoch: number): FactlineError {
  return new FactlineError({
    code: 'relay.fenced',
    kind: 'fenced',
    message: `The relay of epoch ${epoch} no longer owns this outbox.`,
    advice: 'Nothing to do: another relay continues, and this one stands by.',
    details: { epoch },
  });
}

function restored(): FactlineError {
  return new FactlineError({
    code: 'relay.restored',
    kind: 'integrity',
    message: 'The outbox tables come from another database or cluster: the transaction ids in them mean nothing here, so nothing is published.',
    advice:
      'After pg_upgrade, or a restore that nothing was published behind: adopt the outbox (adoptRestoredOutbox), which publishes what is still in its tables again. ' +
      'If facts were published after the backup was taken, their numbers would be given out twice: move to new topics first.',
  });
}

/**
 * Accepts tables that were restored from a dump or copied: every row still in them counts as unpublished. Facts of the last minutes are published again with
 * the same numbers; none is lost, also not those stated since the restore. Stop the relays first; writers may go on.
 */
export async function adoptRestoredOutbox(session: Session): Promise<{ rows: number }> {
  return session.transaction(async (tx) => {
    const { rows: lock } = await tx.query<{ mine: boolean }>("select pg_try_advisory_xact_lock(hashtextextended('factline.relay', 0)) as mine");
    if (!lock[0]!.mine) throw new FactlineError({ code: 'relay.running', kind: 'conflict', message: 'A relay owns this outbox.', advice: 'Stop it first.' });
    // Taken before this transaction has an id of its own, so that id is not visible in it, and neither is any writer that is still running.
    const { rows } = await tx.query<{ now: string }>('select pg_current_snapshot()::text as now');
    const stamped = await tx.query('update factline.outbox set xid = pg_current_xact_id()');
    await tx.query(
      `update factline.relay set previous = $1::pg_snapshot, current = null, page_id = 0, epoch = epoch + 1, owner = null, cluster = (${HERE})`,
      [rows[0]!.now],
    );
    return { rows: stamped.rowCount };
  });
}
