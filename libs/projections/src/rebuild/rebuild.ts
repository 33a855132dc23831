import { type Checkpoint, readCheckpoints } from 'factline/consumer';
import { FactDecoder } from 'factline/contracts';
import { FactlineError, type Logger, pause, silentLogger } from 'factline/kernel';
import type { FactLog } from 'factline/log';
import { type Session, identifier } from 'factline/store';
import { BatchEngine } from '../batch.js';
import { PROGRESS_INTERVAL_MS, SWAP_ATTEMPTS, TAIL_ROUNDS } from '../limits.js';
import type { Projection } from '../projection.js';
import { Tables, schemaNames, writeAbout } from '../tables.js';
import { type Vector, catchUp, reaches, vectorOf } from './catch-up.js';
import { type RebuildConnections, connect } from './connections.js';
import { type LedgerEntry, type RebuildProgress, lockRebuild, readLedger, removeLedger, writeLedger } from './ledger.js';
import { type PartitionFolder, type PartitionTask, foldPartition } from './partition.js';
import { type LiveBuild, type RebuildPlan, comparable, onlyTopic, preflight, readBuild } from './plan.js';
import { StageMeter } from './progress.js';
import { type Swapped, assertNoViews, copyGrants, dropSchema, trySwap } from './swap.js';
import { foldOnThreads } from './threads.js';
import { type Verification, bucketHashes, columnNames, commonColumns, differingBuckets, differingRows, positionsOf } from './verify.js';

export interface RebuildOptions {
  projection: Projection;
  connections: RebuildConnections;
  /** URL of the module that exports the projection: then partitions are folded on one thread per core. Without it, on the calling thread. */
  module?: string;
  onProgress?: (progress: RebuildProgress) => void;
  logger?: Logger;
  /** Ends the work between batches; what is finished is kept. */
  abort?: AbortSignal;
  /** Rows held in memory per partition before a partition is read in several passes. */
  rowsInMemory?: number;
}

export interface Staged {
  plan: RebuildPlan;
  facts: number;
  rows: number;
  /** Facts a second of this run; 0 when everything was done before. */
  factsPerSecond: number;
  elapsedMs: number;
  indexMs: number;
  /** Partitions that an earlier, interrupted run had finished. */
  resumed: number;
}

export interface RebuildStatus {
  live: { generation: number; version: number; current: boolean; bytes: number; positions: { partition: number; nextOffset: number }[] } | undefined;
  staged: LedgerEntry | undefined;
  previous: { generation: number; version: number } | undefined;
}

/**
 * Rebuilds one projection of one app from offset zero, beside the live one and while it serves.
 * Each step can be repeated and goes on where it was killed. Promised: the live model is untouched until `swap`, which is one transaction;
 * nothing is stated to the log and no group's offsets move; a history that does not begin at zero is refused.
 * Open with `Rebuild.open`, `close` when done.
 */
export class Rebuild {
  readonly #names: { live: string; next: string; previous: string };

  private constructor(
    private readonly options: RebuildOptions,
    private readonly parts: { log: FactLog; session: Session; decoder: () => FactDecoder; engine: (schema: string) => BatchEngine; close: () => Promise<void> },
  ) {
    this.#names = schemaNames(options.projection.name);
  }

  static async open(options: RebuildOptions): Promise<Rebuild> {
    onlyTopic(options.projection);
    const connected = await connect(options.connections, 'factline replay');
    const session = await connected.store.session();
    const decoder = () => new FactDecoder(options.projection.facts, connected.schemas);
    return new Rebuild(options, {
      log: connected.log,
      session,
      decoder,
      engine: (schema) => new BatchEngine(options.projection, new Tables(options.projection, schema), decoder(), connected.store),
      close: async () => {
        await session.close();
        await connected.close();
      },
    });
  }

  async close(): Promise<void> {
    await this.parts.close();
  }

  /** Whether a rebuild can be right, and what it would read; writes nothing. */
  async preflight(): Promise<RebuildPlan> {
    return (await preflight(this.parts.log, this.parts.session, this.options.projection)).plan;
  }

