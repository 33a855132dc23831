import { type FactHead, FactDecoder } from 'factline/contracts';
import { FactlineError, grouped } from 'factline/kernel';
import { type FactLog, type LogRecord, type TopicState, partitionOf } from 'factline/log';
import { FACTS_TOLD, NEAR_MS, RECORDS_SEARCHED } from './limits.js';

/** A fact as the log has it. */
export interface Published {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  /** The broker's time. */
  readonly at: Date;
  readonly traceparent: string | undefined;
  readonly head: FactHead;
}

/** Where to look: all partitions, or the one of a key. */
export interface Where {
  readonly topic: string;
  readonly key?: string;
}

/** Looks for facts in topics, from a time on. What is behind RECORDS_SEARCHED records is not looked at, and `complete` says so. */
export class LogSearch {
  readonly states = new Map<string, TopicState>();
  records = 0;
  complete = true;

  constructor(private readonly log: FactLog) {}

  /** Learns the topics; one that does not exist holds no facts. */
  async open(topics: readonly string[]): Promise<void> {
    for (const topic of topics) {
      try {
        for (const state of await this.log.describe([topic])) this.states.set(topic, state);
      } catch (error) {
        if (!(error instanceof FactlineError && error.code === 'log.topic-unknown')) throw error;
      }
    }
  }

  /** The first record with this fact id. */
  async find(id: string, fromMs: number, where: readonly Where[]): Promise<Published | undefined> {
    let found: Published | undefined;
    const wanted = Buffer.from(id.replaceAll('-', ''), 'hex');
    const isIt = (topic: string, partition: number, record: LogRecord): boolean => {
      if (!record.value?.includes(wanted)) return false;
      const candidate = publishedOf(topic, partition, record);
      if (candidate?.head.id !== id) return false;
      found = candidate;
      return true;
    };
    await this.#scan({ fromMs, toMs: fromMs + NEAR_MS }, where, isIt);
    if (!found) await this.#scan({ fromMs: fromMs + NEAR_MS }, where, isIt);
    return found;
  }

  /** Facts of a correlation id, and those that one fact caused, each once, in the order of the broker's times. */
  async related(correlationId: string, causeId: string | undefined, fromMs: number): Promise<Published[]> {
    const found = new Map<string, Published>();
    const needles = [correlationId, ...(causeId === undefined ? [] : [causeId])].map((text) => Buffer.from(text));
    await this.#scan({ fromMs }, [...this.states.keys()].map((topic) => ({ topic })), (topic, partition, record) => {
      if (!needles.some((needle) => record.value?.includes(needle))) return false;
      const candidate = publishedOf(topic, partition, record);
      const { id, correlationId: correlation, causationId: cause } = candidate?.head ?? {};
      if (!candidate || found.has(id!) || (correlation !== correlationId && cause !== causeId)) return false;
      found.set(id!, candidate);
      if (found.size < FACTS_TOLD) return false;
      this.complete = false;
      return true;
    });
    return [...found.values()].toSorted((one, other) => one.at.getTime() - other.at.getTime() || one.offset - other.offset);
  }

  /** Of what may still be read every partition gets the same share, so that a busy topic does not take that of the others. */
  async #scan(stretch: { fromMs: number; toMs?: number }, where: readonly Where[], enough: (topic: string, partition: number, record: LogRecord) => boolean): Promise<void> {
    const wanted = (await Promise.all(where.map((each) => this.#rangesOf(stretch, each)))).flat();
    const each = Math.floor(Math.max(0, RECORDS_SEARCHED - this.records) / Math.max(1, wanted.length));
    if (wanted.some(({ from, to }) => to - from > each)) this.complete = false;
    for (const [topic, ranges] of grouped(wanted, (range) => range.topic)) {
      if (await this.#read(topic, ranges.map(({ partition, from, to }) => ({ partition, from, to: Math.min(to, from + each) })), enough)) return;
    }
  }

  async #rangesOf({ fromMs, toMs }: { fromMs: number; toMs?: number }, { topic, key }: Where): Promise<{ topic: string; partition: number; from: number; to: number }[]> {
    const state = this.states.get(topic);
    if (!state) return [];
    const [starts, ends] = await Promise.all([this.log.offsetsAt(topic, fromMs), toMs === undefined ? [] : this.log.offsetsAt(topic, toMs)]);
    const only = key === undefined ? undefined : partitionOf(Buffer.from(key), state.partitions.length);
    return state.partitions
      .map(({ start, end }, partition) => ({ topic, partition, from: Math.max(start, starts[partition]!), to: Math.min(end, ends[partition] ?? end) }))
      .filter(({ partition, from, to }) => from < to && (only ?? partition) === partition);
  }

  /** @returns whether it was enough. */
  async #read(topic: string, ranges: readonly { partition: number; from: number; to: number }[], enough: (topic: string, partition: number, record: LogRecord) => boolean): Promise<boolean> {
    const stop = new AbortController();
    const batch = ({ partition, records }: { partition: number; records: readonly LogRecord[] }) => {
      if (stop.signal.aborted) return;
      this.records += records.length;
      if (records.some((record) => enough(topic, partition, record))) stop.abort();
    };
    try {
      await this.log.read({ topic, ranges, batch, abort: stop.signal });
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    }
    return stop.signal.aborted;
  }
}

function publishedOf(topic: string, partition: number, { offset, key, value, timestamp, headers }: LogRecord): Published | undefined {
  try {
    return { topic, partition, offset, key: key.toString(), at: new Date(timestamp), traceparent: headers?.['traceparent']?.toString('latin1'), head: FactDecoder.head(value) };
  } catch (error) {
    if (error instanceof FactlineError && error.code === 'fact.undecodable') return undefined; // it only mentions what is looked for
    throw error;
  }
}
