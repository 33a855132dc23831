import type { FactLog, TopicState } from 'factline/log';
import { factIdOf } from 'factline/contracts';
import { FactlineError, formatId } from 'factline/kernel';
import { type Executor, identifier } from 'factline/store';

/** How far one partition has been applied, committed in the same transaction as its effect. */
export interface Checkpoint {
  topic: string;
  partition: number;
  /** The incarnation of the topic that the offsets belong to. */
  topicId: string;
  nextOffset: number;
  /** The last fact below nextOffset, to recognise a log that lost its tail or was refilled. */
  lastOffset: number | null;
  lastFactId: Buffer | null;
  /** Which build of the read model this belongs to; negative once retired by a swap. */
  generation: number;
  /** Rises with each owner; a former owner's commits are refused. */
  epoch: number;
}

interface Row {
  topic: string;
  partition: number;
  topic_id: string;
  next_offset: string;
  last_offset: string | null;
  last_fact_id: Buffer | null;
  generation: number;
  epoch: string;
}

const COLUMNS = 'topic, partition, topic_id, next_offset, last_offset, last_fact_id, generation, epoch';

/** The table of checkpoints inside one schema: it moves with the read model when generations are swapped. */
export function checkpointTable(schema: string): string {
  return `${identifier(schema)}.checkpoint`;
}

export function createCheckpoints(schema: string): string {
  return `create table if not exists ${checkpointTable(schema)} (
    topic text not null,
    partition integer not null,
    topic_id text not null,
    next_offset bigint not null,
    last_offset bigint,
    last_fact_id bytea,
    generation integer not null,
    epoch bigint not null default 0,
    as_of timestamptz,
    updated_at timestamptz not null default clock_timestamp(),
    primary key (topic, partition)
  ) with (fillfactor = 50)`;
}

/**
 * The condition and change that every effect carries (compare-and-set): $1 topic, $2 partition, $3 expected next offset, $4 generation, $5 epoch,
 * $6 new next offset, $7 last offset, $8 last fact id. No row back means: somebody else owns it now, and nothing was written.
 */
export function advanceCheckpoint(schema: string): string {
  return `update ${checkpointTable(schema)}
    set next_offset = $6, last_offset = coalesce($7, last_offset), last_fact_id = coalesce($8, last_fact_id), updated_at = clock_timestamp()
    where topic = $1 and partition = $2 and next_offset = $3 and generation = $4 and epoch = $5
    returning 1`;
}

export async function readCheckpoints(db: Executor, schema: string): Promise<Checkpoint[]> {
  const { rows } = await db.query<Row>(`select ${COLUMNS} from ${checkpointTable(schema)} order by topic, partition`);
  return rows.map(fromRow);
}

/** Makes rows for partitions never read before, and takes ownership of all given ones: their epoch rises, so the former owner is fenced off. */
export async function claimCheckpoints(
  db: Executor,
  schema: string,
  generation: number,
  topics: readonly TopicState[],
  partitions: readonly { topic: string; partition: number }[],
): Promise<Checkpoint[]> {
  const ids = new Map(topics.map(({ name, id }) => [name, id]));
  await db.query(
    `insert into ${checkpointTable(schema)} (topic, partition, topic_id, next_offset, generation)
     select topic, partition, topic_id, 0, $4 from unnest($1::text[], $2::integer[], $3::text[]) as t (topic, partition, topic_id)
     on conflict do nothing`,
    [partitions.map(({ topic }) => topic), partitions.map(({ partition }) => partition), partitions.map(({ topic }) => ids.get(topic)), generation],
  );
  const { rows } = await db.query<Row>(
    `update ${checkpointTable(schema)} set epoch = epoch + 1
     where generation = $3 and (topic, partition) in (select * from unnest($1::text[], $2::integer[]))
     returning ${COLUMNS}`,
    [partitions.map(({ topic }) => topic), partitions.map(({ partition }) => partition), generation],
  );
  return rows.map(fromRow);
}