  async status(): Promise<RebuildStatus> {
    const { projection } = this.options;
    const live = await this.#build(this.#names.live);
    const previous = await this.#build(this.#names.previous);
    return {
      live: live && {
        generation: live.about.generation,
        version: live.about.version,
        current: live.about.fingerprint === projection.fingerprint,
        bytes: live.bytes,
        positions: positionsOf(live.checkpoints),
      },
      staged: await readLedger(this.parts.session, projection.name),
      previous: previous && { generation: previous.about.generation, version: previous.about.version },
    };
  }

  /** Builds the next generation: fold from zero, load, index, and follow the live model's position. */
  async stage(): Promise<Staged> {
    const started = performance.now();
    await this.#lock();
    const { plan, done } = await this.#planOrResume();
    const meter = new StageMeter(plan, done);
    const rows = await this.#fold(plan, done, meter);
    const { facts, factsPerSecond } = meter.progress;
    const indexStarted = performance.now();
    await this.#index(plan);
    const indexMs = performance.now() - indexStarted;
    await this.#follow(plan);
    await writeLedger(this.parts.session, plan, 'staged', meter.progress);
    return { plan, facts, rows, factsPerSecond: done.size === plan.ends.length ? 0 : factsPerSecond, elapsedMs: performance.now() - started, indexMs, resumed: done.size };
  }

