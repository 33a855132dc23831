import { FactlineError, Signal, grouped } from 'factline/kernel';
import { FETCH_BYTES_IN_ALL, FETCH_WAIT_WHILE_PAUSED_MS, RETRY_DELAY_MAX_MS } from '../limits.js';
import type { Kept, Position, RecordBatch } from '../log.js';
import { offsetBehind, parseBatches } from './batch-parsing.js';
import { Code, refusedByBroker, wrapped } from './errors.js';
import { type FetchAnswer, fetchRequest } from './fetch.js';
import { EARLIEST, LATEST } from './offsets.js';
import { type Session, leadersOf, retryDelayMs } from './session.js';
import { offsetsOf } from './topics.js';

/** One partition that is being read. */
export interface Reading {
  readonly topic: string;
  readonly partition: number;
  /** The next offset to ask for. */
  position: number;
  /** Read below this; Infinity: for ever. */
  readonly to: number;
  /** Not asked for, and what was already on its way is dropped. */
  held: boolean;
  leader: number | undefined;
  /** The incarnation of the topic that the position belongs to, once known: it is what a broker is asked for. */
  topicId: string | undefined;
  /** Failures since the last answer, and when to try again. */
  failures: number;
  retryAt: number;
}

export function reading({ topic, partition, offset, topicId }: Position, to = Infinity): Reading {
  return { topic, partition, position: offset, to, held: false, leader: undefined, topicId, failures: 0, retryAt: 0 };
}

export interface FetchingOptions {
  waitMs: number;
  bytesPerPartition: number;
  /** Fetch on while `deliver` works. Costs one more answer in memory per broker; the position then moves before the delivery. */
  ahead: boolean;
  /** Called one at a time in all, in order per partition. Throwing means: not taken, deliver again (only without `ahead`). */
  deliver(batch: RecordBatch): void | Promise<void>;
  /** The position is not in the log, or not in the topic that is there now. Answer the position to go on at, or nothing to leave the partition unread. */
  outOfRange(reading: Reading, kept: Kept): number | undefined;
  /** A failure; the partition is tried again with backoff, for ever: whoever wants an end aborts. */
  failed(error: FactlineError, attempt: number): void;
  /** A partition answered again. */
  recovered?(): void;
}

/**
 * Reads partitions from their leaders: one request per broker at a time for all its partitions. The fetch loop of all three ways to read
 * (history, following, subscription), because kafkajs's own decodes record by record and resets positions on its own (tulios/kafkajs#1119).
 */
export class Fetching {
  readonly #signal = new Signal();
  readonly #serving = new Map<number, Promise<void>>();
  #turn: Promise<void> = Promise.resolve();
  #rotation = 0;
  #over = false;

  /** The session is this loop's own: ending the loop closes it, so that no answer comes afterwards. */
  constructor(
    private readonly session: Session,
    private readonly readings: Reading[],
    private readonly options: FetchingOptions,
  ) {}

