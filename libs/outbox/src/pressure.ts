import { type Clock, FactlineError, type Logger, detached, messageOf, pause, silentLogger, systemClock } from 'factline/kernel';
import type { Executor } from 'factline/store';
import {
  FULL_RETRY_AFTER_MS,
  HARD_OLDEST_AGE_MS,
  HARD_PENDING_BYTES,
  HARD_PENDING_ROWS,
  PRESSURE_INTERVAL_MS,
  SOFT_OLDEST_AGE_MS,
  SOFT_PENDING_BYTES,
  SOFT_PENDING_ROWS,
} from './limits.js';

/** What is stated and not yet published, set aside or not, as last measured. Rows are counted by id, so rolled-back ones count too; bytes include indexes. */
export interface Backlog {
  rows: number;
  bytes: number;
  oldestAgeMs: number;
}

/** `ok`; `soft`: an alarm, facts are still taken; `hard`: `FactOutbox.add` refuses with `outbox.full`. */
export interface Pressure extends Backlog {
  state: 'ok' | 'soft' | 'hard';
  /** Share of the hard limit that is nearest; at 1 facts are refused. */
  fullness: number;
  /** One sentence per limit that is passed. */
  reasons: readonly string[];
}

export interface PressureLimits {
  soft: Backlog;
  hard: Backlog;
}

export const pressureLimits: PressureLimits = {
  soft: { rows: SOFT_PENDING_ROWS, bytes: SOFT_PENDING_BYTES, oldestAgeMs: SOFT_OLDEST_AGE_MS },
  hard: { rows: HARD_PENDING_ROWS, bytes: HARD_PENDING_BYTES, oldestAgeMs: HARD_OLDEST_AGE_MS },
};

const UNITS = { rows: 'facts', bytes: 'bytes', oldestAgeMs: 'ms of age' } as const;

export function judge(backlog: Backlog, limits: PressureLimits): Pressure {
  const passed = (limit: Backlog) => (Object.keys(UNITS) as (keyof Backlog)[]).filter((name) => backlog[name] >= limit[name]);
  const hard = passed(limits.hard);
  const soft = passed(limits.soft).filter((name) => !hard.includes(name));
  const say = (kind: keyof PressureLimits) => (name: keyof Backlog) => `${backlog[name]} ${UNITS[name]} wait, the ${kind} limit is ${limits[kind][name]}`;
  return {
    ...backlog,
    fullness: Math.max(...(Object.keys(UNITS) as (keyof Backlog)[]).map((name) => backlog[name] / limits.hard[name])),
    state: hard.length > 0 ? 'hard' : soft.length > 0 ? 'soft' : 'ok',
    reasons: [...hard.map(say('hard')), ...soft.map(say('soft'))],
  };
}

/** Counted, up to the limit: there are some only while a partition takes none. */
const HELD = `
select count(*)::float8 as "heldRows", (coalesce(sum(octet_length(value) + octet_length(key)), 0))::float8 as "heldBytes",
       coalesce(extract(epoch from clock_timestamp() - min(held_at)) * 1000, 0)::float8 as "heldAge"
  from (select value, key, held_at from factline.outbox_held limit ${HARD_PENDING_ROWS}) as held`;

/*
 * Ids behind the relay's position, instead of a count(*): O(1) at any backlog. Bytes are the share of the tables' size that these rows have, because delivered
 * rows stay until their slot is emptied.
 */
const MEASURE = `
select pending::float8 as rows,
       (pending * coalesce(size / nullif(last_id - first_id + 1, 0), 0))::float8 as bytes,
       coalesce((select extract(epoch from clock_timestamp() - created_at) * 1000 from factline.outbox where id > at.page_id order by id limit 1), 0)::float8 as age,
       (select slot from factline.slot), held.*
  from (${HELD}) as held, (select last_id, page_id, greatest(last_id - page_id, 0) as pending,
               (select min(id) from factline.outbox) as first_id,
               (select sum(pg_total_relation_size(inhrelid)) from pg_inherits where inhparent = 'factline.outbox'::regclass) as size
          from factline.relay, (select coalesce(pg_sequence_last_value('factline.outbox_id'), 0) as last_id) as drawn) as at`;

