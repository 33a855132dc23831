import { type CloudEvents, withSequence } from 'factline/contracts';
import { FactlineError, type Logger, backoffMs, messageOf, pause } from 'factline/kernel';
import { type FactLog, type OutgoingRecord, type Publisher, partitionOf } from 'factline/log';
import type { FactHeaders } from './fact-headers.js';
import { RESEND_DELAY_MAX_MS, RESEND_DELAY_MS, SEND_BYTES } from './limits.js';
import type { OutboxRow } from './page.js';

interface Lane {
  topic: string;
  partition: number;
  /** Makes the headers of its facts, if the topic asks for some. */
  events: CloudEvents | undefined;
  /** Settled when everything given to this lane so far is acknowledged; rejected for good after a stop. */
  tail: Promise<void>;
  /** Behind the last record known to be in the log. */
  nextOffset: number;
}

export interface Rejection {
  topic: string;
  partition: number;
  since: number;
  attempts: number;
  reason: string;
}

export interface LanesOptions {
  log: FactLog;
  publishTimeoutMs: number;
  /** Ends retries; what is on its way is still awaited. */
  abort: AbortSignal;
  /** Throws when this relay must not send any more; asked before each send. */
  permit(): void;
  onRejection(): void;
  /** What the app's contracts say, by topic: another count in the log would send keys elsewhere than before. */
  declaredPartitions: ReadonlyMap<string, number>;
  headers: FactHeaders;
  now(): number;
  logger: Logger;
}

/**
 * One lane per topic-partition: sends run one after another within a lane and side by side between lanes. A rejected send is repeated with the same rows
 * until the log takes it, and nothing overtakes it: so a crash or an unknown outcome leaves duplicates, never a gap or another order.
 */
export class Lanes {
  readonly #topics = new Map<string, Lane[]>();
  readonly #rejections = new Map<Lane, Rejection>();
  #publisher: Promise<Publisher> | undefined;

  constructor(private readonly options: LanesOptions) {}

