import { FactEncoder, WATERMARK_TOPIC, defineFact } from 'factline/contracts';
import { FactlineError } from 'factline/kernel';
import { type FactLog, type FollowOptions, type LogRecord, partitionOf } from 'factline/log';
import { factSchemaInSpec, selectInSpec } from 'factline/testing';
import type { Cache, CacheSource, Reached } from './index.js';

const TOPIC = 'shop.item';
export const PARTITIONS = 2;
const FIELDS = [{ name: 'itemId', type: 'string' }];
const declaration = { name: TOPIC, owner: 'shop', keyField: 'itemId', partitions: PARTITIONS, kind: 'facts' as const, settings: {} };
const schema = factSchemaInSpec('shop.ItemChanged', FIELDS);
const ItemChanged = defineFact<{ itemId: string }, 'itemId'>({ factName: 'shop.ItemChanged', topic: declaration, keyField: 'itemId', schema });
export const changed = selectInSpec<{ itemId: string }>({ factName: 'shop.ItemChanged', topic: TOPIC, schema: { type: 'record', name: 'ItemChanged', namespace: 'shop', fields: FIELDS }, fingerprint: 'items' });
const encoder = new FactEncoder();

export const partitionOfKey = (key: string) => partitionOf(Buffer.from(key), PARTITIONS);

/** How often an item was changed. */
export interface Item {
  version: number;
}

/** A producer, its log, a read model that lags as it is told, and a tail that gets what it is given: all by hand, on a clock that stands still. */
export class Shop {
  ms = 1_000_000;
  readonly clock = { now: () => this.ms, monotonic: () => this.ms };
  readonly written: { key: string; version: number; ms: number }[] = [];
  readonly #records: LogRecord[][] = Array.from({ length: PARTITIONS }, () => []);
  readonly #marks: { asOf: number; offsets: number[] }[] = [];
  readonly #followers = new Map<string, FollowOptions>();
  /** Of the read model. */
  readonly applied = Array.from({ length: PARTITIONS }, () => 0);
  readonly rows = new Map<string, Item>();
  readonly delivered = Array.from({ length: PARTITIONS }, () => 0);
  /** By key: the newest version that the tail was given. */
  readonly seen = new Map<string, number>();
  blocked: Reached['blocked'];
  build = 1;
  /** Where the log begins, for the tail alone: what lies before is lost to it. */
  topicId = 'first';

