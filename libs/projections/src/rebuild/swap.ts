import { readCheckpoints } from 'factline/consumer';
import { FactlineError } from 'factline/kernel';
import { type Session, type Tx, identifier } from 'factline/store';
import { SWAP_ATTEMPTS, SWAP_LOCK_TIMEOUT_MS } from '../limits.js';
import type { Projection } from '../projection.js';
import { Tables, type About, schemaExists } from '../tables.js';
import { type Vector, catchUp, reaches, vectorOf } from './catch-up.js';
import type { RebuildContext } from './context.js';
import { removeLedger, writeLedger } from './ledger.js';
import type { RebuildPlan } from './plan.js';

export interface Swapped {
  fromGeneration: number;
  toGeneration: number;
  /** How long the live model's writers were held, milliseconds; readers were not. */
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
  for (let attempts = 1; attempts <= SWAP_ATTEMPTS; attempts++) {
    await context.moveNextTo(await context.logEnds());
    const swapped = await trySwap(session, { projection, direction: 'swap', incoming: names.next, outgoing: names.previous, mayBeBehind: false });
    if (!swapped) continue;
    await writeLedger(session, plan, 'swapped');
    return { ...swapped, attempts };
  }
  throw new FactlineError({
    code: 'rebuild.live-too-fast',
    kind: 'unavailable',
    message: `The live model of '${projection.name}' moved on during each of ${SWAP_ATTEMPTS} attempts to swap.`,
    advice: `Nothing was changed. Try again: factline replay swap ${projection.name}`,
  });
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
  const swapped = await trySwap(session, { projection, direction: 'rollback', incoming: names.previous, outgoing: names.next, mayBeBehind: true });
  await removeLedger(session, projection.name);
  return { ...swapped!, attempts: 1, behind: !current };
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
  /** Whether the incoming build may be behind the live one, which then seems to go back in time until it has caught up. */
  mayBeBehind: boolean;
}

/**
 * One transaction: retires the live checkpoints, renames the schemas, numbers the new generation.
 * Retiring is an UPDATE, not a lock: a live consumer blocked on the row wakes up to a checkpoint that its compare-and-set does not match, and writes nothing;
 * with a lock alone it would advance the old checkpoint by OID and insert into the new table by name (outbox-and-replay, finding 6).
 * Renaming takes no lock on tables: readers go on, and their prepared statements find the new tables at the next execution.
 * @returns undefined when the live model was further than the incoming one: catch up and try again.
 */
async function trySwap(session: Session, parts: SwapParts): Promise<Omit<Swapped, 'attempts'> | undefined> {
  const { projection, incoming, outgoing } = parts;
  const live = projection.name;
  const behind = Symbol('behind');
  const started = performance.now();
  try {
    return await session.transaction(async (tx) => {
      await tx.query(`set local lock_timeout = ${SWAP_LOCK_TIMEOUT_MS}`);
      const from = (await tx.query<About>(new Tables(projection, live).about)).rows[0]!;
      const incomingAbout = (await tx.query<About>(new Tables(projection, incoming).about)).rows[0]!;
      const reached = await retire(tx, live);
      if (!parts.mayBeBehind && !reaches(vectorOf(await readCheckpoints(tx, incoming)), reached)) throw behind;
      const toGeneration = Math.max(from.generation + 1, incomingAbout.generation);
      await tx.query(`alter schema ${identifier(live)} rename to ${identifier(outgoing)}`);
      await tx.query(`alter schema ${identifier(incoming)} rename to ${identifier(live)}`);
      await tx.query(`update ${identifier(live)}.checkpoint set generation = $1, epoch = epoch + 1`, [toGeneration]);
      await tx.query(`update ${identifier(live)}.about set generation = $1`, [toGeneration]);
      const heldMs = performance.now() - started;
      await tx.query('insert into factline.swap (projection, direction, from_generation, to_generation, held_ms) values ($1, $2, $3, $4, $5)', [
        live,
        parts.direction,
        from.generation,
        toGeneration,
        heldMs,
      ]);
      return { fromGeneration: from.generation, toGeneration, heldMs };
    }).then((swapped) => ({ ...swapped, heldMs: performance.now() - started }));
  } catch (error) {
    if (error === behind) return undefined;
    throw error;
  }
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