interface Measured {
  rows: number;
  bytes: number;
  age: number;
  slot: number;
  heldRows: number;
  heldBytes: number;
  heldAge: number;
}

/** `slot` is the one that was written when this was measured. */
export async function measureBacklog(database: Executor): Promise<{ backlog: Backlog; slot: number }> {
  const { rows } = await database.query<Measured>(MEASURE, [], 'factline.backlog');
  const { rows: count, bytes, age, slot, heldRows, heldBytes, heldAge } = rows[0]!;
  return { backlog: { rows: count + heldRows, bytes: Math.round(bytes + heldBytes), oldestAgeMs: Math.max(0, Math.round(age), Math.round(heldAge)) }, slot };
}

export interface PressureGaugeOptions {
  measure(): Promise<Backlog>;
  limits?: PressureLimits;
  clock?: Clock;
  log?: Logger;
}

/**
 * Measures the backlog once a second, detached from any request. A measurement that fails changes nothing but the age, which goes on rising:
 * a database that does not answer refuses facts by itself.
 */
export class PressureGauge {
  readonly #options: Required<PressureGaugeOptions>;
  #backlog: Backlog = { rows: 0, bytes: 0, oldestAgeMs: 0 };
  #measuredAt: number;
  #hardFrom = Infinity;
  #stop = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(options: PressureGaugeOptions) {
    this.#options = { limits: pressureLimits, clock: systemClock, log: silentLogger, ...options };
    this.#measuredAt = this.#options.clock.monotonic();
  }

  get current(): Pressure {
    const { rows, bytes, oldestAgeMs } = this.#backlog;
    const since = oldestAgeMs > 0 ? Math.round(this.#options.clock.monotonic() - this.#measuredAt) : 0;
    return judge({ rows, bytes, oldestAgeMs: oldestAgeMs + since }, this.#options.limits);
  }

  /** Whether the state is hard: asked for with each fact, of which judging took 9 us. */
  get isHard(): boolean {
    return this.#hardFrom !== Infinity && this.#options.clock.monotonic() >= this.#hardFrom;
  }

  start(): void {
    this.#loop ??= detached(() => this.#run(this.#stop.signal))();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }

  async measure(): Promise<Pressure> {
    const before = this.current.state;
    this.#backlog = await this.#options.measure();
    this.#measuredAt = this.#options.clock.monotonic();
    this.#hardFrom = hardFrom(this.#backlog, this.#options.limits.hard, this.#measuredAt);
    const now = this.current;
    if (now.state !== before) this.#options.log[now.state === 'ok' ? 'info' : 'warn']({ ...now }, `the outbox went from ${before} to ${now.state}`);
    return now;
  }

  async #run(abort: AbortSignal): Promise<void> {
    while (!abort.aborted) {
      try {
        await this.measure();
      } catch (error) {
        this.#options.log.warn({ error: messageOf(error) }, 'the outbox could not be measured');
      }
      await pause(PRESSURE_INTERVAL_MS, abort);
    }
  }
}

/** When what waits will have passed a limit if nothing is published: at once, or by its age. */
function hardFrom({ rows, bytes, oldestAgeMs }: Backlog, hard: Backlog, measuredAt: number): number {
  if (rows >= hard.rows || bytes >= hard.bytes) return measuredAt;
  return oldestAgeMs > 0 ? measuredAt + hard.oldestAgeMs - oldestAgeMs : Infinity;
}

export function outboxFull(pressure: Pressure): FactlineError {
  return new FactlineError({
    code: 'outbox.full',
    kind: 'unavailable',
    message: `The outbox takes no more facts: ${pressure.reasons.join('; ')}.`,
    advice: 'Facts wait for Kafka: see `factline outbox doctor`. Try again later.',
    retryAfterMs: FULL_RETRY_AFTER_MS,
    details: { rows: pressure.rows, bytes: pressure.bytes, oldestAgeMs: pressure.oldestAgeMs },
  });
}
