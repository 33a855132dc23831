import { checkpointTable } from 'factline/consumer';
import { type Executor, identifier } from 'factline/store';
import { BLOCKED_KEYS } from './limits.js';

/** How far a source had taken the facts of one partition. */
export interface Reached {
  readonly topic: string;
  readonly partition: number;
  /** The incarnation of the topic that the offset belongs to; undefined: whichever is there. */
  readonly topicId?: string;
  /** All facts below it are in the source, except those of blocked keys. */
  readonly nextOffset: number;
  /** Nothing committed until then is missing; null: unknown. */
  readonly asOfMs: number | null;
  /** Keys of which facts are missing nevertheless, and as of when they hold; `'all'`: too many to say which. */
  readonly blocked?: ReadonlyMap<string, number | null> | 'all';
}

export interface SourceState {
  /** Another build of the source means other values: what was loaded from the one before is dropped. */
  readonly build: number;
  readonly partitions: readonly Reached[];
}

/** How up to date the place is that a cache loads from. Asked before each load, so that what is loaded may be newer than it says, and is never older. */
export interface CacheSource {
  reached(): Promise<SourceState>;
}

interface Row {
  topic: string;
  partition: number;
  topic_id: string;
  generation: number;
  next_offset: string;
  as_of: Date | null;
  keys: string[] | null;
  keys_as_of: (Date | null)[] | null;
}

/**
 * The read model of a projection as a source: where its checkpoints stand, as of when, and which of its keys are blocked; one short query a load.
 * @param schema the projection's name.
 */
export function readModelSource(db: Executor, schema: string): CacheSource {
  const text = `select c.topic, c.partition, c.topic_id, c.generation, c.next_offset, c.as_of, d.keys, d.keys_as_of
    from ${checkpointTable(schema)} c left join lateral (
      select array_agg(k.key) as keys, array_agg(k.as_of) as keys_as_of
      from (select key, case when count(*) = count(as_of) then min(as_of) end as as_of from ${identifier(schema)}.dead_letter where topic = c.topic and partition = c.partition
        group by key limit ${BLOCKED_KEYS + 1}) k) d on true`;
  return {
    reached: async () => {
      const { rows } = await db.query<Row>(text);
      return { build: rows[0]?.generation ?? 0, partitions: rows.map(reachedBy) };
    },
  };
}

function reachedBy({ topic, partition, topic_id, next_offset, as_of, keys, keys_as_of }: Row): Reached {
  return {
    topic,
    partition,
    topicId: topic_id,
    nextOffset: Number(next_offset),
    asOfMs: as_of?.getTime() ?? null,
    ...(keys && { blocked: keys.length > BLOCKED_KEYS ? ('all' as const) : new Map(keys.map((key, at) => [key, keys_as_of![at]?.getTime() ?? null])) }),
  };
}
