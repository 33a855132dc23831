import { type Checkpoint, readCheckpoints } from 'factline/consumer';
import { FactlineError, pause } from 'factline/kernel';
import { type Executor, type Session, identifier } from 'factline/store';
import { LIVE_LOOK_MS, LIVE_WAIT_MS, VERIFY_BUCKETS, VERIFY_ROWS_SHOWN } from '../limits.js';
import type { Tables } from '../tables.js';
import { reaches, vectorOf } from './catch-up.js';
import type { RebuildContext } from './context.js';
import { writeLedger } from './ledger.js';
import { type RebuildPlan, comparable } from './plan.js';
import { followLive } from './stage.js';

interface Bucket {
  bucket: number;
  rows: number;
  hash: string;
}

export interface DifferingRow {
  key: string;
  /** The row as JSON; null where there is none. */
  live: Record<string, unknown> | null;
  rebuilt: Record<string, unknown> | null;
  columns: readonly string[];
}

export interface Verification {
  equal: boolean;
  liveRows: number;
  rebuiltRows: number;
  buckets: number;
  differingBuckets: number;
  /** The first few, at most 20. */
  differences: readonly DifferingRow[];
  /** The positions at which both were compared. */
  at: readonly { partition: number; nextOffset: number }[];
  elapsedMs: number;
}

/**
 * Compares the staged build with the live one at exactly the same positions: the live rows and checkpoints are read in one repeatable-read snapshot, and
 * the staged build is moved to the checkpoints of that snapshot. Nothing stops; the live model goes on meanwhile.
 */
export async function compare(context: RebuildContext, plan: RebuildPlan): Promise<Verification> {
  const started = performance.now();
  if (!comparable(await context.build('live'))) throw nothingLive(plan.projection);
  await followLive(context, plan);
  const [live, next] = [context.tables('live'), context.tables('next')];
  const snapshot = await context.store.session();
  try {
    const at = await liveSnapshot(context, snapshot, live.schema);
    const columns = commonColumns(await columnNames(snapshot, live), next);
    const [liveBuckets] = await Promise.all([bucketHashes(snapshot, live, columns), context.moveNextTo(vectorOf(at))]);
    const nextBuckets = await bucketHashes(context.session, next, columns);
    const differing = differingBuckets(liveBuckets, nextBuckets);
    const differences = await differingRows(snapshot, live, context.session, next, differing, columns);
    await writeLedger(context.session, plan, differing.length === 0 ? 'verified' : 'staged');
    return {
      equal: differing.length === 0,
      liveRows: rowsIn(liveBuckets),
      rebuiltRows: rowsIn(nextBuckets),
      buckets: Math.max(liveBuckets.length, nextBuckets.length),
      differingBuckets: differing.length,
      differences,
      at: positionsOf(at),
      elapsedMs: performance.now() - started,
    };
  } finally {
    await snapshot.close();
  }
}

/** Begins a snapshot in which the live model is at or beyond the staged one; it may have fallen behind while a swap was tried, or not run at all. */
async function liveSnapshot(context: RebuildContext, snapshot: Session, live: string): Promise<Checkpoint[]> {
  const staged = vectorOf(await context.checkpoints('next'));
  const deadline = performance.now() + LIVE_WAIT_MS;
  for (;;) {
    await snapshot.query('begin isolation level repeatable read read only');
    const at = await readCheckpoints(snapshot, live);
    if (reaches(vectorOf(at), staged)) return at;
    await snapshot.query('rollback');
    if (performance.now() > deadline) throw liveBehind(context.projection.name);
    await pause(LIVE_LOOK_MS);
  }
}

function liveBehind(projection: string): FactlineError {
  return new FactlineError({
    code: 'rebuild.live-behind',
    kind: 'unavailable',
    message: `The live model of '${projection}' is behind the staged one and does not move, so they cannot be compared at the same positions.`,
    advice: 'Start the app and let it catch up, or stage again.',
  });
}

