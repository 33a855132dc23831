import type { FactSubscription } from 'factline/consumer';
import { type Clock, FactlineError, pause, systemClock } from 'factline/kernel';
import { partitionOf } from 'factline/log';
import type { ReadToken } from 'factline/outbox';
import type { Store } from 'factline/store';
import type { LiveProjection } from './live.js';
import type { Projection } from './projection.js';
import { AS_OF_CACHE_MS, AWAIT_POLL_MS, READ_RETRY_AFTER_MS } from './limits.js';
import { Tables } from './tables.js';

/** How readers ask a projection's tables about time: how old an answer may be, and whether one's own write is in it. */
export class ReadModel {
  readonly #tables: Tables;
  #known: { asOf: Date | null; blockedKeys: number; readAtMs: number } | undefined;

  constructor(
    readonly projection: Projection,
    private readonly store: Store,
    private readonly clock: Clock = systemClock,
    private readonly local?: { live: LiveProjection; subscription: FactSubscription; partitions: (topic: string) => number | undefined },
  ) {
    this.#tables = new Tables(projection, projection.name);
  }

  /**
   * The time as of which nothing committed by the producers is missing here; null while that is unknown. Read from the database, so it is the same in every
   * process and survives restarts and outages; at most 200 ms behind, as watermarks come once a second. While keys are blocked it stands where it stood when the first of
   * them was: every other key is newer.
   */
  async asOf(): Promise<Date | null> {
    return (await this.freshness()).asOf;
  }

  /** The same with the number of blocked keys, both of one moment at most 200 ms ago. */
  async freshness(): Promise<{ readonly asOf: Date | null; readonly blockedKeys: number }> {
    const nowMs = this.clock.monotonic();
    if (this.#known && nowMs - this.#known.readAtMs < AS_OF_CACHE_MS) return this.#known;
    const { rows } = await this.store.query<{ as_of: Date | null; keys: number }>(this.#tables.asOf);
    this.#known = { asOf: rows[0]!.as_of, blockedKeys: rows[0]!.keys, readAtMs: nowMs };
    return this.#known;
  }

  /**
   * Read-your-writes: resolves once the fact of the token is contained, or at once when this projection does not read its topic.
   * @throws FactlineError `read.not-yet` (unavailable, with retryAfterMs) at the deadline. Facts that never make a row are only known to the process that
   * reads their partition; elsewhere they end at the deadline.
   */
  async waitFor(token: ReadToken, timeoutMs: number): Promise<void> {
    if (!this.projection.topics.includes(token.topic)) return;
    const deadline = this.clock.monotonic() + timeoutMs;
    while (!(await this.#contains(token))) {
      const left = deadline - this.clock.monotonic();
      if (left <= 0) throw notYet(this.projection.name, timeoutMs);
      const wait = Math.min(AWAIT_POLL_MS, left);
      await (this.local ? this.local.subscription.applied(wait) : pause(wait));
    }
  }

  async #contains({ topic, key, sequence }: ReadToken): Promise<boolean> {
    const partitions = this.local?.partitions(topic);
    if (partitions && (this.local!.live.engine.peek(topic, partitionOf(Buffer.from(key), partitions), key)?.seen ?? 0) >= sequence) return true;
    const { rows } = await this.store.query<{ sequence: number | null }>(this.#tables.sequenceOf, [key]);
    return (rows[0]?.sequence ?? 0) >= sequence;
  }
}

function notYet(name: string, timeoutMs: number): FactlineError {
  return new FactlineError({
    code: 'read.not-yet',
    kind: 'unavailable',
    message: `The read model '${name}' does not contain your write yet, after waiting ${timeoutMs} ms.`,
    advice: 'Ask again with the same token, or without it to take what is there.',
    retryAfterMs: READ_RETRY_AFTER_MS,
  });
}
