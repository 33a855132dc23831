import type { FactDecoder } from 'factline/contracts';
import { type Parked, checkpointTable, lastKnown } from 'factline/consumer';
import { FactlineError } from 'factline/kernel';
import type { FactLog, LogRecord, RecordBatch } from 'factline/log';
import type { Session, Tx } from 'factline/store';
import { keyOf } from '../batch.js';
import { assertRow, copyLine, escapeCopy } from '../encode.js';
import { Folder, type KeyState } from '../fold.js';
import { Blocked, isPoison } from '../parking.js';
import { COPY_CHUNK_ROWS, REBUILD_PASSES, REBUILD_ROWS_IN_MEMORY } from '../limits.js';
import type { Projection } from '../projection.js';
import type { Tables } from '../tables.js';

/** One partition to fold from offset zero up to a frozen end. */
export interface PartitionTask {
  topic: string;
  topicId: string;
  partition: number;
  end: number;
  generation: number;
  /** Offsets of facts that were given up. */
  givenUp: readonly number[];
}

export interface PartitionProgress {
  partition: number;
  /** Offsets done of `end`; starts again when more passes are needed. */
  offset: number;
  facts: number;
  bytes: number;
  rows: number;
}

export interface PartitionFolder {
  projection: Projection;
  tables: Tables;
  decoder: FactDecoder;
  log: FactLog;
  session: Session;
  progress(progress: PartitionProgress): void;
  abort?: AbortSignal;
  rowsInMemory?: number;
}

/**
 * Folds partitions one after another, and loads the rows of one while the next is read. When it ends, also by an error, nothing is being loaded any more: who goes on
 * after an error would not see the checkpoint of a load that commits later, and load those rows twice.
 * @returns the rows loaded.
 */
export async function foldPartitions(folder: PartitionFolder, next: () => Promise<PartitionTask | undefined>): Promise<number> {
  let rows = 0;
  let loading = Promise.resolve(0);
  try {
    for (let task = await next(); task; task = await next()) {
      const load = await foldPartition(folder, task);
      rows += await loading;
      loading = load();
      loading.catch(() => undefined); // awaited with the next partition; a rejection before that is not unhandled
    }
  } catch (error) {
    await loading.catch(() => undefined); // what ended the fold is told
    throw error;
  }
  return rows + (await loading);
}

/**
 * Folds one partition in memory and loads its final rows with COPY; rows and checkpoint commit together, so a killed rebuild goes on at the first
 * partition without a checkpoint. Keys of different partitions never meet, so memory is bounded by one partition; a partition with more keys than
 * fit is read in 2, 4, 8 ... passes, each for a part of its keys.
 * @returns a function that loads what was folded; call it while the next partition is being read.
 */
async function foldPartition(folder: PartitionFolder, task: PartitionTask): Promise<() => Promise<number>> {
  for (let passes = 1; passes <= REBUILD_PASSES; passes *= 2) {
    const first = await readPass(folder, task, 0, passes);
    if (first === 'too-many-keys') continue;
    if (passes === 1) return () => load(folder, task, [first]);
    const loaded = await loadPasses(folder, task, first, passes);
    if (loaded !== 'too-many-keys') return () => Promise.resolve(loaded);
  }
  throw new FactlineError({
    code: 'rebuild.memory',
    kind: 'unavailable',
    retry: false,
    message: `${task.topic}[${task.partition}] has too many keys for this machine: ${REBUILD_PASSES} passes of ${REBUILD_ROWS_IN_MEMORY} rows are not enough.`,
    advice: 'Use a topic with more partitions.',
  });
}

interface Folded {
  states: Map<string, KeyState>;
  last: { offset: number; id: Buffer } | null;
  parked: readonly Parked[];
}

async function readPass(folder: PartitionFolder, task: PartitionTask, pass: number, passes: number): Promise<Folded | 'too-many-keys'> {
  const { projection, decoder, log } = folder;
  const limit = folder.rowsInMemory ?? REBUILD_ROWS_IN_MEMORY;
  const fold = new Folder(projection, decoder);
  const states = new Map<string, KeyState>();
  const scope = { topic: task.topic, partition: task.partition, fromZero: true };
  const progress: PartitionProgress = { partition: task.partition, offset: 0, facts: 0, bytes: 0, rows: 0 };
  const overflow = new AbortController();
  const givenUp = new Set(task.givenUp);
  const parking = new Blocked(new Set()).batch(new Set(), new Map());
  let last: Folded['last'] = null;
  const take = async ({ records, nextOffset }: RecordBatch) => {
    const unprepared = decoder.unprepared(valuesOf(records));
    if (unprepared.length > 0) await decoder.prepare(unprepared);
    for (let i = 0; i < records.length; i++) {
      const record = records[i]!;
      const key = keyOf(record);
      progress.bytes += record.value?.length ?? 0;
      if (passes > 1 && hash(key) % passes !== pass) continue;
      let state = states.get(key);
      if (!state) states.set(key, (state = { row: null, sequence: 0, seen: 0 }));
      if (givenUp.size > 0 && givenUp.has(record.offset)) {
        fold.passOver(state, record);
        continue;
      }
      if (parking.failed.size > 0 && parking.takes(record, key)) continue;
      const { seen } = state;
      try {
        fold.fold(state, key, record, scope);
      } catch (error) {
        if (error instanceof FactlineError && error.code === 'fact.sequence-gap') throw error; // from zero, a history with holes is not whole
        state.seen = seen;
        parking.fail(record, key, error, seen);
      }
    }
    last = lastKnown(records) ?? last;
    progress.facts += records.length;
    progress.offset = nextOffset;
    progress.rows = states.size;
    folder.progress(progress);
    if (states.size > limit) overflow.abort();
  };
  const abort = folder.abort ? AbortSignal.any([folder.abort, overflow.signal]) : overflow.signal;
  try {
    await log.read({ topic: task.topic, topicId: task.topicId, ranges: [{ partition: task.partition, from: 0, to: task.end }], batch: take, abort });
  } catch (error) {
    if (!overflow.signal.aborted || error !== overflow.signal.reason) throw error;
  }
  folder.abort?.throwIfAborted();
  if (overflow.signal.aborted) return 'too-many-keys';
  return { states, last, parked: parking.parked };
}