function rowsIn(buckets: readonly Bucket[]): number {
  return buckets.reduce((sum, { rows }) => sum + rows, 0);
}

function nothingLive(projection: string): FactlineError {
  return new FactlineError({
    code: 'rebuild.nothing-live',
    kind: 'conflict',
    message: `The live model of '${projection}' has applied nothing yet: there is nothing to compare with.`,
    advice: `Swap without: factline replay swap ${projection}`,
  });
}

/** Columns that both builds have: a new version may add or remove some, and those cannot differ. */
function commonColumns(live: readonly string[], rebuilt: Tables): string[] {
  return rebuilt.columns.map(({ name }) => name).filter((name) => live.includes(name));
}

async function columnNames(db: Executor, tables: Tables): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(
    'select column_name as name from information_schema.columns where table_schema = $1 and table_name = $2 order by ordinal_position',
    [tables.schema, tables.projection.name],
  );
  return rows.map(({ name }) => name);
}

/** Row counts and order-independent sums of row hashes by bucket: 1 M rows take about a second on one core. */
async function bucketHashes(db: Executor, tables: Tables, columns: readonly string[]): Promise<Bucket[]> {
  const { rows } = await db.query<Bucket>(
    `select ${bucketOf(tables)} as bucket, count(*)::integer as rows, sum(hash_record_extended(row(${columns.map(identifier).join(', ')}), 0)::numeric)::text as hash
     from ${tables.table} group by 1 order by 1`,
  );
  return rows;
}

function differingBuckets(live: readonly Bucket[], rebuilt: readonly Bucket[]): number[] {
  const byBucket = new Map(live.map((bucket) => [bucket.bucket, bucket]));
  const differing = rebuilt.filter(({ bucket, rows, hash }) => {
    const other = byBucket.get(bucket);
    byBucket.delete(bucket);
    return other?.rows !== rows || other.hash !== hash;
  });
  return [...differing.map(({ bucket }) => bucket), ...byBucket.keys()].toSorted((a, b) => a - b);
}

/** Rows that differ, found bucket by bucket until enough are shown. `live` is still in the snapshot that was hashed. */
async function differingRows(
  live: Executor,
  liveTables: Tables,
  rebuilt: Executor,
  rebuiltTables: Tables,
  buckets: readonly number[],
  columns: readonly string[],
): Promise<DifferingRow[]> {
  const found: DifferingRow[] = [];
  for (const bucket of buckets) {
    if (found.length >= VERIFY_ROWS_SHOWN) break;
    const [before, after] = [await bucketRows(live, liveTables, bucket, columns), await bucketRows(rebuilt, rebuiltTables, bucket, columns)];
    for (const key of new Set([...before.keys(), ...after.keys()])) {
      const [left, right] = [before.get(key) ?? null, after.get(key) ?? null];
      const different = columns.filter((column) => JSON.stringify(left?.[column]) !== JSON.stringify(right?.[column]));
      if (different.length > 0 && found.length < VERIFY_ROWS_SHOWN) found.push({ key, live: left, rebuilt: right, columns: different });
    }
  }
  return found;
}

async function bucketRows(db: Executor, tables: Tables, bucket: number, columns: readonly string[]): Promise<Map<string, Record<string, unknown>>> {
  const { rows } = await db.query<{ key: string; row: Record<string, unknown> }>(
    `select ${identifier(tables.projection.key)} as key, to_jsonb(r) as row
     from (select ${columns.map(identifier).join(', ')} from ${tables.table} where ${bucketOf(tables)} = $1) r order by 1`,
    [bucket],
  );
  return new Map(rows.map(({ key, row }) => [key, row]));
}

function bucketOf(tables: Tables): string {
  return `(hashtext(${identifier(tables.projection.key)}) & ${VERIFY_BUCKETS - 1})`;
}

export function positionsOf(checkpoints: readonly Checkpoint[]): { partition: number; nextOffset: number }[] {
  return checkpoints.map(({ partition, nextOffset }) => ({ partition, nextOffset }));
}
