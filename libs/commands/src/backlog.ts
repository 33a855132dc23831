import { FactlineError } from 'factline/kernel';
import type { Tx } from 'factline/store';
import { BACKLOG_RETRY_MAX_MS, BACKLOG_RETRY_MS } from './limits.js';
import { QueueMeasures } from './measured.js';

/** What a queue does when it is too long; declared where it is handled. */
export interface BacklogOptions {
  /** Unfinished jobs, not counting those that wait for a repair. */
  readonly limit: number;
  /** Past it: commands of low priority are refused, or all are; or all are taken, and put off until the queue is expected to have room. */
  readonly past: 'refuse-low-priority' | 'shed' | 'later';
}

interface Guarded {
  readonly backlog: BacklogOptions;
  /** Sent and put off by this process since the last measurement, which does not know of them. */
  sent: number;
  putOff: number;
  measured: object | undefined;
}

/** Holds senders to the declared limits of the queues of this app, by what was measured a second ago at most and what this process sent since. */
export class Backlogs {
  readonly #guarded = new Map<string, Guarded>();

  constructor(private readonly measures: QueueMeasures = new QueueMeasures()) {}

  guard(queue: string, backlog: BacklogOptions): void {
    this.#guarded.set(queue, { backlog, sent: 0, putOff: 0, measured: undefined });
  }

  /**
   * @returns how long the command is put off, milliseconds; undefined: not at all.
   * @throws FactlineError `command.backlog` (unavailable, with `retryAfterMs`): HTTP 503 with Retry-After.
   */
  async admit(tx: Tx, queue: string, low: boolean): Promise<number | undefined> {
    const guarded = this.#guarded.get(queue);
    if (!guarded) return undefined;
    const { limit, past } = guarded.backlog;
    const depth = await this.measures.depth(tx, queue, limit);
    if (depth !== guarded.measured) {
      guarded.measured = depth;
      guarded.sent = guarded.putOff = 0;
    }
    const open = depth.open + guarded.sent;
    if (open < limit || (past === 'refuse-low-priority' && !low)) {
      guarded.sent++;
      return undefined;
    }
    const rate = await this.measures.rate(tx, queue);
    if (past !== 'later') throw tooLong(queue, open, limit, waitFor(open - limit + 1, rate));
    return waitFor(open + depth.soon - limit + ++guarded.putOff, rate);
  }
}

function waitFor(jobs: number, rate: number | undefined): number {
  return rate === undefined ? BACKLOG_RETRY_MS : Math.max(BACKLOG_RETRY_MS, (jobs / rate) * 1_000);
}

function tooLong(queue: string, open: number, limit: number, waitMs: number): FactlineError {
  return new FactlineError({
    code: 'command.backlog',
    kind: 'unavailable',
    message: `The queue '${queue}' is too long: ${open} jobs wait, the limit is ${limit}.`,
    advice: 'Ask again later, or with a higher priority where that is taken.',
    retryAfterMs: Math.min(BACKLOG_RETRY_MAX_MS, Math.round(waitMs)),
    details: { queue, open, limit },
  });
}
