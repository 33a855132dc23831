import type { LogRecord, TopicState } from 'factline/log';
import type { Checkpoint } from './checkpoint.js';
import type { LaneOpening, PartitionLane, Trouble } from './partition-lane.js';
import type { ProgressEntry } from './progress.js';

/** Consecutive records of one partition to apply in one transaction. */
export interface Work {
  records: readonly LogRecord[];
  nextOffset: number;
}

/** Keys whose facts wait, in order, behind one that could not be applied. */
export interface BlockedKeys {
  readonly keys: number;
  /** What ends it, for people. */
  readonly advice: string;
}

/** Who keeps the checkpoints of a subscription. */
export interface CheckpointOwner {
  /** Which build is live now; another number after a swap. */
  generation(): Promise<number>;
  /**
   * Takes ownership of these partitions and says where each stands. Whatever was remembered about them is forgotten.
   * @throws FactlineError `projection.outdated` and the like when this software may not continue what the database holds.
   */
  claim(topics: readonly TopicState[], partitions: readonly { topic: string; partition: number }[]): Promise<Checkpoint[]>;
  /** How many keys are blocked, of all partitions, whoever blocked them. Absent: this target blocks none. */
  blocked?(): Promise<BlockedKeys>;
  /** Why an operator wants it to stand still now, with what ends that; asked once a second. Absent: nobody can pause it. */
  paused?(): Promise<Trouble | undefined>;
  /** Writes as-of times and marks of progress beside the checkpoints, for readers in other processes. */
  recordAsOf(entries: readonly ProgressEntry[]): Promise<void>;
}

/** What a subscription feeds batch by batch: a read model, or whatever else commits a checkpoint with its effect. */
export interface SubscriptionTarget extends CheckpointOwner {
  /** Applies work and moves the checkpoint, both or neither. `fenced`: somebody else owns the partition or the generation now, nothing was written. */
  apply(checkpoint: Checkpoint, work: Work): Promise<Checkpoint | 'fenced'>;
}

/** What brings its own lanes, because its work is not one transaction after another: reactions run many keys of a partition at once. */
export interface LaneTarget extends CheckpointOwner {
  openLane(opening: LaneOpening): PartitionLane;
}