  get feed() {
    return { log: this.#log, writers: { byId: () => Promise.resolve(schema) } };
  }

  readonly source: CacheSource = {
    reached: async () => ({
      build: this.build,
      partitions: this.applied.map((nextOffset, partition) => ({
        topic: TOPIC,
        partition,
        topicId: this.topicId,
        nextOffset,
        asOfMs: this.#marks.findLast(({ offsets }) => offsets[partition]! <= nextOffset)?.asOf ?? null,
        ...(this.blocked && { blocked: this.blocked }),
      })),
    }),
  };

  version(key: string, ms = Number.POSITIVE_INFINITY): number {
    return this.written.findLast((each) => each.key === key && each.ms <= ms)?.version ?? 0;
  }

  write(key: string): void {
    this.written.push({ key, version: this.version(key) + 1, ms: ++this.ms });
    const records = this.#records[partitionOfKey(key)]!;
    records.push({ offset: records.length, key: Buffer.from(key), value: encoder.encode(ItemChanged(key, {}), 1).value, timestamp: this.ms });
  }

  /** A record that is no fact. */
  spoil(key: string): void {
    const records = this.#records[partitionOfKey(key)]!;
    records.push({ offset: records.length, key: Buffer.from(key), value: Buffer.from('no fact'), timestamp: this.ms });
  }

  /** The read model takes what is there, at most so many facts. */
  apply(partition: number, facts = Number.POSITIVE_INFINITY): void {
    for (const record of this.#records[partition]!.slice(this.applied[partition]!, this.applied[partition]! + facts)) {
      const key = record.key.toString();
      this.rows.set(key, { version: (this.rows.get(key)?.version ?? 0) + 1 });
      this.applied[partition]!++;
    }
  }

  applyAll(): void {
    for (const partition of this.applied.keys()) this.apply(partition);
  }

  /** The tail gets what is there. */
  async deliver(partition: number, facts = Number.POSITIVE_INFINITY): Promise<void> {
    const records = this.#records[partition]!.slice(this.delivered[partition]!, this.delivered[partition]! + facts);
    if (records.length === 0) return;
    this.delivered[partition]! += records.length;
    for (const { key, offset } of records) {
      const upTo = this.#records[partition]!.filter((each) => each.offset <= offset && each.key.equals(key));
      this.seen.set(key.toString(), upTo.length);
    }
    await this.#followers.get(`${TOPIC}/${partition}`)!.batch({ topic: TOPIC, partition, records, nextOffset: this.delivered[partition]!, endOffset: this.#records[partition]!.length });
  }

  async deliverAll(): Promise<void> {
    for (const partition of this.delivered.keys()) await this.deliver(partition);
  }

  /** The relay says how far it is; `heard`: and the tail hears it. */
  async watermark(heard = true): Promise<void> {
    this.#marks.push({ asOf: ++this.ms, offsets: this.#records.map(({ length }) => length) });
    const value = Buffer.from(JSON.stringify({ topic: TOPIC, epoch: 1, ...this.#marks.at(-1)! }));
    if (heard) await this.#followers.get(`${WATERMARK_TOPIC}/0`)?.batch({ topic: WATERMARK_TOPIC, partition: 0, records: [{ offset: 0, key: Buffer.from(TOPIC), value, timestamp: this.ms }], nextOffset: 1, endOffset: 1 });
  }

  /** Everything is published, applied and heard of. */
  async settle(): Promise<void> {
    this.applyAll();
    await this.deliverAll();
    await this.watermark();
  }

  /** What the tail reads is not there any more; it begins again at the end. */
  async lose(partition: number): Promise<void> {
    const before = this.#followers.get(`${TOPIC}/${partition}`)!;
    this.delivered[partition] = this.#records[partition]!.length;
    before.disturbed(new FactlineError({ code: 'log.out-of-range', kind: 'integrity', message: 'The position is gone.' }));
    while (this.#followers.get(`${TOPIC}/${partition}`) === before) await new Promise(setImmediate);
  }

  /** Starts the cache's tail, and waits until it stands in the log. */
  async follow(cache: Cache<Item>): Promise<void> {
    for (const [partition, records] of this.#records.entries()) this.delivered[partition] = records.length;
    cache.start(this.feed);
    while (this.#followers.size < PARTITIONS + 1) await new Promise(setImmediate);
  }

  readonly #log = {
    describe: async (topics: readonly string[]) => topics.map((name) => ({ name, id: this.topicId, partitions: this.#records.map(({ length }) => ({ start: 0, end: length })) })),
    follow: (options: FollowOptions) => {
      this.#followers.set(`${options.topic}/${options.partition}`, options);
      return new Promise<void>((resolve) => options.abort.addEventListener('abort', () => resolve(), { once: true }));
    },
  } as unknown as FactLog;
}

/** A promise that is settled by hand. */
export function held<T>(): { promise: Promise<T>; give(value: T): void; fail(error: Error): void } {
  let give!: (value: T) => void;
  let fail!: (error: Error) => void;
  const promise = new Promise<T>((resolve, reject) => {
    give = resolve;
    fail = reject;
  });
  return { promise, give, fail };
}

/** Breaks a method for as long as something runs. */
export async function without<Class extends { prototype: object }>({ prototype }: Class, name: keyof Class['prototype'], instead: unknown, work: () => Promise<void>): Promise<void> {
  const before = Object.getOwnPropertyDescriptor(prototype, name)!;
  Object.defineProperty(prototype, name, { ...before, value: instead });
  try {
    await work();
  } finally {
    Object.defineProperty(prototype, name, before);
  }
}
