import type { FactLog } from 'factline/log';
import { laneName } from './checkpoint.js';
import type { PartitionLane } from './partition-lane.js';
import type { CheckpointOwner } from './target.js';

interface Following {
  log: FactLog;
  topics: readonly string[];
  target: CheckpointOwner;
}

/**
 * After a swap the partitions are still ours: goes on in the new generation without leaving the group, which would stop all members for seconds.
 * @param current whether these lanes are still the ones to move; asked again after the database was.
 * @returns false when that cannot be done: no other generation is live, a lane is halted, or one would have to go back behind what it has in memory.
 */
export async function followSwap(lanes: readonly PartitionLane[], from: number, { log, topics, target }: Following, current: () => boolean): Promise<boolean> {
  if ((await target.generation()) === from || lanes.some((lane) => lane.status.halted)) return false;
  await Promise.all(lanes.map((lane) => lane.park()));
  const states = await log.describe(topics);
  const checkpoints = await target.claim(states, lanes.map(({ checkpoint }) => checkpoint));
  if (!current()) return true; // a rebalance came between, and has claimed by itself
  return lanes.every((lane) => {
    const checkpoint = checkpoints.find((each) => laneName(each) === lane.name);
    return checkpoint !== undefined && lane.restart(checkpoint);
  });
}
