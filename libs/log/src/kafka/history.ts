import { type FactlineError, pause } from 'factline/kernel';
import { outOfRange, partitionUnknown, topicRecreated } from '../failures.js';
import { ATTEMPTS_MAX, FETCH_WAIT_MS, READ_BYTES_PER_PARTITION, SUBSCRIBE_BYTES_PER_PARTITION } from '../limits.js';
import type { FollowOptions, ReadOptions } from '../log.js';
import { Fetching, reading } from './fetching.js';
import { type Session, retryDelayMs } from './session.js';
import { describeTopics } from './topics.js';

/** History of one topic, range by range; see `FactLog.read`. */
export async function readHistory(session: Session, options: ReadOptions): Promise<void> {
  const { topic, ranges, batch, abort } = options;
  const stop = new AbortController();
  const onAbort = () => stop.abort();
  abort?.addEventListener('abort', onAbort, { once: true });
  let failure: { error: unknown } | undefined;
  const failWith = (error: unknown) => {
    failure ??= { error };
    stop.abort();
  };
  try {
    abort?.throwIfAborted();
    const topicId = await requireRanges(session, options);
    const readings = ranges.filter(({ from, to }) => from < to).map(({ partition, from, to }) => reading({ topic, partition, offset: from, topicId }, to));
    await new Fetching(session, readings, {
      waitMs: FETCH_WAIT_MS,
      bytesPerPartition: READ_BYTES_PER_PARTITION,
      ahead: true,
      deliver: async (delivered) => {
        try {
          await batch(delivered);
        } catch (error) {
          failWith(error);
        }
      },
      outOfRange: (of, kept) => void failWith(kept.topicId === topicId ? outOfRange(topic, of.partition, of.position, kept) : topicRecreated(topic, topicId, kept.topicId)),
      failed: (error, attempt) => {
        if (!error.retry || attempt >= ATTEMPTS_MAX) failWith(error);
      },
    }).run(stop.signal);
    if (failure) throw failure.error;
    abort?.throwIfAborted();
  } finally {
    abort?.removeEventListener('abort', onAbort);
    session.close();
  }
}

/** @returns the incarnation that they belong to. */
async function requireRanges(session: Session, { topic, topicId, ranges, abort }: ReadOptions): Promise<string> {
  const { id, partitions } = (await describeTopics(session, [topic], abort))[0]!;
  if (topicId !== undefined && topicId !== id) throw topicRecreated(topic, topicId, id);
  for (const { partition, from, to } of ranges) {
    const kept = partitions[partition];
    if (!kept) throw partitionUnknown(topic, partition);
    if (from < kept.start) throw outOfRange(topic, partition, from, kept);
    if (to > kept.end || from > to) throw outOfRange(topic, partition, to, kept);
  }
  return id;
}

/** One partition for ever; see `FactLog.follow`. */
export async function followPartition(open: () => Session, { topic, partition, from, batch, disturbed, abort }: FollowOptions): Promise<void> {
  const position = 'offset' in from ? from : await positionBeforeEnd(open(), topic, partition, from.beforeEnd, { disturbed, abort });
  if (position === undefined) return;
  await new Fetching(open(), [reading({ topic, partition, ...position })], {
    waitMs: FETCH_WAIT_MS,
    bytesPerPartition: SUBSCRIBE_BYTES_PER_PARTITION,
    ahead: false,
    deliver: batch,
    outOfRange: (of, kept) => {
      disturbed(outOfRange(topic, partition, of.position, kept));
      return of.position < kept.start ? kept.start : kept.end;
    },
    failed: (error) => disturbed(error),
  }).run(abort);
}

/** Also when the topic does not exist yet: that is told, and it is looked for again. */
async function positionBeforeEnd(session: Session, topic: string, partition: number, records: number, rest: Pick<FollowOptions, 'disturbed' | 'abort'>): Promise<{ offset: number; topicId: string } | undefined> {
  try {
    for (let failures = 1; !rest.abort.aborted; failures++) {
      try {
        const { id: topicId, partitions } = (await describeTopics(session, [topic], rest.abort))[0]!;
        const kept = partitions[partition];
        if (!kept) throw partitionUnknown(topic, partition);
        return { offset: Math.max(kept.start, kept.end - records), topicId };
      } catch (error) {
        if (rest.abort.aborted) break;
        rest.disturbed(error as FactlineError);
        await pause(retryDelayMs(failures), rest.abort);
      }
    }
    return undefined;
  } finally {
    session.close();
  }
}