/** Facts a second on one thread, by folding the first facts of the largest partition without loading them; the first thousand warm the code up. */
export async function sampleRate(parts: Pick<PartitionFolder, 'projection' | 'log' | 'decoder'>, plan: { topic: string; ends: readonly number[] }, facts: number): Promise<number> {
  const end = Math.max(...plan.ends);
  const partition = plan.ends.indexOf(end);
  const fold = new Folder(parts.projection, parts.decoder);
  const states = new Map<string, KeyState>();
  const started = performance.now();
  let folded = 0;
  await parts.log.read({
    topic: plan.topic,
    ranges: [{ partition, from: 0, to: Math.min(end, facts) }],
    batch: async ({ records }) => {
      await parts.decoder.prepare(parts.decoder.unprepared(valuesOf(records)));
      for (const record of records) {
        const key = keyOf(record);
        let state = states.get(key);
        if (!state) states.set(key, (state = { row: null, sequence: 0, seen: 0 }));
        try {
          fold.fold(state, key, record, { topic: plan.topic, partition, fromZero: true });
        } catch (error) {
          if (!isPoison(error)) throw error; // an estimate: what cannot be folded is told by the stage
        }
        folded++;
      }
    },
  });
  return Math.max(1, folded) / Math.max(0.001, (performance.now() - started) / 1_000);
}

async function loadPasses(folder: PartitionFolder, task: PartitionTask, first: Folded, passes: number): Promise<number | 'too-many-keys'> {
  const tooMany = new Error('too many keys');
  try {
    return await folder.session.transaction(async (tx) => {
      let rows = await copyFolded(folder, task, first, tx);
      for (let pass = 1; pass < passes; pass++) {
        const folded = await readPass(folder, task, pass, passes);
        if (folded === 'too-many-keys') throw tooMany;
        rows += await copyFolded(folder, task, folded, tx);
      }
      await writeCheckpoint(tx, folder, task, first.last);
      return rows;
    });
  } catch (error) {
    if (error === tooMany) return 'too-many-keys';
    throw error;
  }
}

async function load(folder: PartitionFolder, task: PartitionTask, parts: readonly Folded[]): Promise<number> {
  return folder.session.transaction(async (tx) => {
    let rows = 0;
    for (const part of parts) rows += await copyFolded(folder, task, part, tx);
    await writeCheckpoint(tx, folder, task, parts[0]!.last);
    return rows;
  });
}

async function copyFolded(folder: PartitionFolder, task: PartitionTask, { states, parked }: Folded, tx: Tx): Promise<number> {
  if (parked.length > 0) await folder.tables.deadLetters.park(tx, task, parked);
  return copyStates(folder, states);
}

async function copyStates({ projection, tables, session }: PartitionFolder, states: ReadonlyMap<string, KeyState>): Promise<number> {
  const gone: string[] = [];
  const line = copyLine(tables.columns);
  function* chunks(): Iterable<string> {
    let chunk = '';
    let lines = 0;
    for (const [key, { row, sequence }] of states) {
      if (row === null) {
        if (sequence > 0) gone.push(`${escapeCopy(key)}\t${sequence}\n`);
        continue;
      }
      assertRow(projection, tables.columns, key, row);
      chunk += line(row, sequence);
      if (++lines % COPY_CHUNK_ROWS === 0) {
        yield chunk;
        chunk = '';
      }
    }
    if (chunk) yield chunk;
  }
  const rows = await session.copyIn(tables.copyRows, chunks());
  if (gone.length > 0) await session.copyIn(tables.copyGone, gone);
  return rows;
}

async function writeCheckpoint(tx: Tx, { tables }: PartitionFolder, task: PartitionTask, last: Folded['last']): Promise<void> {
  await tx.query(
    `insert into ${checkpointTable(tables.schema)} (topic, partition, topic_id, next_offset, last_offset, last_fact_id, generation)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [task.topic, task.partition, task.topicId, task.end, last?.offset ?? null, last?.id ?? null, task.generation],
  );
}

function* valuesOf(records: readonly LogRecord[]): Iterable<Buffer | null> {
  for (const { value } of records) yield value;
}

/** FNV-1a over UTF-16 units: only divides keys among passes. */
function hash(key: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) h = Math.imul(h ^ key.charCodeAt(i), 0x01000193);
  return h >>> 0;
}
