import type { FactlineError, Logger } from 'factline/kernel';
import type { RecordBatch } from 'factline/log';
import type { Checkpoint } from './checkpoint.js';

/** Why something does not move, as shown to people. */
export interface Trouble {
  code: string;
  reason: string;
  advice: string | undefined;
  sinceMs: number;
}

export interface PartitionStatus {
  topic: string;
  partition: number;
  nextOffset: number;
  endOffset: number;
  lag: number;
  halted: boolean;
  trouble: Trouble | undefined;
  lastCompletedMs: number;
  waitingSinceMs: number | undefined;
}

/** What a lane tells the subscription. */
export interface LaneEvents {
  /** Fetch nothing more of this partition until `resume`. */
  pause(): void;
  resume(): void;
  /** Everything below `nextOffset` is in effect; `facts` of it since the last time. */
  advanced(checkpoint: Checkpoint, nextOffset: number, facts: number): void;
  /** Somebody else owns the partition: positions are read again. */
  fenced(): void;
}

/** What a lane is made of. */
export interface LaneOpening {
  checkpoint: Checkpoint;
  endOffset: number;
  events: LaneEvents;
  log: Logger;
  now: () => number;
}

/** One partition at work, from fetched batches to committed checkpoints. */
export interface PartitionLane {
  readonly name: string;
  readonly checkpoint: Checkpoint;
  readonly status: PartitionStatus;
  start(): void;
  /** Takes a fetched batch over; returns at once. */
  enqueue(batch: RecordBatch): void;
  /** Ends what is under way and keeps what is queued. */
  park(): Promise<void>;
  /** Goes on from another checkpoint after `park`. @returns false when it cannot, because it would have to go back. */
  restart(checkpoint: Checkpoint): boolean;
  /** Begins nothing more until `release`, and fetches nothing; what is under way ends, what is queued stays. Said twice is said once. */
  hold(): void;
  release(): void;
  /** Ends what is under way and forgets the rest. */
  stop(): Promise<void>;
  /** Applies nothing more, visibly: a human has to act. */
  halt(error: FactlineError): void;
}
