import type { RememberedSchema, TopicDeclaration, Watermark } from 'factline/contracts';
import { type Clock, FactlineError, type Logger } from 'factline/kernel';
import type { FactLog } from 'factline/log';
import type { Tracing } from 'factline/tracing';
import { afterFailover } from './failover.js';
import { FactHeaders } from './fact-headers.js';
import { HeldFacts } from './held-facts.js';
import { type HeldFact, Lanes } from './lanes.js';
import { PAGES_IN_FLIGHT, PAGE_BYTES, PROGRESS_INTERVAL_MS } from './limits.js';
import type { Ownership } from './ownership.js';
import { type Page, readPage } from './page.js';
import { sendTraced } from './page-span.js';
import { type Snapshot, firstPage, follows, nextPage, parseSnapshot } from './snapshot.js';
import { Watermarks } from './watermarks.js';

/** Named points in a relay's work. `observe` is awaited there, so that a test can stop or kill it exactly then. */
export type RelayPoint = { epoch: number } & (
  | { name: 'acquired' | 'progress-stored' | 'released' }
  | { name: 'tick-read' | 'page-sent'; rows: number; lastId: number }
  | { name: 'slot-switched' | 'slot-emptied'; slot: number }
  | { name: 'watermark-sent'; marks: readonly Watermark[] }
);

export interface TickCounts {
  rows: number;
  pages: number;
}

export interface RelayCounters {
  publishedTotal: number;
  ticks: number;
  rejectedSends: number;
  lastProgressAt: number | undefined;
}

export interface TenureOptions {
  ownership: Ownership;
  log: FactLog;
  /** All topics the app declares; those it owns get watermarks. */
  topics: readonly TopicDeclaration[];
  /** The schemas that this app's processes know: asked where a topic has headers, when an id is new. */
  remembered(): Promise<readonly RememberedSchema[]>;
  app: string;
  pageRows: number;
  publishTimeoutMs: number;
  counters: RelayCounters;
  observe(point: RelayPoint): void | Promise<void>;
  tracing: Tracing;
  /** Fired by stop: retries end, pages on their way are awaited and stored. */
  abort: AbortSignal;
  clock: Clock;
  logger: Logger;
}

interface SentPage {
  rows: Page['rows'];
  acknowledged: Promise<HeldFact[]>;
}

interface TickStart {
  snapshot: Snapshot;
  /** Database time at which the statement that took the snapshot began. */
  asOf: number;
  /** Highest id drawn so far. */
  mark: number;
}

const TAKE_SNAPSHOT = `select pg_current_snapshot()::text as snapshot, floor(extract(epoch from statement_timestamp()) * 1000)::float8 as "asOf",
  coalesce(pg_sequence_last_value('factline.outbox_id'), 0)::float8 as mark`;

/** One relay's work from the moment it owns the outbox until it does not. Any error ends it; the next owner begins at the stored progress. */
export class Tenure {
  readonly lanes: Lanes;
  readonly watermarks: Watermarks;
  readonly #held: HeldFacts;
  #resumed = false;
  readonly #options: TenureOptions;
  #pageRows: number;
  #unstoredRows = 0;
  #persistedAt = Number.NEGATIVE_INFINITY;

  constructor(options: TenureOptions) {
    const { ownership, counters, clock, logger, log, topics, app } = options;
    this.#options = options;
    this.#pageRows = options.pageRows;
    const declaredPartitions = new Map(topics.map(({ name, partitions }) => [name, partitions]));
    this.lanes = new Lanes({
      log,
      publishTimeoutMs: options.publishTimeoutMs,
      abort: options.abort,
      permit: () => ownership.assertHeld(),
      onRejection: () => counters.rejectedSends++,
      headers: new FactHeaders(topics, () => options.remembered(), logger),
      declaredPartitions,
      onHeld: ({ topic, partition }) => this.#held.follow(topic, partition),
      clock,
      logger,
    });
    const { lanes } = this;
    this.#held = new HeldFacts({ ownership, lanes, declaredPartitions, onPublished: (facts) => (counters.publishedTotal += facts), abort: options.abort, logger });
    const owned = topics.filter(({ owner }) => owner === app);
    const onSent = async (marks: Watermark[]) => options.observe({ name: 'watermark-sent', epoch: ownership.epoch, marks });
    this.watermarks = new Watermarks({ log, lanes, topics: owned, epoch: ownership.epoch, onSent, logger });
  }

