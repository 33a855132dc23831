import type { FactLog } from 'factline/log';

/** A record as it lies in a topic; its bytes are its own. */
export interface TopicRecord {
  partition: number;
  offset: number;
  key: Buffer;
  value: Buffer;
}

/** Everything that a topic holds now and that has a value, in the order of each partition. For topics that fit into memory. @throws as `FactLog.describe` and `read` do. */
export async function topicRecords(log: FactLog, topic: string): Promise<TopicRecord[]> {
  const found: TopicRecord[] = [];
  const [state] = await log.describe([topic]);
  await log.read({
    topic,
    ranges: state!.partitions.map(({ start, end }, partition) => ({ partition, from: start, to: end })),
    batch: ({ partition, records }) => {
      for (const { offset, key, value } of records) if (value) found.push({ partition, offset, key: Buffer.from(key), value: Buffer.from(value) });
    },
  });
  return found;
}
