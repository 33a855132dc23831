import { FactlineError, type Logger, backoffMs, messageOf, pause } from 'factline/kernel';
import { partitionOf } from 'factline/log';
import type { Lanes } from './lanes.js';
import { HELD_FACTS, RESEND_DELAY_MAX_MS, RESEND_DELAY_MS } from './limits.js';
import type { Ownership } from './ownership.js';
import type { OutboxRow } from './page.js';

const PLACES = 'select distinct topic, partition from factline.outbox_held';
const KEYS = `select id, key from factline.outbox_held where topic = $1 and partition = $2 and id > $3 order by id limit ${HELD_FACTS}`;
const PLACE = 'update factline.outbox_held as held set partition = given.partition from unnest($3::bigint[], $4::integer[]) as given (id, partition) where held.topic = $1 and held.partition = $2 and held.id = given.id';
const READ = `select id::float8 as id, topic, key, sequence::float8 as sequence, value, traceparent from factline.outbox_held where topic = $1 and partition = $2 order by id limit ${HELD_FACTS}`;
const REMOVE = 'delete from factline.outbox_held where topic = $1 and partition = $2 and id = any($3::bigint[])';

export interface HeldFactsOptions {
  ownership: Ownership;
  lanes: Lanes;
  /** What the app's contracts say, by topic. */
  declaredPartitions: ReadonlyMap<string, number>;
  onPublished(facts: number): void;
  abort: AbortSignal;
  logger: Logger;
}

/**
 * Tries what was set aside for held partitions, each in the order of its facts, until the log takes it; then the partition is released.
 *
 * Why no fact is lost or overtaken: a fact is set aside in the statement that counts it as delivered, and removed after the log acknowledged it. While a
 * partition is held all its facts go through the table, in which ids rise within a key. It is released at a moment when the table has none of its facts and
 * none is on the way there. A crash between acknowledgement and removal repeats facts, with the same numbers.
 */
export class HeldFacts {
  /** By place: a second one would send all of it twice. */
  readonly #loops = new Map<string, Promise<void>>();
  readonly #ended = new AbortController();

  constructor(private readonly options: HeldFactsOptions) {
    options.abort.addEventListener('abort', () => this.#ended.abort(), { once: true });
    options.ownership.onStored = (facts) => options.lanes.stored(facts);
  }

  /** What an earlier owner left. Await it before the first tick: a fact that is sent must not overtake one that was set aside. */
  async resume(): Promise<void> {
    const left = await this.#places();
    for (const { topic, partition } of left) await this.#place(topic, partition);
    for (const { topic, partition } of left.length > 0 ? await this.#places() : []) {
      this.options.lanes.expectHeld(topic, partition);
      this.follow(topic, partition);
    }
  }

  async #places(): Promise<{ topic: string; partition: number }[]> {
    return (await this.options.ownership.turns.take((session) => session.query<{ topic: string; partition: number }>(PLACES))).rows;
  }

  /** A topic that nobody had made may be declared with other partitions by now: its facts wait where their keys belong. In pages, for there may be as many as the outbox takes. */
  async #place(topic: string, partition: number): Promise<void> {
    const { ownership, declaredPartitions } = this.options;
    const partitions = declaredPartitions.get(topic);
    if (partitions === undefined) return;
    for (let after: string | undefined = '0'; after !== undefined; ) {
      const { rows } = await ownership.turns.take((session) => session.query<{ id: string; key: string }>(KEYS, [topic, partition, after]));
      const moved = rows.map(({ id, key }) => ({ id, to: partitionOf(Buffer.from(key), partitions) })).filter(({ to }) => to !== partition);
      if (moved.length > 0) await ownership.turns.take((session) => session.query(PLACE, [topic, partition, moved.map(({ id }) => id), moved.map(({ to }) => to)]));
      after = rows.length === HELD_FACTS ? rows.at(-1)!.id : undefined;
    }
  }

  follow(topic: string, partition: number): void {
    const place = `${topic}/${partition}`;
    if (!this.#loops.has(place)) this.#loops.set(place, this.#drain(topic, partition).finally(() => this.#loops.delete(place)));
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await Promise.all(this.#loops.values());
  }

  async #drain(topic: string, partition: number): Promise<void> {
    for (let failures = 0; !this.#ended.signal.aborted; ) {
      try {
        if (await this.#step(topic, partition)) return;
        failures = 0;
      } catch (error) {
        if (this.options.ownership.turns.lost || (error instanceof FactlineError && error.kind === 'fenced')) return; // the next owner resumes
        failures++;
        this.options.logger.debug({ topic, partition, error: messageOf(error) }, 'what is set aside for a partition was not sent');
        await pause(backoffMs(failures, { delay: RESEND_DELAY_MS, maxDelay: RESEND_DELAY_MAX_MS }), this.#ended.signal);
      }
    }
  }

  /** @returns true when the partition is released. */
  async #step(topic: string, partition: number): Promise<boolean> {
    const { ownership, lanes, onPublished } = this.options;
    const lane = await lanes.heldLane(topic, partition);
    const { setAside, stored } = lane; // looked at before the table: what is stored later is not in what was read
    const { rows } = await ownership.turns.take((session) => session.query<HeldRow>(READ, [topic, partition], 'factline.held_read'));
    if (rows.length > 0) {
      await lanes.resend(lane, rows.map(rowOf));
      await ownership.turns.take((session) => session.query(REMOVE, [topic, partition, rows.map(({ id }) => id)], 'factline.held_remove'));
      ownership.advance(ownership.progress, rows.length);
      onPublished(rows.length);
      return false;
    }
    if (stored === setAside && lanes.release(lane, setAside)) return true;
    await pause(RESEND_DELAY_MS, this.#ended.signal); // some are on their way into the table
    return false;
  }
}

interface HeldRow {
  id: number;
  topic: string;
  key: string;
  sequence: number;
  value: Buffer;
  traceparent: string | null;
}

function rowOf({ key, traceparent, ...row }: HeldRow): OutboxRow {
  return { ...row, key: Buffer.from(key), traceparent: traceparent === null ? null : Buffer.from(traceparent) };
}
