import { type Checkpoint, readCheckpoints } from 'factline/consumer';
import { FactlineError } from 'factline/kernel';
import type { FactLog, TopicState } from 'factline/log';
import type { Executor } from 'factline/store';
import type { Projection } from '../projection.js';
import { type About, Tables, readAbout, schemaNames } from '../tables.js';

/** What a rebuild is going to read; frozen when it starts, kept in the database, so that a killed rebuild goes on with the same one. */
export interface RebuildPlan {
  projection: string;
  version: number;
  fingerprint: string;
  generation: number;
  topic: string;
  topicId: string;
  /** By partition: read from offset 0 up to here. */
  ends: number[];
  /** Offsets to read; more than facts where the log has holes. */
  facts: number;
  /** Size of the live build, the best estimate of what the new one needs. */
  liveBytes: number;
}

export interface Build {
  tables: Tables;
  about: About;
  checkpoints: Checkpoint[];
  bytes: number;
}

export async function readBuild(db: Executor, projection: Projection, schema: string): Promise<Build | undefined> {
  const tables = new Tables(projection, schema);
  const about = await readAbout(db, tables);
  if (!about) return undefined;
  const { rows } = await db.query<{ bytes: string }>('select pg_total_relation_size($1::regclass) as bytes', [tables.table]);
  return { tables, about, checkpoints: await readCheckpoints(db, schema), bytes: Number(rows[0]!.bytes) };
}

/**
 * Looks whether a rebuild can be right before anything is written.
 * @throws FactlineError `rebuild.history-incomplete` (integrity) when the log does not start at zero or is another topic than the live build was fed from.
 */
export async function preflight(log: FactLog, db: Executor, projection: Projection): Promise<{ plan: RebuildPlan; live: Build | undefined }> {
  const topicName = onlyTopic(projection);
  const [topic] = (await log.describe([topicName])) as [TopicState];
  assertComplete(topic);
  const names = schemaNames(projection.name);
  const live = await readBuild(db, projection, names.live);
  const previous = await readBuild(db, projection, names.previous);
  const foreign = live?.checkpoints.find((checkpoint) => checkpoint.topic === topic.name && checkpoint.topicId !== topic.id);
  if (foreign) {
    throw incomplete(topic.name, 'it is another topic than the one the live model was fed from: it was deleted and created again');
  }
  const ends = topic.partitions.map(({ end }, partition) => {
    const position = live?.checkpoints.find((checkpoint) => checkpoint.partition === partition)?.nextOffset;
    return comparable(live) ? Math.min(end, position ?? end) : end;
  });
  return {
    live,
    plan: {
      projection: projection.name,
      version: projection.version,
      fingerprint: projection.fingerprint,
      generation: Math.max(live?.about.generation ?? 0, previous?.about.generation ?? 0) + 1,
      topic: topic.name,
      topicId: topic.id,
      ends,
      facts: ends.reduce((sum, end) => sum + end, 0),
      liveBytes: live?.bytes ?? 0,
    },
  };
}

/** A live build that has applied nothing yet is nothing to compare with. */
export function comparable(live: Build | undefined): live is Build {
  return live !== undefined && live.checkpoints.some(({ nextOffset }) => nextOffset > 0);
}

/** One topic per projection: a row's sequence is that of its key in one topic. */
export function onlyTopic(projection: Projection): string {
  const [topic, ...others] = projection.topics;
  if (topic !== undefined && others.length === 0) return topic;
  throw new FactlineError({
    code: 'projection.several-topics',
    kind: 'configuration',
    message: `The projection '${projection.name}' reads ${projection.topics.length} topics.`,
    advice: 'A projection folds the facts of one topic, by their key. Make one projection per topic and join their tables.',
  });
}

function assertComplete(topic: TopicState): void {
  const cut = topic.partitions.findIndex(({ start }) => start > 0);
  if (cut < 0) return;
  throw incomplete(topic.name, `partition ${cut} starts at offset ${topic.partitions[cut]!.start}, what was before is gone`);
}

function incomplete(topic: string, why: string): FactlineError {
  return new FactlineError({
    code: 'rebuild.history-incomplete',
    kind: 'integrity',
    message: `'${topic}' does not hold the whole history: ${why}.`,
    advice: 'A rebuild from it would be wrong, so nothing was done. Restore the topic from a backup; keep fact topics with retention.ms=-1 and cleanup.policy=delete.',
    details: { topic },
  });
}
