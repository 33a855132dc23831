import type { Checkpoint } from 'factline/consumer';
import { FactlineError } from 'factline/kernel';
import type { FactLog, RecordBatch } from 'factline/log';
import type { BatchEngine, Transactional } from '../batch.js';

/** Positions by partition; a build is compared and swapped at whole vectors. */
export type Vector = ReadonlyMap<number, number>;

export function vectorOf(checkpoints: readonly Checkpoint[]): Vector {
  return new Map(checkpoints.map(({ partition, nextOffset }) => [partition, nextOffset]));
}

/** Offsets that `a` has to go to reach `b`. */
export function distance(a: Vector, b: Vector): number {
  return [...b].reduce((sum, [partition, offset]) => sum + Math.max(0, offset - (a.get(partition) ?? 0)), 0);
}

/** Whether every partition of `a` is at or beyond `b`. */
export function reaches(a: Vector, b: Vector): boolean {
  return [...b].every(([partition, offset]) => (a.get(partition) ?? 0) >= offset);
}

/**
 * Moves a build that nobody else moves to exactly the given positions; partitions already beyond theirs stay.
 * @returns the checkpoints reached.
 */
export async function catchUp(log: FactLog, engine: BatchEngine, db: Transactional, checkpoints: readonly Checkpoint[], to: Vector): Promise<Checkpoint[]> {
  const at = new Map(checkpoints.map((checkpoint) => [checkpoint.partition, checkpoint]));
  const behind = checkpoints.filter(({ partition, nextOffset }) => nextOffset < (to.get(partition) ?? 0));
  if (behind.length === 0) return [...checkpoints];
  const apply = async (partition: number, records: RecordBatch['records'], nextOffset: number) => {
    const result = await engine.apply(at.get(partition)!, { records, nextOffset }, db);
    if (result === 'fenced') throw stagedMoved(engine.projection.name);
    at.set(partition, result);
  };
  await log.read({
    topic: behind[0]!.topic,
    topicId: behind[0]!.topicId,
    ranges: behind.map(({ partition, nextOffset }) => ({ partition, from: nextOffset, to: to.get(partition)! })),
    batch: ({ partition, records, nextOffset }) => apply(partition, records, Math.min(nextOffset, to.get(partition)!)),
  });
  for (const { partition } of behind) {
    if (at.get(partition)!.nextOffset < to.get(partition)!) await apply(partition, [], to.get(partition)!);
  }
  return [...at.values()];
}

/** Only a rebuild moves a build that is not live, and only one runs at a time: its session must have lost the lock. */
export function stagedMoved(projection: string): FactlineError {
  return new FactlineError({
    code: 'rebuild.fenced',
    kind: 'fenced',
    message: `Another process moved the staged build of '${projection}'.`,
    advice: `Look at it with: factline replay status ${projection}`,
  });
}
