import type { FactlineError } from 'factline/kernel';
import type { Kept, Position } from 'factline/log';
import { RECREATED, gap, laneName } from './checkpoint.js';
import type { Freshness } from './freshness.js';
import { BROKEN_ATTEMPTS } from './limits.js';
import type { PartitionLane } from './partition-lane.js';

/** The lanes of the partitions that are ours, and what freshness may say of them. */
export class OpenLanes {
  readonly #lanes = new Map<string, PartitionLane>();

  constructor(private readonly freshness: Freshness) {}

  get all(): PartitionLane[] {
    return [...this.#lanes.values()];
  }

  at(place: { topic: string; partition: number }): PartitionLane | undefined {
    return this.#lanes.get(laneName(place));
  }

  isOpen(lane: PartitionLane): boolean {
    return this.#lanes.get(lane.name) === lane;
  }

  add(lane: PartitionLane): void {
    const { topic, partition, nextOffset } = lane.checkpoint;
    this.#lanes.set(lane.name, lane);
    this.freshness.track(topic, partition, nextOffset);
    if (lane.status.halted) this.freshness.freeze(topic, partition);
  }

  async close(): Promise<void> {
    const lanes = this.all;
    this.#lanes.clear();
    for (const { checkpoint } of lanes) this.freshness.forget(checkpoint.topic, checkpoint.partition);
    await Promise.all(lanes.map((lane) => lane.stop()));
  }

  /** The log does not have what would be next. */
  outOfRange(position: Position, { topicId, start, end }: Kept): void {
    const lane = this.at(position);
    if (!lane || lane.status.trouble?.code === 'consumer.gap') return; // found when it was assigned
    const reason = topicId === lane.checkpoint.topicId ? `the log has ${start} to ${end}.` : RECREATED;
    lane.halt(gap({ ...lane.checkpoint, nextOffset: position.offset }, reason, { start, end }));
    this.freshness.freeze(position.topic, position.partition);
  }

  /** Bytes that are broken each time they are read: their partition halts, or its trouble would be hidden by the next batch of another one. @returns whether it was that. */
  haltBroken(error: FactlineError, attempt: number): boolean {
    const { topic, partition } = error.details as Partial<Position>;
    const lane = error.kind === 'integrity' && topic !== undefined && partition !== undefined ? this.at({ topic, partition }) : undefined;
    if (!lane || attempt < BROKEN_ATTEMPTS) return false;
    lane.halt(error);
    return true;
  }
}