function fromRow(row: Row): Checkpoint {
  return {
    topic: row.topic,
    partition: row.partition,
    topicId: row.topic_id,
    nextOffset: Number(row.next_offset),
    lastOffset: row.last_offset === null ? null : Number(row.last_offset),
    lastFactId: row.last_fact_id,
    generation: row.generation,
    epoch: Number(row.epoch),
  };
}

export const RECREATED = 'the topic was deleted and created again: its offsets mean other facts.';

/** Why a checkpoint does not fit the log: never answered by a silent reset. */
export function gap(checkpoint: Checkpoint, reason: string, details: Record<string, unknown> = {}): FactlineError {
  return new FactlineError({
    code: 'consumer.gap',
    kind: 'integrity',
    message: `GAP in ${checkpoint.topic}[${checkpoint.partition}] at offset ${checkpoint.nextOffset}: ${reason}`,
    advice: 'Facts may be missing. Restore the topic, or rebuild the read model from a complete history: factline replay run.',
    details: { topic: checkpoint.topic, partition: checkpoint.partition, nextOffset: checkpoint.nextOffset, ...details },
  });
}

/**
 * Compares checkpoints with the log as it is: same topic incarnation, position within what is kept, and the last applied fact still where it was.
 * @returns what does not fit, by `topic[partition]`.
 */
export async function findGaps(log: FactLog, topics: readonly TopicState[], checkpoints: readonly Checkpoint[]): Promise<Map<string, FactlineError>> {
  const gaps = new Map<string, FactlineError>();
  const found = new Map<string, Buffer>();
  const sound = checkpoints.filter((checkpoint) => {
    const reason = misfit(checkpoint, topics.find(({ name }) => name === checkpoint.topic));
    if (reason) gaps.set(laneName(checkpoint), gap(checkpoint, reason));
    return !reason && checkpoint.lastOffset !== null && isKept(checkpoint.lastOffset, checkpoint, topics);
  });
  for (const { name: topic, id: topicId } of topics) {
    const ranges = sound.filter((c) => c.topic === topic).map((c) => ({ partition: c.partition, from: c.lastOffset!, to: c.lastOffset! + 1 }));
    if (ranges.length === 0) continue;
    await log.read({
      topic,
      topicId,
      ranges,
      batch: ({ partition, records }) => {
        for (const record of records) {
          if (record.value && ranges.some((range) => range.partition === partition && range.from === record.offset)) {
            found.set(laneName({ topic, partition }), Buffer.from(factIdOf(record.value)));
          }
        }
      },
    });
  }
  for (const checkpoint of sound) {
    const id = found.get(laneName(checkpoint));
    if (id && checkpoint.lastFactId && id.equals(checkpoint.lastFactId)) continue;
    gaps.set(
      laneName(checkpoint),
      gap(checkpoint, 'the last applied fact is no longer at its offset: the topic was truncated and written again.', {
        expected: checkpoint.lastFactId && formatId(checkpoint.lastFactId),
        found: id ? formatId(id) : null,
      }),
    );
  }
  return gaps;
}

/** Retention may have removed what was applied, the last fact included: nothing is missing then, and nothing is there to compare. */
function isKept(offset: number, { topic, partition }: Checkpoint, topics: readonly TopicState[]): boolean {
  return offset >= topics.find(({ name }) => name === topic)!.partitions[partition]!.start;
}

function misfit(checkpoint: Checkpoint, topic: TopicState | undefined): string | undefined {
  const partition = topic?.partitions[checkpoint.partition];
  if (!topic || !partition) return 'the partition does not exist any more.';
  if (topic.id !== checkpoint.topicId) return RECREATED;
  if (partition.start > checkpoint.nextOffset) return `retention removed facts that were never applied: the log starts at ${partition.start}.`;
  if (partition.end < checkpoint.nextOffset) return `the log ends at ${partition.end}: its tail was lost.`;
  return undefined;
}

export function laneName({ topic, partition }: { topic: string; partition: number }): string {
  return `${topic}[${partition}]`;
}
