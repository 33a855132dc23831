import type { PartitionProgress } from './partition.js';
import type { RebuildPlan } from './plan.js';
import type { RebuildProgress } from './ledger.js';

/** Adds up what partitions report. The rate is that of this run, so a resumed rebuild does not look fast for what was done before. */
export class StageMeter {
  readonly #partitions = new Map<number, PartitionProgress>();
  readonly #startedMs = performance.now();

  constructor(
    private readonly plan: RebuildPlan,
    private readonly done: ReadonlySet<number>,
  ) {}

  take(progress: PartitionProgress): void {
    this.#partitions.set(progress.partition, { ...progress });
  }

  get progress(): RebuildProgress {
    const parts = [...this.#partitions.values()];
    const sum = (field: 'offset' | 'facts' | 'rows' | 'bytes') => parts.reduce((total, part) => total + part[field], 0);
    const doneBefore = this.plan.ends.reduce((total, end, partition) => total + (this.done.has(partition) ? end : 0), 0);
    const seconds = Math.max(0.001, (performance.now() - this.#startedMs) / 1_000);
    const rate = sum('offset') / seconds;
    const left = this.plan.facts - doneBefore - sum('offset');
    return {
      phase: 'stage',
      facts: doneBefore + sum('offset'),
      totalFacts: this.plan.facts,
      rows: sum('rows'),
      bytes: sum('bytes'),
      factsPerSecond: Math.round(sum('facts') / seconds),
      etaMs: rate > 0 ? Math.round((left / rate) * 1_000) : null,
      partitions: this.plan.ends.map((end, partition) => ({
        partition,
        offset: this.done.has(partition) ? end : (this.#partitions.get(partition)?.offset ?? 0),
        end,
      })),
    };
  }
}
