import { type Clock, FactlineError, type Logger, backoffMs, messageOf, pause } from 'factline/kernel';
import type { FactLog, OutgoingRecord } from 'factline/log';
import type { FactHeaders } from './fact-headers.js';
import { HOLD_AFTER_MS, RESEND_DELAY_MAX_MS, RESEND_DELAY_MS } from './limits.js';
import type { OutboxRow } from './page.js';
import { parts, recordOf } from './records.js';
import { Sender } from './sender.js';
import { type Lane, NO_PARTITION, TopicLanes } from './topic-lanes.js';

/** A fact that its partition does not take. */
export interface HeldFact {
  partition: number;
  row: OutboxRow;
}

export interface Rejection {
  topic: string;
  /** -1: the log cannot say what partitions the topic has. */
  partition: number;
  since: number;
  attempts: number;
  reason: string;
  /** Its facts are set aside, and hold up nobody else. */
  held: boolean;
}

export interface LanesOptions {
  log: FactLog;
  publishTimeoutMs: number;
  /** Ends retries; what is on its way is still awaited. */
  abort: AbortSignal;
  /** Throws when this relay must not send any more; asked before each send. */
  permit(): void;
  onRejection(): void;
  /** A partition is held: somebody has to try what is set aside. */
  onHeld(lane: Lane): void;
  /** What the app's contracts say, by topic. */
  declaredPartitions: ReadonlyMap<string, number>;
  headers: FactHeaders;
  clock: Clock;
  logger: Logger;
}

/**
 * One lane per topic-partition: sends run one after another within a lane and side by side between lanes. A rejected send is repeated with the same rows
 * until the log takes it, and nothing overtakes it: so a crash or an unknown outcome leaves duplicates, never a gap or another order.
 *
 * A lane that takes nothing for 10 s while others do, or would, is held: its facts are answered as such, to be set aside (held-facts.ts), until it is released. So are
 * all lanes of a topic of which the log knows nothing for as long. When the whole log is away nothing is held, for there is nobody to hold up.
 */
export class Lanes {
  readonly #topics: TopicLanes;
  readonly #rejections = new Map<Lane, Rejection>();
  /** Sends that were acknowledged, in any lane. */
  #acknowledged = 0;
  readonly #sender: Sender;

  constructor(private readonly options: LanesOptions) {
    this.#topics = new TopicLanes(options.log, options.declaredPartitions, options.headers);
    this.#sender = new Sender(options);
  }

