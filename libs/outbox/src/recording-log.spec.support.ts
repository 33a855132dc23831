import { sequenceOf } from 'factline/contracts';
import { FactlineError } from 'factline/kernel';
import type { FactLog, OutgoingRecord, Publisher, ReadOptions, TopicState } from 'factline/log';

export interface Sent {
  topic: string;
  partition: number;
  offset: number;
  key: string;
  sequence: number;
  value: Buffer;
  headers: OutgoingRecord['headers'];
}

/** A log that only remembers what was sent, and fails when told to. */
export class RecordingLog {
  readonly sent: Sent[] = [];
  readonly #ends = new Map<string, number>();
  /** Asked before each send; may reject or take its time. `stored` says whether a rejected send is stored nevertheless (an unknown outcome). */
  beforeSend: (topic: string, partition: number, records: readonly OutgoingRecord[]) => Promise<void> = () => Promise.resolve();
  storesRejected = false;
  /** Asked before a topic is described. */
  beforeDescribe: (topic: string) => Promise<void> = () => Promise.resolve();
  publishersOpened = 0;

  constructor(public partitions = 3) {}

  get log(): FactLog {
    return {
      describe: async (topics: readonly string[]) => {
        for (const topic of topics) await this.beforeDescribe(topic);
        return topics.map((name) => this.#state(name));
      },
      publisher: () => Promise.resolve(this.#publisher()),
      read: (options: ReadOptions) => this.#read(options),
    } as unknown as FactLog;
  }

  /** All topics are created again: what is sent now comes first in them. */
  recreate(): void {
    this.#ends.clear();
  }

  facts(): Sent[] {
    return this.sent.filter(({ topic }) => topic !== 'factline.watermark');
  }

  /** Sequences by key, in log order, optionally without repetitions. */
  byKey(withoutRepetitions = false): Map<string, number[]> {
    const keys = new Map<string, number[]>();
    for (const { topic, key, sequence } of this.facts()) {
      const name = `${topic}/${key}`;
      const numbers = keys.get(name) ?? [];
      keys.set(name, numbers);
      if (!withoutRepetitions || !numbers.includes(sequence)) numbers.push(sequence);
    }
    return keys;
  }

  #state(name: string): TopicState {
    const count = name === 'factline.watermark' ? 1 : this.partitions;
    return { name, id: name, partitions: Array.from({ length: count }, (_, p) => ({ start: 0, end: this.#ends.get(`${name}/${p}`) ?? 0 })) };
  }

  async #read({ topic, ranges, batch }: ReadOptions): Promise<void> {
    for (const { partition, from, to } of ranges) {
      const records = this.sent.filter((each) => each.topic === topic && each.partition === partition && each.offset >= from && each.offset < to);
      await batch({ topic, partition, records: records.map(({ offset, key, value }) => ({ offset, key: Buffer.from(key), value, headers: {}, timestamp: 0 })), nextOffset: to, endOffset: to });
    }
  }

  #publisher(): Publisher {
    this.publishersOpened++;
    let closed = false;
    return {
      send: async (topic, partition, records) => {
        if (closed) throw new FactlineError({ code: 'log.closed', kind: 'internal', message: 'closed' });
        try {
          await this.beforeSend(topic, partition, records);
        } catch (error) {
          if (this.storesRejected) this.#store(topic, partition, records);
          throw error;
        }
        return { baseOffset: this.#store(topic, partition, records) };
      },
      close: () => {
        closed = true;
        return Promise.resolve();
      },
    };
  }

  #store(topic: string, partition: number, records: readonly OutgoingRecord[]): number {
    const baseOffset = this.#ends.get(`${topic}/${partition}`) ?? 0;
    records.forEach(({ key, value, headers }, at) => {
      const sequence = topic === 'factline.watermark' ? 0 : sequenceOf(value);
      this.sent.push({ topic, partition, offset: baseOffset + at, key: key.toString(), sequence, value, headers });
    });
    this.#ends.set(`${topic}/${partition}`, baseOffset + records.length);
    return baseOffset;
  }
}