  /** Publishes what became visible since the last tick, or the rest of an interrupted one. A small tick costs two round trips to the database. */
  async tick(): Promise<TickCounts> {
    const { ownership, counters, clock } = this.#options;
    if (!this.#resumed) await this.#resume();
    const interrupted = ownership.progress.current;
    const start = interrupted ? undefined : await this.#begin();
    const target = interrupted ?? start!.snapshot;
    const counts = target.text === ownership.progress.previous.text ? { rows: 0, pages: 0 } : await this.#publish(target, start?.mark);
    if (counts.pages === 0 && this.#persistIsDue(0)) await this.#persist();
    counters.ticks++;
    const finished = ownership.progress.current === null; // a stop leaves a tick of several pages unfinished
    if (start && finished) this.watermarks.afterTick(start.asOf, counts.rows > 0, clock.monotonic());
    return counts;
  }

  /** Here, where heartbeats go on beside it: the end of a large log takes longer to read than an owner may be silent. */
  async #resume(): Promise<void> {
    await afterFailover(this.#options);
    await this.#held.resume();
    this.#resumed = true;
  }

  async close(): Promise<void> {
    await this.#held.close();
    await this.watermarks.close();
    await this.lanes.close();
  }

  async #begin(): Promise<TickStart> {
    const { turns, progress } = this.#options.ownership;
    const { rows } = await turns.take((session) => session.query<{ snapshot: string; asOf: number; mark: number }>(TAKE_SNAPSHOT, [], 'factline.relay_snapshot'));
    const { snapshot: text, asOf, mark } = rows[0]!;
    const snapshot = parseSnapshot(text);
    if (follows(snapshot, progress.previous)) return { snapshot, asOf, mark };
    throw new FactlineError({
      code: 'relay.snapshot-went-back',
      kind: 'integrity',
      message: 'The newest snapshot is older than the stored one.',
      advice: 'Transaction ids never go back in one cluster: look whether this database was restored.',
    });
  }

  /** Reads one page ahead of the sends and keeps two pages on their way; what is stored is always acknowledged for all partitions. */
  async #publish(target: Snapshot, mark: number | undefined): Promise<TickCounts> {
    const { ownership, abort } = this.#options;
    const { previous, current, pageId } = ownership.progress;
    const sent: SentPage[] = [];
    const counts = { rows: 0, pages: 0 };
    let reading = this.#read(current ? nextPage(previous, target, pageId, this.#pageRows) : firstPage(previous, target, this.#pageRows), this.#pageRows);
    for (let ended = false; !ended; ) {
      const { page, full } = await reading;
      const stopped = full && abort.aborted;
      ended = !full || stopped;
      if (!ended) reading = this.#readAhead(previous, target, page.rows.at(-1)!.id);
      await this.#observe('tick-read', page.rows);
      sent.push(await this.#send(page));
      counts.rows += page.rows.length;
      counts.pages++;
      while (sent.length > (ended ? 0 : PAGES_IN_FLIGHT - 1)) {
        await this.#acknowledge(sent.shift()!, previous, target);
        if (full || sent.length > 0) await this.#persist(); // else the whole tick is, and is stored as that
      }
      if (stopped) return counts; // the next owner goes on behind the last page
    }
    ownership.advance({ previous: target, current: null, pageId: mark ?? ownership.progress.pageId }, 0);
    if (counts.pages > 1 || this.#persistIsDue(counts.rows)) await this.#persist();
    return counts;
  }

  async #send({ rows }: Page): Promise<SentPage> {
    await this.lanes.prepare(rows);
    this.#options.ownership.assertHeld();
    const acknowledged = sendTraced(this.#options.tracing, rows, () => this.lanes.send(rows));
    acknowledged.catch(() => undefined); // awaited in #acknowledge, perhaps after another page was read
    return { rows, acknowledged };
  }

  async #acknowledge({ rows, acknowledged }: SentPage, previous: Snapshot, target: Snapshot): Promise<void> {
    const held = await acknowledged;
    if (rows.length === 0) return;
    const { ownership, counters } = this.#options;
    const published = rows.length - held.length;
    counters.publishedTotal += published;
    ownership.advance({ previous, current: target, pageId: rows.at(-1)!.id }, published, held);
    await this.#observe('page-sent', rows);
  }

  /**
   * Small ticks are stored together, 20 times a second at most: each storing is a row version that a long transaction keeps alive, and a transaction id.
   * An empty tick after facts stores at once what is due; empty ticks alone are stored by the heartbeat.
   */
  #persistIsDue(rows: number): boolean {
    this.#unstoredRows += rows;
    if (this.#options.ownership.hasHeld) return true;
    return this.#unstoredRows > 0 && this.#options.clock.monotonic() - this.#persistedAt >= PROGRESS_INTERVAL_MS;
  }

  /** Stores what is acknowledged. */
  async #persist(): Promise<void> {
    const { ownership, counters, clock } = this.#options;
    this.#unstoredRows = 0;
    this.#persistedAt = clock.monotonic();
    await ownership.persist();
    counters.lastProgressAt = clock.now();
    await this.#options.observe({ name: 'progress-stored', epoch: ownership.epoch });
  }

  #readAhead(previous: Snapshot, target: Snapshot, after: number): Promise<{ page: Page; full: boolean }> {
    const reading = this.#read(nextPage(previous, target, after, this.#pageRows), this.#pageRows);
    reading.catch(() => undefined); // awaited by the loop, unless a send failed first
    return reading;
  }

  /** Large facts make the next page shorter, so that little is read twice. */
  async #read(statement: string, limit: number): Promise<{ page: Page; full: boolean }> {
    const page = await this.#options.ownership.turns.take((session) => readPage(session.copyOut(statement), PAGE_BYTES));
    const average = page.bytes / Math.max(1, page.rows.length);
    this.#pageRows = Math.max(1, Math.min(this.#options.pageRows, Math.floor(PAGE_BYTES / average)));
    return { page, full: !page.complete || page.rows.length === limit };
  }

  async #observe(name: 'tick-read' | 'page-sent', rows: Page['rows']): Promise<void> {
    await this.#options.observe({ name, epoch: this.#options.ownership.epoch, rows: rows.length, lastId: rows.at(-1)?.id ?? 0 });
  }
}
