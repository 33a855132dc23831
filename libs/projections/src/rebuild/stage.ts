import { pause } from 'factline/kernel';
import { Store } from 'factline/store';
import { PROGRESS_INTERVAL_MS, TAIL_NEAR_FACTS, TAIL_ROUNDS, THREADS_FROM_FACTS } from '../limits.js';
import { readGivenUp } from '../given-up.js';
import { writeAbout } from '../tables.js';
import { distance, vectorOf } from './catch-up.js';
import type { RebuildContext } from './context.js';
import { readLedger, writeLedger } from './ledger.js';
import { type PartitionFolder, type PartitionTask, foldPartitions } from './partition.js';
import { type RebuildPlan, comparable, preflight } from './plan.js';
import { StageMeter } from './progress.js';
import { dropSchema } from './swap.js';
import { foldOnThreads } from './threads.js';

export interface Staged {
  plan: RebuildPlan;
  facts: number;
  rows: number;
  /** Facts a second of this run's folding; 0 when everything was done before. */
  factsPerSecond: number;
  elapsedMs: number;
  /** Building keys and indexes, part of elapsedMs. */
  indexMs: number;
  /** Partitions that an earlier, interrupted run had finished. */
  resumed: number;
  /** Keys with facts that cannot be folded: they are blocked in this build. */
  blockedKeys: number;
}

/** Fold from zero, load, index, follow the live position. Each part is kept when the process dies, and the next call goes on behind it. */
export async function stage(context: RebuildContext): Promise<Staged> {
  const started = performance.now();
  const { plan, done } = await planOrResume(context);
  const meter = new StageMeter(plan, done);
  const rows = await fold(context, plan, done, meter);
  const { facts, factsPerSecond } = meter.progress;
  const indexStarted = performance.now();
  await buildIndexes(context, plan);
  const indexMs = performance.now() - indexStarted;
  await followLive(context, plan);
  await writeLedger(context.session, plan, 'staged', meter.progress);
  return {
    plan,
    facts,
    rows,
    factsPerSecond: done.size === plan.ends.length ? 0 : factsPerSecond,
    elapsedMs: performance.now() - started,
    indexMs,
    resumed: done.size,
    blockedKeys: await context.tables('next').deadLetters.countKeys(context.session),
  };
}

/** An interrupted rebuild of the same code over the same topic goes on with its frozen plan; anything else starts anew. */
async function planOrResume(context: RebuildContext): Promise<{ plan: RebuildPlan; done: Set<number> }> {
  const { session, log, projection } = context;
  const { plan } = await preflight(log, session, projection);
  const before = await readLedger(session, projection.name);
  const build = await context.build('next');
  const same = before?.plan.fingerprint === plan.fingerprint && before.plan.topicId === plan.topicId && before.plan.generation === plan.generation;
  if (before && build && same) return { plan: before.plan, done: new Set(build.checkpoints.map(({ partition }) => partition)) };
  await dropSchema(session, context.names.next);
  const tables = context.tables('next');
  await session.transaction(async (tx) => {
    await tx.query(tables.create);
    await writeAbout(tx, tables, plan);
    await writeLedger(tx, plan, 'stage');
  });
  return { plan, done: new Set() };
}

async function fold(context: RebuildContext, plan: RebuildPlan, done: ReadonlySet<number>, meter: StageMeter): Promise<number> {
  const givenUp = await readGivenUp(context.session, plan.projection, plan.topic);
  const tasks: PartitionTask[] = plan.ends.flatMap((end, partition) =>
    done.has(partition) ? [] : [{ topic: plan.topic, topicId: plan.topicId, partition, end, generation: plan.generation, givenUp: givenUp.get(partition) ?? [] }],
  );
  const finished = new AbortController();
  const reporting = report(context, plan, meter, finished.signal);
  reporting.catch(() => undefined); // awaited below; a rejection before that is not unhandled
  let rows: number;
  try {
    rows = await foldTasks(context, tasks, meter);
  } catch (error) {
    finished.abort();
    await reporting.catch(() => undefined); // what failed first is what is said
    throw error;
  }
  finished.abort();
  await reporting;
  return rows;
}