  /** The sends that are being repeated now. */
  get rejections(): Rejection[] {
    return [...this.#rejections.values()];
  }

  /** Learns the partitions of the topics of these rows, repeated until the log answers, so a missing topic is waited for; and their schemas, for headers. Await it before `send`. */
  async prepare(rows: readonly OutboxRow[]): Promise<void> {
    for (const { topic } of rows) {
      if (this.#topics.has(topic)) continue;
      const waiting: Lane = { topic, partition: -1, events: undefined, tail: Promise.resolve(), nextOffset: 0 };
      await this.#persistently(waiting, this.options.now(), () => this.open(topic));
    }
    await this.options.headers.prepare(rows);
  }

  /** Resolves when the log has acknowledged all rows. Calls take effect in their order. */
  async send(rows: readonly OutboxRow[]): Promise<void> {
    const perLane = new Map<Lane, OutgoingRecord[]>();
    for (const row of rows) {
      const lanes = this.#topics.get(row.topic)!;
      const lane = lanes[partitionOf(row.key, lanes.length)]!;
      const records = perLane.get(lane);
      const record = recordOf(row, lane.events);
      if (records) records.push(record);
      else perLane.set(lane, [record]);
    }
    await Promise.all([...perLane].map(([lane, records]) => (lane.tail = this.#append(lane, records))));
  }

  /** Next offset by partition, below which everything acknowledged lies; undefined for a topic that was not opened. */
  offsets(topic: string): number[] | undefined {
    return this.#topics.get(topic)?.map((lane) => lane.nextOffset);
  }

  /** Learns the partitions of one topic and where they end, in one attempt. @throws FactlineError `log.topic-unknown`, `relay.partitions-changed`. */
  async open(topic: string): Promise<void> {
    const state = (await this.options.log.describe([topic]))[0]!;
    const declared = this.options.declaredPartitions.get(topic);
    if (declared !== undefined && declared !== state.partitions.length) throw partitionsChanged(topic, declared, state.partitions.length);
    if (this.#topics.has(topic)) return; // somebody else was faster, and its lanes may be in use
    const events = this.options.headers.of(topic);
    this.#topics.set(
      topic,
      state.partitions.map(({ end }, partition) => ({ topic, partition, events, tail: Promise.resolve(), nextOffset: end })),
    );
  }

  async close(): Promise<void> {
    const publisher = this.#publisher;
    this.#publisher = undefined;
    await (await publisher)?.close();
  }

  async #append(lane: Lane, records: OutgoingRecord[]): Promise<void> {
    await lane.tail;
    const since = this.options.now();
    for (const part of parts(records)) {
      const { baseOffset } = await this.#persistently(lane, since, () => this.#sendOnce(lane, part));
      lane.nextOffset = Math.max(lane.nextOffset, baseOffset + part.length);
    }
  }

  async #persistently<T>(lane: Lane, since: number, attempt: () => Promise<T>): Promise<T> {
    for (let attempts = 1; ; attempts++) {
      this.options.permit();
      try {
        const result = await attempt();
        this.#rejections.delete(lane);
        return result;
      } catch (error) {
        const { topic, partition } = lane;
        const rejection = { topic, partition, since, attempts, reason: messageOf(error) };
        this.options.onRejection();
        this.#rejections.set(lane, rejection);
        this.options.logger.warn(rejection, 'the log did not take facts; the same ones are sent again');
        await pause(backoffMs(attempts, { delay: RESEND_DELAY_MS, maxDelay: RESEND_DELAY_MAX_MS }), this.options.abort);
        if (this.options.abort.aborted) throw stopped(lane, error);
      }
    }
  }

  async #sendOnce(lane: Lane, records: readonly OutgoingRecord[]): Promise<{ baseOffset: number }> {
    const publisher = (this.#publisher ??= this.options.log.publisher());
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(unanswered(lane, this.options.publishTimeoutMs)), this.options.publishTimeoutMs);
    });
    try {
      return await Promise.race([publisher.then((open) => open.send(lane.topic, lane.partition, records)), late]);
    } catch (error) {
      if (error instanceof FactlineError && error.code === 'relay.publish-timeout') this.#discard(publisher);
      else if (await publisher.then(() => false, () => true)) this.#forget(publisher);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #forget(publisher: Promise<Publisher>): void {
    if (this.#publisher === publisher) this.#publisher = undefined;
  }

  /** A publisher that owes an answer must not be used again: its late answer and a new send would run side by side in one partition. */
  #discard(publisher: Promise<Publisher>): void {
    this.#forget(publisher);
    publisher.then((open) => open.close()).catch((error: unknown) => {
      this.options.logger.warn({ error: messageOf(error) }, 'a publisher that did not answer could not be closed');
    });
  }
}

function recordOf({ key, value, sequence, traceparent }: OutboxRow, events: CloudEvents | undefined): OutgoingRecord {
  const numbered = withSequence(value, sequence);
  const headers = events?.headersOf(numbered);
  if (headers) return { key, value: numbered, headers: traceparent ? { traceparent, ...headers } : headers };
  return traceparent ? { key, value: numbered, headers: { traceparent } } : { key, value: numbered };
}

/** Cuts before the broker's limit for one batch; a single fact is always below it. */
function* parts(records: OutgoingRecord[]): Iterable<OutgoingRecord[]> {
  let start = 0;
  let bytes = 0;
  for (let at = 0; at < records.length; at++) {
    const size = sizeOf(records[at]!);
    if (at > start && bytes + size > SEND_BYTES) {
      yield records.slice(start, at);
      start = at;
      bytes = 0;
    }
    bytes += size;
  }
  yield start === 0 ? records : records.slice(start);
}

/** CloudEvents headers take more bytes than many a fact. */
function sizeOf({ key, value, headers }: OutgoingRecord): number {
  const bytes = key.length + value.length;
  return headers ? Object.entries(headers).reduce((sum, [name, header]) => sum + name.length + header.length, bytes) : bytes;
}

function partitionsChanged(topic: string, declared: number, found: number): FactlineError {
  return new FactlineError({
    code: 'relay.partitions-changed',
    kind: 'configuration',
    message: `The topic '${topic}' has ${found} partitions, its declaration says ${declared}: keys would change their partition and lose their order.`,
    advice: 'Never add partitions to a keyed topic: make a new topic generation. If the declaration is wrong, correct topic.yaml.',
  });
}

function unanswered({ topic, partition }: Lane, timeoutMs: number): FactlineError {
  return new FactlineError({
    code: 'relay.publish-timeout',
    kind: 'unavailable',
    message: `The log did not answer a send to '${topic}' partition ${partition} within ${timeoutMs} ms.`,
    advice: 'The same facts are sent again through a new connection.',
  });
}

function stopped({ topic, partition }: Lane, cause: unknown): FactlineError {
  return new FactlineError({
    code: 'relay.stopped',
    kind: 'unavailable',
    message: `The relay stopped while '${topic}' partition ${partition} did not take facts.`,
    advice: 'They are sent by the next owner, or after the next start.',
    cause,
  });
}
