import type { Executor } from 'factline/store';

/** Offsets of facts that were given up (`factline dead-letters purge`), by partition: a rebuild leaves them out as the live model does, or the two would differ for ever. */
export async function readGivenUp(db: Executor, projection: string, topic: string): Promise<ReadonlyMap<number, readonly number[]>> {
  const { rows } = await db.query<{ partition: number; offsets: string[] }>(
    'select partition, array_agg(distinct given_up.at)::text[] as offsets from factline.purged_dead_letter, unnest(offsets) as given_up (at) where projection = $1 and topic = $2 group by partition',
    [projection, topic],
  );
  return new Map(rows.map(({ partition, offsets }) => [partition, offsets.map(Number)]));
}