  /** Resolves when all is read, or soon after the abort; nothing is delivered after that. */
  async run(abort: AbortSignal): Promise<void> {
    const end = () => {
      this.#over = true;
      this.session.close();
      this.#signal.notify();
    };
    if (abort.aborted) return end();
    abort.addEventListener('abort', end, { once: true });
    try {
      while (!this.#over && this.readings.some((each) => each.position < each.to)) {
        await this.#findLeaders();
        for (const { leader } of this.readings) if (leader !== undefined && !this.#serving.has(leader) && this.#due(leader).length > 0) this.#start(leader);
        await this.#signal.wait(this.#nextTryMs());
      }
      await Promise.all(this.#serving.values());
    } finally {
      abort.removeEventListener('abort', end);
      end();
    }
  }

  /** Something is no longer held. */
  wake(): void {
    this.#signal.notify();
  }

  #start(node: number): void {
    this.#serving.set(
      node,
      this.#serve(node).finally(() => {
        this.#serving.delete(node);
        this.#signal.notify();
      }),
    );
  }

  async #serve(node: number): Promise<void> {
    let next: Promise<FetchAnswer[]> | undefined;
    try {
      for (;;) {
        const due = this.#due(node);
        if (this.#over || (!next && due.length === 0)) return;
        const answers = await (next ?? this.#ask(node, due));
        next = undefined;
        if (this.#over) return;
        const taken = await this.#take(answers);
        if (this.options.ahead) next = this.#askAhead(node);
        for (const each of taken) await this.#deliver(each.reading, each.answer, each.from);
      }
    } catch (error) {
      this.#fail(this.readings.filter(({ leader }) => leader === node), wrapped(error, `Fetching from broker ${node}`));
    }
  }

  #ask(node: number, due: Reading[]): Promise<FetchAnswer[]> {
    const first = this.#rotation++ % due.length; // whoever comes first may fill the answer
    const partitions = [...due.slice(first), ...due.slice(0, first)].map(({ topicId, partition, position }) => ({ topicId: topicId!, partition, offset: position }));
    const waitMs = this.readings.some(({ held }) => held) ? Math.min(this.options.waitMs, FETCH_WAIT_WHILE_PAUSED_MS) : this.options.waitMs;
    return this.session.ask(node, fetchRequest({ partitions, waitMs, bytesPerPartition: this.options.bytesPerPartition, bytesInAll: FETCH_BYTES_IN_ALL }));
  }

  #askAhead(node: number): Promise<FetchAnswer[]> | undefined {
    const due = this.#due(node);
    if (due.length === 0) return undefined;
    const next = this.#ask(node, due);
    next.catch(() => undefined); // met when it is awaited, after the deliveries
    return next;
  }

  /** Sorts the answers: what can be delivered, what failed, what is out of range. */
  async #take(answers: readonly FetchAnswer[]): Promise<{ reading: Reading; answer: FetchAnswer; from: number }[]> {
    const taken: { reading: Reading; answer: FetchAnswer; from: number }[] = [];
    for (const answer of answers) {
      const found = this.readings.find(({ topicId, partition }) => topicId === answer.topicId && partition === answer.partition);
      if (!found || found.held) continue;
      if (answer.errorCode === Code.offsetOutOfRange || (answer.errorCode === Code.none && answer.start > found.position)) {
        await this.#outOfRange(found, answer.topicId);
      } else if (answer.errorCode !== Code.none) {
        this.#fail([found], refusedByBroker(answer.errorCode, `Fetching '${found.topic}' partition ${found.partition}`, found.topic));
      } else {
        if (found.failures > 0) this.options.recovered?.();
        found.failures = 0;
        if (answer.data.length > 0) taken.push({ reading: found, answer, from: found.position });
        if (this.options.ahead) found.position = Math.min(offsetBehind(answer.data, found.position), found.to);
      }
    }
    return taken;
  }

  async #deliver(to: Reading, answer: FetchAnswer, from: number): Promise<void> {
    const turn = this.#turn.then(async () => {
      if (this.#over || to.held) return;
      try {
        const { records, nextOffset } = parseBatches(answer.data, from, to.to, answer.aborted);
        if (nextOffset === from) return;
        await this.options.deliver({ topic: to.topic, partition: to.partition, records, nextOffset, endOffset: answer.end });
        if (!this.options.ahead) to.position = nextOffset;
      } catch (error) {
        const failure = placed(wrapped(error, `Taking over a batch of '${to.topic}' partition ${to.partition}`), to, from);
        if (this.options.ahead) this.options.failed(failure, Infinity); // the position has moved on: there is no second try
        else this.#fail([to], failure);
      }
    });
    this.#turn = turn;
    await turn;
  }

  async #outOfRange(of: Reading, topicId: string): Promise<void> {
    try {
      const wanted = [{ topic: of.topic, partition: of.partition, leader: of.leader! }];
      const [start, end] = [await offsetsOf(this.session, wanted, EARLIEST), await offsetsOf(this.session, wanted, LATEST)];
      const name = `${of.topic}/${of.partition}`;
      this.#moveOn(of, { topicId, start: start.get(name)!, end: end.get(name)! });
    } catch (error) {
      this.#fail([of], wrapped(error, `Listing the offsets of '${of.topic}' partition ${of.partition}`));
    }
  }

  #moveOn(of: Reading, kept: Kept): void {
    if (this.#over) return;
    const position = this.options.outOfRange(of, kept);
    if (position === undefined) this.readings.splice(this.readings.indexOf(of), 1);
    else [of.position, of.topicId] = [position, kept.topicId];
  }

  async #findLeaders(): Promise<void> {
    const now = performance.now();
    const lost = this.readings.filter(({ leader, retryAt }) => leader === undefined && retryAt <= now);
    if (lost.length === 0) return;
    const byTopic = grouped(lost, ({ topic }) => topic);
    try {
      const view = await this.session.look([...byTopic.keys()]);
      for (const [topic, readings] of byTopic) {
        try {
          const { id, leaders } = leadersOf(view, topic);
          for (const each of readings) await this.#lead(each, id, leaders[each.partition]);
        } catch (error) {
          this.#fail(readings, wrapped(error, `Looking up the leaders of '${topic}'`));
        }
      }
    } catch (error) {
      this.#fail(lost, wrapped(error, 'Looking up the leaders'));
    }
  }

  async #lead(of: Reading, topicId: string, leader: number | undefined): Promise<void> {
    if (leader === undefined || leader < 0) {
      throw new FactlineError({ code: 'log.unavailable', kind: 'unavailable', message: `'${of.topic}' partition ${of.partition} has no leader.`, advice: 'Look at the brokers that hold it.' });
    }
    of.leader = leader;
    of.topicId ??= topicId;
    if (of.topicId !== topicId) await this.#outOfRange(of, topicId); // deleted and created again: no position of the old one means anything
  }

  #due(node: number): Reading[] {
    return this.readings.filter((each) => each.leader === node && !each.held && each.position < each.to);
  }

  #fail(readings: readonly Reading[], error: FactlineError): void {
    if (this.#over || readings.length === 0) return;
    for (const each of readings) {
      each.failures += 1;
      each.leader = undefined;
      each.retryAt = performance.now() + retryDelayMs(each.failures);
    }
    this.options.failed(error, Math.max(...readings.map(({ failures }) => failures)));
  }

  #nextTryMs(): number {
    const now = performance.now();
    const waits = this.readings.filter(({ leader }) => leader === undefined).map(({ retryAt }) => retryAt - now);
    return Math.max(1, Math.min(RETRY_DELAY_MAX_MS, ...waits));
  }
}

/** Where broken bytes lie: whoever reads them halts that partition and no other. */
function placed(error: FactlineError, { topic, partition }: Reading, offset: number): FactlineError {
  const { code, kind, message, advice, retry, details } = error;
  if (kind !== 'integrity') return error;
  return new FactlineError({ code, kind, message: `${topic}[${partition}] from offset ${offset}: ${message}`, retry, details: { ...details, topic, partition, offset }, cause: error, ...(advice !== undefined && { advice }) });
}
