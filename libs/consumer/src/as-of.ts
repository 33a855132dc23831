import type { Freshness } from './freshness.js';
import type { PartitionLane } from './partition-lane.js';
import type { CheckpointOwner } from './target.js';

/** Writes as of when each partition of a read model holds, for readers in other processes; what did not change is not written again. */
export class AsOfRecorder {
  readonly #recorded = new Map<string, string>();

  constructor(
    private readonly target: CheckpointOwner,
    private readonly freshness: Freshness,
  ) {}

  async record(lanes: Iterable<PartitionLane>): Promise<void> {
    const entries = [...lanes].flatMap(({ name, checkpoint }) => {
      const asOfMs = this.freshness.asOf(checkpoint.topic, checkpoint.partition);
      const what = `${checkpoint.generation} ${asOfMs}`;
      return asOfMs !== undefined && what !== this.#recorded.get(name) ? [{ name, checkpoint, asOfMs, what }] : [];
    });
    if (entries.length === 0) return;
    await this.target.recordAsOf(entries);
    for (const { name, what } of entries) this.#recorded.set(name, what);
  }
}