  /** Compares the staged build with the live one at exactly the same positions. @throws `rebuild.nothing-live`, `rebuild.live-behind` (unavailable) */
  async verify(): Promise<Verification> {
    const started = performance.now();
    await this.#lock();
    const { plan } = await this.#staged();
    const live = await this.#build(this.#names.live);
    if (!comparable(live)) throw nothingLive(plan.projection);
    const liveTables = new Tables(this.options.projection, this.#names.live);
    const nextTables = new Tables(this.options.projection, this.#names.next);
    await this.#follow(plan);
    const snapshot = await connect(this.options.connections, 'factline replay verify');
    const reader = await snapshot.store.session();
    try {
      await reader.query('begin isolation level repeatable read read only');
      const at = await readCheckpoints(reader, this.#names.live);
      const columns = commonColumns(await columnNames(reader, liveTables), nextTables);
      const [liveBuckets] = await Promise.all([bucketHashes(reader, liveTables, columns), this.#moveTo(vectorOf(at), plan.projection)]);
      const nextBuckets = await bucketHashes(this.parts.session, nextTables, columns);
      const differing = differingBuckets(liveBuckets, nextBuckets);
      const differences = await differingRows(reader, liveTables, this.parts.session, nextTables, differing, columns);
      const count = (buckets: readonly { rows: number }[]) => buckets.reduce((sum, { rows }) => sum + rows, 0);
      if (differing.length === 0) await writeLedger(this.parts.session, plan, 'verified');
      return {
        equal: differing.length === 0,
        liveRows: count(liveBuckets),
        rebuiltRows: count(nextBuckets),
        buckets: Math.max(liveBuckets.length, nextBuckets.length),
        differingBuckets: differing.length,
        differences,
        at: positionsOf(at),
        elapsedMs: performance.now() - started,
      };
    } finally {
      await reader.close();
      await snapshot.close();
    }
  }

  /** Makes the staged build live, in one transaction, at or beyond the live position. The build it replaces is kept for `rollback`. */
  async swap(): Promise<Swapped> {
    await this.#lock();
    const { plan } = await this.#staged();
    const { session } = this.parts;
    const live = await this.#build(this.#names.live);
    if (!live) return this.#firstLive(plan);
    await assertNoViews(session, this.#names.live);
    await copyGrants(session, this.options.projection, this.#names.next);
    await dropSchema(session, this.#names.previous);
    for (let attempts = 1; attempts <= SWAP_ATTEMPTS; attempts++) {
      await this.#moveTo(await this.#logEnds(), plan.projection);
      const swapped = await trySwap(session, { projection: this.options.projection, direction: 'swap', incoming: this.#names.next, outgoing: this.#names.previous, mayBeBehind: false });
      if (!swapped) continue;
      await writeLedger(session, plan, 'swapped');
      return { ...swapped, attempts };
    }
    throw new FactlineError({
      code: 'rebuild.live-too-fast',
      kind: 'unavailable',
      message: `The live model of '${plan.projection}' moved on during each of ${SWAP_ATTEMPTS} attempts to swap.`,
      advice: `Nothing was changed. Try again: factline replay swap ${plan.projection}`,
    });
  }

  /** Makes the build before the last swap live again; the one it replaces becomes the staged one. */
  async rollback(): Promise<Swapped & { behind: boolean }> {
    await this.#lock();
    const { projection } = this.options;
    const previous = await this.#build(this.#names.previous);
    if (!previous) throw nothing('rebuild.nothing-previous', `There is no build of '${projection.name}' to go back to.`, 'Only a swap leaves one, until `factline replay drop`.');
    if (await this.#build(this.#names.next)) throw nothing('rebuild.staged-exists', `A staged build of '${projection.name}' is in the way.`, `Drop it first: factline replay drop ${projection.name} --staged`);
    const current = previous.about.fingerprint === projection.fingerprint;
    if (current) await catchUp(this.parts.log, this.parts.engine(this.#names.previous), this.parts.session, previous.checkpoints, await this.#logEnds());
    await assertNoViews(this.parts.session, this.#names.live);
    await copyGrants(this.parts.session, projection, this.#names.previous);
    const swapped = await trySwap(this.parts.session, { projection, direction: 'rollback', incoming: this.#names.previous, outgoing: this.#names.next, mayBeBehind: true });
    await removeLedger(this.parts.session, projection.name);
    return { ...swapped!, attempts: 1, behind: !current };
  }

  /** Removes the build kept by the last swap, or with `staged` the one being built. @returns what was dropped. */
  async drop(which: 'previous' | 'staged'): Promise<boolean> {
    await this.#lock();
    if (which === 'staged') await removeLedger(this.parts.session, this.options.projection.name);
    return dropSchema(this.parts.session, which === 'staged' ? this.#names.next : this.#names.previous);
  }

  async #planOrResume(): Promise<{ plan: RebuildPlan; done: Set<number> }> {
    const { session, log } = this.parts;
    const { projection } = this.options;
    const { plan } = await preflight(log, session, projection);
    const before = await readLedger(session, projection.name);
    const build = await this.#build(this.#names.next);
    if (before && build && before.plan.fingerprint === plan.fingerprint && before.plan.topicId === plan.topicId && before.plan.generation === plan.generation) {
      return { plan: before.plan, done: new Set(build.checkpoints.map(({ partition }) => partition)) };
    }
    await dropSchema(session, this.#names.next);
    const tables = new Tables(projection, this.#names.next);
    await session.transaction(async (tx) => {
      await tx.query(tables.create);
      await writeAbout(tx, tables, plan);
      await writeLedger(tx, plan, 'stage');
    });
    return { plan, done: new Set() };
  }

  async #fold(plan: RebuildPlan, done: ReadonlySet<number>, meter: StageMeter): Promise<number> {
    const tasks: PartitionTask[] = plan.ends.flatMap((end, partition) =>
      done.has(partition) ? [] : [{ topic: plan.topic, topicId: plan.topicId, partition, end, generation: plan.generation }],
    );
    const finished = new AbortController();
    const reporting = this.#report(plan, meter, finished.signal);
    try {
      const { module, projection, connections, abort } = this.options;
      if (module) {
        return await foldOnThreads({ module, projection: projection.name, version: projection.version, schema: this.#names.next, connections }, tasks, (part) => meter.take(part), abort);
      }
      return await this.#foldHere(tasks, meter);
    } finally {
      finished.abort();
      await reporting;
    }
  }

  async #foldHere(tasks: readonly PartitionTask[], meter: StageMeter): Promise<number> {
    const { projection, abort, rowsInMemory } = this.options;
    const folder: PartitionFolder = {
      projection,
      tables: new Tables(projection, this.#names.next),
      decoder: this.parts.decoder(),
      log: this.parts.log,
      session: this.parts.session,
      progress: (part) => meter.take(part),
      ...(abort && { abort }),
      ...(rowsInMemory !== undefined && { rowsInMemory }),
    };
    let rows = 0;
    for (const task of tasks) rows += await (await foldPartition(folder, task))();
    return rows;
  }

  async #report(plan: RebuildPlan, meter: StageMeter, finished: AbortSignal): Promise<void> {
    const { store, close } = await connect(this.options.connections, 'factline replay progress');
    try {
      while (!finished.aborted) {
        this.options.onProgress?.(meter.progress);
        await writeLedger(store, plan, 'stage', meter.progress);
        await pause(PROGRESS_INTERVAL_MS, finished);
      }
      this.options.onProgress?.(meter.progress);
    } finally {
      await close();
    }
  }

  /** Keys and indexes after the rows: building them once costs a third of keeping them while loading. */
  async #index(plan: RebuildPlan): Promise<void> {
    const tables = new Tables(this.options.projection, this.#names.next);
    const { rows } = await this.parts.session.query<{ count: number }>('select count(*)::integer as count from pg_indexes where schemaname = $1 and tablename in ($2, $3)', [
      tables.schema,
      this.options.projection.name,
      'gone',
    ]);
    await writeLedger(this.parts.session, plan, 'index');
    await this.parts.session.query("set maintenance_work_mem = '256MB'");
    for (const { sql } of tables.indexes.slice(rows[0]!.count)) await this.parts.session.query(sql);
    await this.parts.session.query(tables.analyze);
  }

  /** Follows the live model until nothing is left between, or, where nothing is live, up to the end of the log. */
  async #follow(plan: RebuildPlan): Promise<void> {
    await writeLedger(this.parts.session, plan, 'tail');
    for (let round = 0; round < TAIL_ROUNDS; round++) {
      const live = await this.#build(this.#names.live);
      const target = comparable(live) ? vectorOf(live.checkpoints) : await this.#logEnds();
      const reached = await this.#checkpoints();
      if (reaches(vectorOf(reached), target)) return;
      await this.#moveTo(target, plan.projection);
    }
  }

  /** Moves the staged build to a vector. @throws `rebuild.live-behind` when it is beyond it already, so that no comparison at equal positions is possible. */
  async #moveTo(to: Vector, projection: string): Promise<void> {
    const { session, log } = this.parts;
    const at = await this.#checkpoints();
    const reached = await catchUp(log, this.parts.engine(this.#names.next), session, at, to);
    if (reaches(to, vectorOf(reached))) return;
    throw new FactlineError({
      code: 'rebuild.live-behind',
      kind: 'unavailable',
      message: `The live model of '${projection}' is behind the staged one, so they cannot be compared at the same positions.`,
      advice: 'Start the app and let it catch up, or stage again.',
    });
  }

  #checkpoints(): Promise<Checkpoint[]> {
    return readCheckpoints(this.parts.session, this.#names.next);
  }

  async #logEnds(): Promise<Vector> {
    const [topic] = await this.parts.log.describe([onlyTopic(this.options.projection)]);
    return new Map(topic!.partitions.map(({ end }, partition) => [partition, end]));
  }

  /** There was no live build at all: the staged one becomes it. */
  async #firstLive(plan: RebuildPlan): Promise<Swapped> {
    const started = performance.now();
    await this.parts.session.query(`alter schema ${identifier(this.#names.next)} rename to ${identifier(this.#names.live)}`);
    await writeLedger(this.parts.session, plan, 'swapped');
    return { fromGeneration: 0, toGeneration: plan.generation, heldMs: performance.now() - started, attempts: 1 };
  }

  async #staged(): Promise<LedgerEntry> {
    const { projection } = this.options;
    const entry = await readLedger(this.parts.session, projection.name);
    const build = await this.#build(this.#names.next);
    const complete = entry && build && ['tail', 'staged', 'verified'].includes(entry.phase) && entry.plan.fingerprint === projection.fingerprint;
    if (complete) return entry;
    throw nothing('rebuild.nothing-staged', `No finished build of '${projection.name}' (version ${projection.version}) is staged.`, `Build one: factline replay stage ${projection.name}`);
  }

  #build(schema: string): Promise<LiveBuild | undefined> {
    return readBuild(this.parts.session, this.options.projection, schema);
  }

  async #lock(): Promise<void> {
    (this.options.logger ?? silentLogger).debug({ projection: this.options.projection.name }, 'taking the rebuild lock');
    await lockRebuild(this.parts.session, this.options.projection.name);
  }
}

function nothing(code: string, message: string, advice: string): FactlineError {
  return new FactlineError({ code, kind: 'conflict', message, advice });
}

function nothingLive(projection: string): FactlineError {
  return nothing('rebuild.nothing-live', `The live model of '${projection}' has applied nothing yet: there is nothing to compare with.`, `Swap without: factline replay swap ${projection}`);
}
