import { FactEncoder, type FactType, type RegisteredSchemas, withSequence } from 'factline/contracts';
import { type FactLog, type OutgoingRecord, partitionOf } from 'factline/log';

/** Facts a send: large enough that the broker, not the round trip, is the limit. */
const FACTS_PER_SEND = 2_000;

export interface HistoryOptions {
  log: FactLog;
  topic: string;
  partitions: number;
  facts: number;
  keys: number;
  schemas: Pick<RegisteredSchemas, 'idOf'>;
  /** The nth fact (sequence 1, 2 ...) of a key. */
  fact: (key: number, sequence: number) => { key: string; type: FactType; data: object };
}

/** Writes a history straight to the log, as a relay would: facts of a key in order, keys interleaved. @returns bytes of the values. */
export async function writeHistory({ log, topic, partitions, facts, keys, schemas, fact }: HistoryOptions): Promise<number> {
  await log.createTopics([{ name: topic, partitions, settings: { 'message.timestamp.type': 'LogAppendTime', 'retention.ms': '-1' } }]);
  const publisher = await log.publisher();
  const encoder = new FactEncoder();
  const waiting: OutgoingRecord[][] = Array.from({ length: partitions }, () => []);
  const sending = new Map<number, Promise<unknown>>();
  let bytes = 0;
  const send = async (partition: number) => {
    const records = waiting[partition]!.splice(0);
    await sending.get(partition);
    sending.set(partition, publisher.send(topic, partition, records));
  };
  for (let i = 0; i < facts; i++) {
    const sequence = Math.floor(i / keys) + 1;
    const { key, type, data } = fact(i % keys, sequence);
    const made = (type as unknown as (key: string, data: object) => Parameters<FactEncoder['encode']>[0])(key, data);
    const value = withSequence(encoder.encode(made, schemas.idOf(type)).value, sequence);
    bytes += value.length;
    const partition = partitionOf(Buffer.from(key), partitions);
    waiting[partition]!.push({ key: Buffer.from(key), value });
    if (waiting[partition]!.length >= FACTS_PER_SEND) await send(partition);
  }
  for (let partition = 0; partition < partitions; partition++) if (waiting[partition]!.length > 0) await send(partition);
  await Promise.all(sending.values());
  await publisher.close();
  return bytes;
}
