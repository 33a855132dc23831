import { type FactHead, FactDecoder } from 'factline/contracts';
import { FactlineError } from 'factline/kernel';
import { type FactLog, type LogRecord, type TopicState, partitionOf } from 'factline/log';
import { FACTS_TOLD, RECORDS_SEARCHED } from './limits.js';

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
    await this.#scan(fromMs, where, (topic, partition, record) => {
      if (!record.value?.includes(wanted)) return false;
      const candidate = publishedOf(topic, partition, record);
      if (candidate?.head.id !== id) return false;
      found = candidate;
      return true;
    });
    return found;
  }

  /** Facts of a correlation id, and those that one fact caused, each once, in the order of the broker's times. */
  async related(correlationId: string, causeId: string | undefined, fromMs: number): Promise<Published[]> {
    const found = new Map<string, Published>();
    const needles = [correlationId, ...(causeId === undefined ? [] : [causeId])].map((text) => Buffer.from(text));
    await this.#scan(fromMs, [...this.states.keys()].map((topic) => ({ topic })), (topic, partition, record) => {
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

  async #scan(fromMs: number, where: readonly Where[], enough: (topic: string, partition: number, record: LogRecord) => boolean): Promise<void> {
    for (const { topic, key } of where) {
      const state = this.states.get(topic);
      if (!state) continue;
      const starts = await this.log.offsetsAt(topic, fromMs);
      const only = key === undefined ? undefined : partitionOf(Buffer.from(key), state.partitions.length);
      const wanted = state.partitions.map(({ start, end }, partition) => ({ partition, from: Math.max(start, starts[partition]!), to: end })).filter(({ partition, from, to }) => from < to && (only ?? partition) === partition);
      const each = Math.floor((RECORDS_SEARCHED - this.records) / Math.max(1, wanted.length));
      const ranges = wanted.map(({ partition, from, to }) => ({ partition, from, to: Math.min(to, from + each) }));
      if (ranges.some(({ to }, at) => to < wanted[at]!.to)) this.complete = false;
      if (await this.#read(topic, ranges.filter(({ from, to }) => from < to), enough)) return;
    }
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
