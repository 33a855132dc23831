import type { Freshness } from './freshness.js';
import type { PartitionLane } from './partition-lane.js';
import type { CheckpointOwner } from './target.js';

/** Writes as of when each partition of a read model holds, and how far it is, for readers in other processes; what did not change is not written again. */
export class AsOfRecorder {
  readonly #recorded = new Map<string, { asOf: string; place: string }>();

  constructor(
    private readonly target: CheckpointOwner,
    private readonly freshness: Freshness,
  ) {}

  async record(lanes: Iterable<PartitionLane>): Promise<void> {
    const entries = [...lanes].flatMap(({ name, checkpoint }) => {
      const asOfMs = this.freshness.asOf(checkpoint.topic, checkpoint.partition) ?? null;
      const asOf = `${checkpoint.generation} ${asOfMs}`;
      const before = this.#recorded.get(name);
      const place = `${checkpoint.generation} ${checkpoint.nextOffset}`;
      const moved = place !== before?.place;
      return moved || (asOfMs !== null && asOf !== before?.asOf) ? [{ name, checkpoint, asOfMs, moved, asOf, place }] : [];
    });
    if (entries.length === 0) return;
    await this.target.recordAsOf(entries);
    for (const { name, asOf, place } of entries) this.#recorded.set(name, { asOf, place });
  }
}
