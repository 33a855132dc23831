import { FactlineError } from 'factline/kernel';
import { type Session, type Store, type Tx, identifier } from 'factline/store';
import { REBUILD_CONNECTIONS, SWAP_ATTEMPTS, SWAP_LOCK_TIMEOUT_MS, WARM_ROUNDS } from '../limits.js';
import type { Projection } from '../projection.js';
import { Tables, type About, schemaExists } from '../tables.js';
import { type Vector, catchUp, stagedMoved, vectorOf } from './catch-up.js';
import type { RebuildContext } from './context.js';
import type { Transactional } from '../batch.js';
import { removeLedger, writeLedger } from './ledger.js';
import type { RebuildPlan } from './plan.js';
import { Tail } from './tail.js';

export interface Swapped {
  fromGeneration: number;
  toGeneration: number;
  /** How long writers of the live model were held, milliseconds: from the retiring of its checkpoints to the commit. Readers were not. */
  heldMs: number;
  attempts: number;
}

/** Makes the staged build live at or beyond the live position, and keeps the one it replaces. */
export async function swapIn(context: RebuildContext, plan: RebuildPlan): Promise<Swapped> {
  const { session, projection, names } = context;
  if (!(await schemaExists(session, names.live))) return firstLive(context, plan);
  await assertNoViews(session, names.live);
  await copyGrants(session, projection, names.next);
  await dropSchema(session, names.previous);
  for (let attempts = 1; ; attempts++) {
    await context.moveNextTo(await context.logEnds());
    try {
      const swapped = await swapAtTheEnd(context, { direction: 'swap', incoming: 'next', outgoing: names.previous });
      await writeLedger(session, plan, 'swapped');
      return { ...swapped, attempts };
    } catch (error) {
      if (attempts === SWAP_ATTEMPTS || !isLock(error)) throw error;
    }
  }
}

/**
 * Swaps while the live model moves: the incoming build follows the log in memory, and what the live one is ahead at the last moment (a few facts) is applied
 * inside the swap's transaction, so that readers never go back in time.
 */
async function swapAtTheEnd(context: RebuildContext, parts: Pick<SwapParts, 'direction' | 'outgoing'> & { incoming: 'next' | 'previous' }): Promise<Omit<Swapped, 'attempts'>> {
  const engine = context.engine(parts.incoming);
  let at = await context.checkpoints(parts.incoming);
  const tail = new Tail(context.log, context.topic, vectorOf(at));
  const applyUpTo = (to: Vector, db: Transactional) =>
    Promise.all(
      at.map(async (checkpoint) => {
        const work = tail.take(checkpoint, to.get(checkpoint.partition) ?? 0);
        if (!work) return checkpoint;
        const next = await engine.apply(checkpoint, work, db);
        if (next === 'fenced') throw stagedMoved(context.projection.name);
        return next;
      }),
    );
  try {
    await tail.arrive(await context.logEnds());
    for (let round = 0; round < WARM_ROUNDS; round++) await Promise.all(Array.from({ length: REBUILD_CONNECTIONS }, () => engine.warm()));
    at = await applyUpTo(tail.vector, context.store);
    return await trySwap(context.store, {
      ...parts,
      projection: context.projection,
      incoming: context.names[parts.incoming],
      catchUp: async (tx, live) => {
        await tail.arrive(live);
        at = await applyUpTo(live, tx);
      },
    });
  } finally {
    await tail.stop();
  }
}

/** Makes the build before the last swap live again; the one it replaces becomes the staged one. Same code: it is brought up to date first. */
export async function rollBack(context: RebuildContext): Promise<Swapped & { behind: boolean }> {
  const { session, projection, names } = context;
  const previous = await context.build('previous');
  if (!previous) throw refusal('rebuild.nothing-previous', `There is no build of '${projection.name}' to go back to.`, 'Only a swap leaves one, until `factline replay drop`.');
  if (await context.build('next')) {
    throw refusal('rebuild.staged-exists', `A staged build of '${projection.name}' is in the way.`, `Drop it first: factline replay drop ${projection.name} --staged`);
  }
  const current = previous.about.fingerprint === projection.fingerprint;
  if (current) await catchUp(context.log, context.engine('previous'), session, previous.checkpoints, await context.logEnds());
  await assertNoViews(session, names.live);
  await copyGrants(session, projection, names.previous);
  const swapped = current
    ? await swapAtTheEnd(context, { direction: 'rollback', incoming: 'previous', outgoing: names.next })
    : await trySwap(context.store, { projection, direction: 'rollback', incoming: names.previous, outgoing: names.next });
  await removeLedger(session, projection.name);
  return { ...swapped, attempts: 1, behind: !current };
}

/** Somebody held a row for longer than the swap waits, or took rows in another order: nothing was changed, and a moment later it is different. */
function isLock(error: unknown): boolean {
  return error instanceof FactlineError && ['store.locked', 'store.contended'].includes(error.code);
}

/** There was no live build at all: the staged one becomes it. */
async function firstLive({ session, names }: RebuildContext, plan: RebuildPlan): Promise<Swapped> {
  const started = performance.now();
  await session.query(`alter schema ${identifier(names.next)} rename to ${identifier(names.live)}`);
  await writeLedger(session, plan, 'swapped');
  return { fromGeneration: 0, toGeneration: plan.generation, heldMs: performance.now() - started, attempts: 1 };
}

function refusal(code: string, message: string, advice: string): FactlineError {
  return new FactlineError({ code, kind: 'conflict', message, advice });
}

