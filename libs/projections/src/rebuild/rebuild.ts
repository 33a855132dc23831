import { FactlineError } from 'factline/kernel';
import { ESTIMATE_FACTS } from '../limits.js';
import { RebuildContext, type RebuildOptions } from './context.js';
import { type RebuiltKey, rebuildKey } from './entity.js';
import { type LedgerEntry, lockRebuild, readLedger, removeLedger } from './ledger.js';
import { sampleRate } from './partition.js';
import { type RebuildPlan, preflight } from './plan.js';
import { type Staged, stage } from './stage.js';
import { type Swapped, dropSchema, rollBack, swapIn } from './swap.js';
import { threadCount } from './threads.js';
import { type Verification, compare, positionsOf } from './verify.js';

export interface RebuildStatus {
  live: { generation: number; version: number; current: boolean; bytes: number; positions: { partition: number; nextOffset: number }[] } | undefined;
  staged: LedgerEntry | undefined;
  previous: { generation: number; version: number } | undefined;
}

/**
 * Rebuilds one projection of one app from offset zero, beside the live one and while it serves.
 * Promised: the live model is untouched until `swap`, which is one transaction; a killed step goes on where it was when it is called again;
 * nothing is stated to the log and no group's offsets move; a history that does not begin at zero is refused; one rebuild per projection at a time.
 * Open with `Rebuild.open`, `close` when done.
 */
export class Rebuild {
  private constructor(private readonly context: RebuildContext) {}

  static async open(options: RebuildOptions): Promise<Rebuild> {
    return new Rebuild(await RebuildContext.open(options));
  }

  async close(): Promise<void> {
    await this.context.close();
  }

  /** Whether a rebuild can be right, what it would read, and how long that takes by a sample of the first facts; writes nothing. @throws `rebuild.history-incomplete` */
  async preflight(): Promise<{ plan: RebuildPlan; estimateMs: number }> {
    const { log, session, projection, options } = this.context;
    const { plan } = await preflight(log, session, projection);
    const rate = await sampleRate({ projection, log, decoder: this.context.decoder() }, plan, ESTIMATE_FACTS);
    const threads = options.module ? threadCount(plan.ends.length) : 1;
    return { plan, estimateMs: (plan.facts / (rate * threads)) * 1_000 };
  }

  async status(): Promise<RebuildStatus> {
    const { context } = this;
    const [live, previous] = [await context.build('live'), await context.build('previous')];
    return {
      live: live && {
        generation: live.about.generation,
        version: live.about.version,
        current: live.about.fingerprint === context.projection.fingerprint,
        bytes: live.bytes,
        positions: positionsOf(live.checkpoints),
      },
      staged: await readLedger(context.session, context.projection.name),
      previous: previous && { generation: previous.about.generation, version: previous.about.version },
    };
  }

  /** Builds the next generation: fold from zero, load, index, and follow the live model's position. @throws `rebuild.running`, `rebuild.history-incomplete`, what folds throw */
  async stage(): Promise<Staged> {
    await this.#lock();
    return stage(this.context);
  }

  /** Compares the staged generation with the live one at exactly the same positions. @throws `rebuild.nothing-staged`, `rebuild.nothing-live`, `rebuild.live-behind` */
  async verify(): Promise<Verification> {
    await this.#lock();
    return compare(this.context, (await this.#staged()).plan);
  }

  /** Makes the staged generation live, in one transaction, at or beyond the live position. The one it replaces is kept for `rollback`. */
  async swap(): Promise<Swapped> {
    await this.#lock();
    return swapIn(this.context, (await this.#staged()).plan);
  }

  /** Makes the generation before the last swap live again; the one it replaces becomes the staged one. `behind`: it was built by other code and has to catch up. */
  async rollback(): Promise<Swapped & { behind: boolean }> {
    await this.#lock();
    return rollBack(this.context);
  }

  /** Removes the generation kept by the last swap, or the staged one. @returns whether there was one. */
  async drop(which: 'previous' | 'staged'): Promise<boolean> {
    await this.#lock();
    const { session, projection, names } = this.context;
    if (which === 'staged') await removeLedger(session, projection.name);
    return dropSchema(session, which === 'staged' ? names.next : names.previous);
  }

  /** Rebuilds the live row of one key from its own history. */
  async rebuildKey(key: string): Promise<RebuiltKey> {
    await this.#lock();
    return rebuildKey(this.context, key);
  }

  async #staged(): Promise<LedgerEntry> {
    const { context } = this;
    const entry = await readLedger(context.session, context.projection.name);
    const complete = entry && ['tail', 'staged', 'verified'].includes(entry.phase) && entry.plan.fingerprint === context.projection.fingerprint;
    if (complete && (await context.build('next'))) return entry;
    throw new FactlineError({
      code: 'rebuild.nothing-staged',
      kind: 'conflict',
      message: `No finished build of '${context.projection.name}' (version ${context.projection.version}) is staged.`,
      advice: `Build one: factline replay stage ${context.projection.name}`,
    });
  }

  async #lock(): Promise<void> {
    await lockRebuild(this.context.session, this.context.projection.name);
  }
}
