import { type Fact, FactEncoder, withSequence } from 'factline/contracts';
import { type FactLog, type OutgoingRecord, type Publisher, partitionOf } from 'factline/log';

/** Facts a send: large enough that the broker, not the round trip, is the limit. */
const FACTS_PER_SEND = 4_000;

export interface HistoryParts {
  partitions: number;
  keys: number;
  /** First and last sequence of every key; facts of different keys are interleaved. */
  from: number;
  to: number;
  idOf: (type: Fact['type']) => number;
  fact: (key: number, sequence: number) => Fact;
}

/** The records that a relay would publish, encoded and numbered by the product's own code. */
export function* recordsOf({ partitions, keys, from, to, idOf, fact }: HistoryParts): Iterable<OutgoingRecord & { partition: number }> {
  const encoder = new FactEncoder();
  for (let sequence = from; sequence <= to; sequence++) {
    for (let key = 0; key < keys; key++) {
      const made = fact(key, sequence);
      const value = withSequence(encoder.encode(made, idOf(made.type)).value, sequence);
      const name = Buffer.from(made.key);
      yield { key: name, value, partition: partitionOf(name, partitions) };
    }
  }
}

/** Writes a history straight to the log. @returns bytes of the values. */
export async function writeHistory(log: FactLog, topic: string, parts: HistoryParts): Promise<number> {
  const publisher = await log.publisher();
  const lanes = Array.from({ length: parts.partitions }, (_, partition) => new Lane(publisher, topic, partition));
  let bytes = 0;
  for (const record of recordsOf(parts)) {
    bytes += record.value.length;
    const lane = lanes[record.partition]!;
    if (lane.add(record)) await lane.flush();
  }
  for (const lane of lanes) await lane.flush();
  await Promise.all(lanes.map((lane) => lane.sent));
  await publisher.close();
  return bytes;
}

/** One partition: one send on its way while the next is being filled. */
class Lane {
  sent: Promise<unknown> = Promise.resolve();
  #waiting: OutgoingRecord[] = [];

  constructor(
    private readonly publisher: Publisher,
    private readonly topic: string,
    private readonly partition: number,
  ) {}

  /** @returns whether it is time to flush. */
  add(record: OutgoingRecord): boolean {
    return this.#waiting.push(record) >= FACTS_PER_SEND;
  }

  async flush(): Promise<void> {
    const records = this.#waiting;
    this.#waiting = [];
    await this.sent;
    if (records.length > 0) this.sent = this.publisher.send(this.topic, this.partition, records);
  }
}