interface SwapParts {
  projection: Projection;
  direction: 'swap' | 'rollback';
  /** Schema that goes live, and the name the live one gets. */
  incoming: string;
  outgoing: string;
  /** Brings the incoming build to the live positions, which are frozen now. Without it the model may seem to go back in time until it has caught up. */
  catchUp?: (tx: Tx, live: Vector) => Promise<void>;
}

/**
 * One transaction: retires the live checkpoints, renames the schemas, numbers the new generation.
 * Retiring is an UPDATE, not a lock: a live consumer blocked on the row wakes up to a checkpoint that its compare-and-set does not match, and writes nothing;
 * with a lock alone it would advance the old checkpoint by OID and insert into the new table by name (outbox-and-replay, finding 6).
 * Renaming takes no lock on tables: readers go on, and their prepared statements find the new tables at the next execution.
 */
async function trySwap(store: Store, parts: SwapParts): Promise<Omit<Swapped, 'attempts'>> {
  const { projection, incoming, outgoing } = parts;
  const live = projection.name;
  let held = 0;
  const swapped = await store.transaction(async (tx) => {
    const [, from, other] = await Promise.all([tx.query(`set local lock_timeout = ${SWAP_LOCK_TIMEOUT_MS}`), aboutOf(tx, projection, live), aboutOf(tx, projection, incoming)]);
    held = performance.now();
    const reached = await retire(tx, live);
    await parts.catchUp?.(tx, reached);
    const toGeneration = Math.max(from.generation + 1, other.generation);
    // One batch: each round trip less is one that writers do not wait for (7 of them took 2 to 6 ms).
    await Promise.all([
      tx.query(`alter schema ${identifier(live)} rename to ${identifier(outgoing)}`),
      tx.query(`alter schema ${identifier(incoming)} rename to ${identifier(live)}`),
      tx.query(`update ${identifier(live)}.checkpoint set generation = $1, epoch = epoch + 1`, [toGeneration]),
      parts.catchUp && tx.query(keepAsOf(live, outgoing)),
      tx.query(`update ${identifier(live)}.about set generation = $1`, [toGeneration]),
      tx.query('insert into factline.swap (projection, direction, from_generation, to_generation, held_ms) values ($1, $2, $3, $4, $5)', [live, parts.direction, from.generation, toGeneration, performance.now() - held]),
    ]);
    return { fromGeneration: from.generation, toGeneration };
  }, { attempts: 1 }); // what is taken from the tail is taken once
  return { ...swapped, heldMs: performance.now() - held };
}

async function aboutOf(tx: Tx, projection: Projection, schema: string): Promise<About> {
  return (await tx.query<About>(new Tables(projection, schema).about)).rows[0]!;
}

/** What was true of the build that is replaced is true of one at or beyond its positions: readers do not see freshness become unknown. */
function keepAsOf(live: string, outgoing: string): string {
  return `update ${identifier(live)}.checkpoint c set as_of = greatest(c.as_of, o.as_of)
    from ${identifier(outgoing)}.checkpoint o where o.topic = c.topic and o.partition = c.partition`;
}

async function retire(tx: Tx, live: string): Promise<Vector> {
  const { rows } = await tx.query<{ partition: number; next_offset: string }>(
    `update ${identifier(live)}.checkpoint set generation = -abs(generation) returning partition, next_offset`,
  );
  return new Map(rows.map(({ partition, next_offset }) => [partition, Number(next_offset)]));
}

/** Views bind tables by identity, so after a rename they would go on reading the old generation. */
async function assertNoViews(session: Session, live: string): Promise<void> {
  const { rows } = await session.query<{ view: string }>(
    `select distinct v.oid::regclass::text as view
     from pg_depend d join pg_rewrite r on r.oid = d.objid and d.classid = 'pg_rewrite'::regclass
     join pg_class v on v.oid = r.ev_class join pg_class t on t.oid = d.refobjid join pg_namespace n on n.oid = t.relnamespace
     where n.nspname = $1 and v.oid <> t.oid order by 1`,
    [live],
  );
  if (rows.length === 0) return;
  throw new FactlineError({
    code: 'rebuild.views',
    kind: 'refused',
    message: `Views depend on the tables of '${live}' and would go on reading the old build: ${rows.map(({ view }) => view).join(', ')}.`,
    advice: 'Drop them, swap, and create them again; or read the table itself.',
  });
}

/** What was granted on the live schema and table is granted on the incoming one: readers with their own roles keep reading. */
async function copyGrants(session: Session, projection: Projection, incoming: string): Promise<void> {
  const { rows } = await session.query<{ statement: string }>(
    `select format('grant %s on schema %I to %s', a.privilege_type, $2::text, case a.grantee when 0 then 'public' else a.grantee::regrole::text end) as statement
     from pg_namespace n, aclexplode(n.nspacl) a where n.nspname = $1 and a.grantee <> n.nspowner
     union all
     select format('grant %s on %I.%I to %s', a.privilege_type, $2::text, c.relname, case a.grantee when 0 then 'public' else a.grantee::regrole::text end)
     from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) a
     where n.nspname = $1 and c.relkind = 'r' and a.grantee <> c.relowner`,
    [projection.name, incoming],
  );
  for (const { statement } of rows) await session.query(statement);
}

export async function dropSchema(session: Session, schema: string): Promise<boolean> {
  if (!(await schemaExists(session, schema))) return false;
  await session.query(`drop schema ${identifier(schema)} cascade`);
  return true;
}