function foldTasks(context: RebuildContext, tasks: readonly PartitionTask[], meter: StageMeter): Promise<number> {
  const { module, projection, connections, abort } = context.options;
  const facts = tasks.reduce((sum, { end }) => sum + end, 0);
  if (!module || facts < THREADS_FROM_FACTS) return foldHere(context, tasks, meter);
  const setup = { module, projection: projection.name, version: projection.version, schema: context.names.next, connections };
  return foldOnThreads(setup, tasks, (part) => meter.take(part), abort);
}

async function foldHere(context: RebuildContext, tasks: readonly PartitionTask[], meter: StageMeter): Promise<number> {
  const { abort, rowsInMemory } = context.options;
  const folder: PartitionFolder = {
    projection: context.projection,
    tables: context.tables('next'),
    decoder: context.decoder(),
    log: context.log,
    session: context.session,
    progress: (part) => meter.take(part),
    ...(abort && { abort }),
    ...(rowsInMemory !== undefined && { rowsInMemory }),
  };
  const waiting = [...tasks];
  return foldPartitions(folder, () => Promise.resolve(waiting.shift()));
}

/** Progress for this terminal, and through the database for others. */
async function report(context: RebuildContext, plan: RebuildPlan, meter: StageMeter, finished: AbortSignal): Promise<void> {
  while (!finished.aborted) {
    context.options.onProgress?.(meter.progress);
    await writeLedger(context.store, plan, 'stage', meter.progress);
    await pause(PROGRESS_INTERVAL_MS, finished);
  }
  context.options.onProgress?.(meter.progress);
}

/** After the rows: building keys and indexes once costs a third of keeping them while loading. Those that exist were built by an interrupted run. */
async function buildIndexes(context: RebuildContext, plan: RebuildPlan): Promise<void> {
  const { session, projection } = context;
  const tables = context.tables('next');
  const { rows } = await session.query<{ count: number }>('select count(*)::integer as count from pg_indexes where schemaname = $1 and tablename in ($2, $3)', [
    tables.schema,
    projection.name,
    'gone',
  ]);
  await writeLedger(session, plan, 'index');
  await session.query("set maintenance_work_mem = '256MB'");
  await cancellable(context, async () => {
    for (const { sql } of tables.indexes.slice(rows[0]!.count)) await session.query(sql);
    await session.query(tables.analyze);
  });
}

/** An index over millions of rows takes a while: cancelling ends the statement in the database, and what was built before it stays. */
async function cancellable(context: RebuildContext, work: () => Promise<void>): Promise<void> {
  const { session, options } = context;
  options.abort?.throwIfAborted();
  const pid = (await session.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!.pid;
  let cancelling = Promise.resolve();
  const cancel = () => {
    // As the app's own user: the replay role may not cancel what that user's connection runs.
    const app = new Store({ url: options.connections.databaseUrl, applicationName: 'factline replay cancel', connections: 1 });
    cancelling = app.query('select pg_cancel_backend($1)', [pid]).then(
      () => app.close(),
      () => app.close(), // then the statement ends by itself, and the next look at the signal ends the rest
    );
  };
  options.abort?.addEventListener('abort', cancel, { once: true });
  try {
    await work();
  } catch (error) {
    options.abort?.throwIfAborted();
    throw error;
  } finally {
    options.abort?.removeEventListener('abort', cancel);
    await cancelling;
  }
  options.abort?.throwIfAborted();
}

/** Follows the live model until little is left between, or, where nothing is live, goes up to the end of the log. */
export async function followLive(context: RebuildContext, plan: RebuildPlan): Promise<void> {
  await writeLedger(context.session, plan, 'tail');
  for (let round = 0; round < TAIL_ROUNDS; round++) {
    context.options.abort?.throwIfAborted();
    const live = await context.build('live');
    const target = comparable(live) ? vectorOf(live.checkpoints) : await context.logEnds();
    const left = distance(vectorOf(await context.checkpoints('next')), target);
    if (left === 0) return;
    await context.moveNextTo(target);
    if (left < TAIL_NEAR_FACTS) return;
  }
}
