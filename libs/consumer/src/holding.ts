import type { PartitionLane, Trouble } from './partition-lane.js';
import type { CheckpointOwner } from './target.js';

/** Whether an operator holds a subscription back, as its database last said; while that does not answer, what it said holds on. */
export class Holding {
  #pause: Trouble | undefined;

  constructor(private readonly target: CheckpointOwner) {}

  get pause(): Trouble | undefined {
    return this.#pause;
  }

  /** @returns what has changed, if anything has. */
  async look(lanes: readonly PartitionLane[]): Promise<'paused' | 'resumed' | undefined> {
    const before = this.#pause;
    this.#pause = await this.target.paused?.();
    for (const lane of lanes) this.settle(lane);
    if (before && !this.#pause) return 'resumed';
    return this.#pause && !before ? 'paused' : undefined;
  }

  settle(lane: PartitionLane): void {
    if (this.#pause) lane.hold();
    else lane.release();
  }
}