  /** The sends that are being repeated now, and what is held. */
  get rejections(): Rejection[] {
    return [...this.#rejections.values()];
  }

  /** Learns the partitions of the topics of these rows, repeated until the log answers or they are held; and their schemas, for headers. Await it before `send`. */
  async prepare(rows: readonly OutboxRow[]): Promise<void> {
    for (const { topic } of rows) if (!this.#topics.isOpen(topic)) await this.#persistently(this.#topics.unknown(topic), () => this.open(topic));
    await this.options.headers.prepare(rows);
  }

  /** Resolves when the log has acknowledged all rows but those that it answers: they belong to held lanes. Calls take effect in their order. */
  async send(rows: readonly OutboxRow[]): Promise<HeldFact[]> {
    const perLane = new Map<Lane, OutboxRow[]>();
    for (const row of rows) {
      const lane = this.#topics.laneOf(row);
      const given = perLane.get(lane);
      if (given) given.push(row);
      else perLane.set(lane, [row]);
    }
    const held = await Promise.all([...perLane].map(([lane, given]) => (lane.tail = this.#append(lane, given)) as Promise<HeldFact[]>));
    return held.flat();
  }

  /** An earlier owner set facts of it aside: it is held from the moment the topic is open. */
  expectHeld(topic: string, partition: number): void {
    this.#topics.expectHeld(topic, partition);
  }

  /** @throws what `open` throws. */
  async heldLane(topic: string, partition: number): Promise<Lane> {
    if (!this.#topics.isKnown(topic)) {
      const unknown = this.#topics.unknown(topic);
      try {
        await this.open(topic);
        this.#rejections.delete(unknown);
      } catch (error) {
        const told = this.#rejections.get(unknown);
        if (told) told.reason = messageOf(error); // it may be made with other partitions than declared
        throw error;
      }
    }
    return this.#topics.of(topic)![partition]!;
  }

  /** One attempt to send what was set aside; the caller goes on in its order. @throws what the log throws. */
  async resend(lane: Lane, rows: readonly OutboxRow[]): Promise<void> {
    await this.options.headers.prepare(rows);
    for (const part of parts(rows.map((row) => recordOf(row, lane.events)))) {
      this.options.permit();
      try {
        await this.#deliver(lane, part);
      } catch (error) {
        this.#reject(lane, error);
        throw error;
      }
    }
  }

  /** Sends to it again, if nothing was set aside since there were `setAside` facts. */
  release(lane: Lane, setAside: number): boolean {
    if (lane.setAside !== setAside) return false;
    lane.held = false;
    this.#rejections.delete(lane);
    this.options.logger.info({ topic: lane.topic, partition: lane.partition }, 'what was set aside for a partition is in the log, and facts go there again');
    return true;
  }

  /** These are in the table now. */
  stored(facts: readonly HeldFact[]): void {
    for (const { row } of facts) this.#topics.laneOf(row).stored++;
  }

  /** Next offset by partition, below which everything acknowledged lies, null for one that is held; undefined for a topic that was not opened. */
  offsets(topic: string): (number | null)[] | undefined {
    return this.#topics.of(topic)?.map(({ held, nextOffset }) => (held ? null : nextOffset));
  }

  /** Learns the partitions of one topic and where they end, in one attempt. @throws FactlineError `log.topic-unknown`, `relay.partitions-changed`. */
  open(topic: string): Promise<void> {
    return this.#topics.open(topic);
  }

  close(): Promise<void> {
    return this.#sender.close();
  }

  async #append(lane: Lane, rows: readonly OutboxRow[]): Promise<HeldFact[]> {
    await lane.tail;
    let sent = 0;
    for (const part of lane.held ? [] : parts(rows.map((row) => recordOf(row, lane.events)))) {
      if (!(await this.#persistently(lane, () => this.#deliver(lane, part)))) break;
      sent += part.length;
    }
    lane.setAside += rows.length - sent;
    return rows.slice(sent).map((row) => ({ partition: lane.partition, row }));
  }

  async #deliver(lane: Lane, records: readonly OutgoingRecord[]): Promise<void> {
    const { baseOffset } = await this.#sender.send(lane.topic, lane.partition, records);
    if (baseOffset < lane.nextOffset) this.#wentBack(lane, baseOffset);
    lane.nextOffset = baseOffset + records.length;
    this.#acknowledged++;
  }

  /** What is behind in the log now is less than was acknowledged: nothing here can bring it back, and whoever read it finds out by itself. */
  #wentBack({ topic, partition, nextOffset }: Lane, baseOffset: number): void {
    this.options.logger.error(
      { topic, partition, acknowledgedTo: nextOffset, offset: baseOffset },
      'the log has less of a partition than it had acknowledged: the topic was created again, or its tail is lost; what reads it halts as GAP',
    );
  }

  /** @returns false when the lane is held from now on. */
  async #persistently(lane: Lane, attempt: () => Promise<void>): Promise<boolean> {
    const begun = { at: this.options.clock.monotonic(), acknowledged: this.#acknowledged };
    for (;;) {
      this.options.permit();
      try {
        await attempt();
        this.#rejections.delete(lane);
        return true;
      } catch (error) {
        const attempts = this.#reject(lane, error);
        if ((await this.#holdsUpOthers(lane, begun)) && this.#hold(lane, error)) return false;
        await pause(backoffMs(attempts, { delay: RESEND_DELAY_MS, maxDelay: RESEND_DELAY_MAX_MS }), this.options.abort);
        if (this.options.abort.aborted) throw stopped(lane, error);
      }
    }
  }

  /** @returns false when that cannot be: nothing says where its facts belong, or the log says it otherwise than the declaration. */
  #hold(lane: Lane, error: unknown): boolean {
    if (error instanceof FactlineError && error.code === 'relay.partitions-changed') return false;
    const lanes = lane.partition === NO_PARTITION ? this.#topics.openByDeclaration(lane.topic) : [lane];
    if (!lanes) return false;
    this.#rejections.get(lane)!.held = true;
    for (const each of lanes) {
      each.held = true;
      this.options.onHeld(each);
    }
    return true;
  }

  /** Others were taken meanwhile; or nobody else was tried, for all pages on their way are this lane's, and the log answers. */
  async #holdsUpOthers({ topic, partition }: Lane, begun: { at: number; acknowledged: number }): Promise<boolean> {
    if (this.options.clock.monotonic() - begun.at < HOLD_AFTER_MS) return false;
    if (partition === NO_PARTITION) return this.#topics.describesOthers(topic);
    if (this.#acknowledged > begun.acknowledged) return true;
    return this.#rejections.size === 1 && (await this.options.log.describe([topic]).then(() => true, () => false));
  }

  /** @returns how often the lane was rejected in a row. */
  #reject(lane: Lane, error: unknown): number {
    const { topic, partition, held } = lane;
    const before = this.#rejections.get(lane);
    const rejection = { topic, partition, since: before?.since ?? this.options.clock.now(), attempts: (before?.attempts ?? 0) + 1, reason: messageOf(error), held };
    this.options.onRejection();
    this.#rejections.set(lane, rejection);
    this.options.logger.warn(rejection, 'the log did not take facts; the same ones are sent again');
    return rejection.attempts;
  }
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
