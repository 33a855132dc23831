import { FactlineError } from 'factline/kernel';
import type { Executor, Session } from 'factline/store';
import { HEARTBEAT_DEAD_MS } from '../limits.js';
import type { RebuildPlan } from './plan.js';

export type RebuildPhase = 'stage' | 'index' | 'tail' | 'staged' | 'verified' | 'swapped' | 'rolled-back' | 'dropped';

export interface RebuildProgress {
  phase: RebuildPhase;
  facts: number;
  totalFacts: number;
  rows: number;
  bytes: number;
  factsPerSecond: number;
  /** Estimated time left in this phase, milliseconds. */
  etaMs: number | null;
  partitions: { partition: number; offset: number; end: number }[];
}

export interface LedgerEntry {
  phase: RebuildPhase;
  plan: RebuildPlan;
  progress: Partial<RebuildProgress>;
  startedAt: Date;
  /** Whether somebody works on it now. */
  alive: boolean;
}

/** The record of a rebuild in the app's database: what another terminal sees, and where a killed one goes on. */
export async function readLedger(db: Executor, projection: string): Promise<LedgerEntry | undefined> {
  const { rows } = await db.query<{ phase: RebuildPhase; plan: RebuildPlan; progress: Partial<RebuildProgress>; started_at: Date; alive: boolean }>(
    `select phase, plan, progress, started_at,
       phase in ('stage', 'index', 'tail') and heartbeat_at > clock_timestamp() - make_interval(secs => $2) as alive
     from factline.rebuild where projection = $1`,
    [projection, HEARTBEAT_DEAD_MS / 1_000],
  );
  const row = rows[0];
  return row && { phase: row.phase, plan: row.plan, progress: row.progress, startedAt: row.started_at, alive: row.alive };
}

export async function writeLedger(db: Executor, plan: RebuildPlan, phase: RebuildPhase, progress: Partial<RebuildProgress> = {}): Promise<void> {
  await db.query(
    `insert into factline.rebuild (projection, phase, plan, progress) values ($1, $2, $3, $4)
     on conflict (projection) do update set phase = excluded.phase, progress = excluded.progress, heartbeat_at = clock_timestamp(),
       started_at = case when factline.rebuild.plan = excluded.plan then factline.rebuild.started_at else clock_timestamp() end, plan = excluded.plan`,
    [plan.projection, phase, JSON.stringify(plan), JSON.stringify(progress)],
  );
}

export async function removeLedger(db: Executor, projection: string): Promise<void> {
  await db.query('delete from factline.rebuild where projection = $1', [projection]);
}

/** One rebuild per projection at a time, for as long as the session lives. @throws FactlineError `rebuild.running` (conflict) naming who. */
export async function lockRebuild(session: Session, projection: string): Promise<void> {
  const lock = "hashtextextended('factline.rebuild.' || $1, 0)";
  const { rows } = await session.query<{ locked: boolean }>(`select pg_try_advisory_lock(${lock}) as locked`, [projection]);
  if (rows[0]!.locked) return;
  const holder = await session.query<{ pid: number; application_name: string }>(
    `select a.pid, a.application_name from pg_locks l join pg_stat_activity a using (pid)
     where l.locktype = 'advisory' and l.granted and l.database = (select oid from pg_database where datname = current_database())
       and ((l.classid::bigint << 32) | l.objid::bigint) = ${lock}`,
    [projection],
  );
  const who = holder.rows[0];
  throw new FactlineError({
    code: 'rebuild.running',
    kind: 'conflict',
    message: `A rebuild of '${projection}' is running already${who ? ` (database session ${who.pid}, ${who.application_name})` : ''}.`,
    advice: `Watch it with: factline replay status ${projection}`,
  });
}
