import { type Executor, identifier, tableExists } from 'factline/store';
import { MEASURE_INTERVAL_MS, POSITION_JOBS, PUT_OFF_WINDOW_MS, RATE_WINDOW_MS } from './limits.js';
import { subscriptionOf } from './subscription-name.js';

/** Jobs a second that a queue did lately; since the first of them, so that a queue that has just begun is not taken for slow. */
const RATE = `select count(*)::float8 / greatest(1, extract(epoch from clock_timestamp() - min(closed_at))) as rate, count(*)::integer as jobs
  from factline.job where queue = $1 and state = 'done' and closed_at > clock_timestamp() - $2 * interval '1 millisecond'`;
const WAITING = `select count(*)::integer as jobs from (select from factline.waiting_command where topic = $1 and not_before <= factline.command_now() + $2 * interval '1 millisecond' limit ${POSITION_JOBS}) as soon`;

interface Measured<Value> {
  at: number;
  value: Value;
  measuring: boolean;
}

/** What waits in a queue: counted up to 10,000 and the limit that is asked about. */
export interface Depth {
  /** Queued and not stuck behind a failure. */
  readonly open: number;
  /** Of what waits for its time: due within the hour. */
  readonly soon: number;
}

/** What is measured of queues, remembered for a second, however many ask; on the connection of whoever asks, so that a sender never waits for a second one. */
export class QueueMeasures {
  readonly #rates = new Map<string, Measured<number | undefined>>();
  readonly #depths = new Map<string, Measured<Depth>>();
  readonly #handled = new Set<string>();

  /** undefined: nothing was done within the last minute. */
  rate(db: Executor, queue: string): Promise<number | undefined> {
    return remembered(this.#rates, queue, async () => {
      const { rows } = await db.query<{ rate: number | null; jobs: number }>(RATE, [queue, RATE_WINDOW_MS]);
      return rows[0]!.jobs > 0 ? Number(rows[0]!.rate) : undefined;
    });
  }

  depth(db: Executor, queue: string, limit: number): Promise<Depth> {
    return remembered(this.#depths, queue, async () => {
      const { rows: open } = await db.query<{ jobs: number }>(`select count(*)::integer as jobs from (select from factline.job j where queue = $1 and state = 'queued' ${await this.notStuck(db, queue)} limit ${Math.max(POSITION_JOBS, limit + 1)}) as open`, [queue]);
      const { rows: soon } = await db.query<{ jobs: number }>(WAITING, [queue, PUT_OFF_WINDOW_MS]);
      return { open: open[0]!.jobs, soon: soon[0]!.jobs };
    });
  }

  /** The table of dead letters of a queue, once somebody has handled it. */
  async lettersOf(db: Executor, queue: string): Promise<string | undefined> {
    const table = `${identifier(subscriptionOf(queue))}.dead_letter`;
    if (this.#handled.has(table)) return table;
    if (!(await tableExists(db, table))) return undefined;
    this.#handled.add(table);
    return table;
  }

  /** A condition on `factline.job j`: jobs that nobody will handle before they are repaired are before nobody. */
  async notStuck(db: Executor, queue: string): Promise<string> {
    const table = await this.lettersOf(db, queue);
    return table === undefined ? '' : `and not exists (select from ${table} d where d.fact_id = uuid_send(j.id))`;
  }
}

/** Whoever finds it old measures; meanwhile the others take the old one. */
async function remembered<Value>(known: Map<string, Measured<Value>>, queue: string, measure: () => Promise<Value>): Promise<Value> {
  const before = known.get(queue);
  if (before && (before.measuring || performance.now() - before.at < MEASURE_INTERVAL_MS)) return before.value;
  if (before) before.measuring = true;
  try {
    const value = await measure();
    known.set(queue, { at: performance.now(), value, measuring: false });
    return value;
  } finally {
    if (before) before.measuring = false;
  }
}
