import type { Store } from 'factline/store';
import { MEASURE_INTERVAL_MS, RATE_WINDOW_MS } from './limits.js';

/** Jobs a second that a queue did lately; undefined: none within the last minute. Since the first of them, so that a queue that has just begun is not taken for slow. */
const RATE = `select count(*)::float8 / greatest(1, extract(epoch from clock_timestamp() - min(closed_at))) as rate, count(*)::integer as jobs
  from factline.job where queue = $1 and state = 'done' and closed_at > clock_timestamp() - $2 * interval '1 millisecond'`;

/** What is measured of a queue, remembered for a second: any number of people may ask. */
export class QueueMeasures {
  readonly #rates = new Map<string, { at: number; rate: Promise<number | undefined> }>();

  constructor(private readonly store: Store) {}

  rate(queue: string): Promise<number | undefined> {
    const known = this.#rates.get(queue);
    if (known && performance.now() - known.at < MEASURE_INTERVAL_MS) return known.rate;
    const rate = this.#measureRate(queue);
    this.#rates.set(queue, { at: performance.now(), rate });
    rate.catch(() => this.#rates.delete(queue)); // the next one asks again
    return rate;
  }

  async #measureRate(queue: string): Promise<number | undefined> {
    const { rows } = await this.store.query<{ rate: number | null; jobs: number }>(RATE, [queue, RATE_WINDOW_MS]);
    return rows[0]!.jobs > 0 ? Number(rows[0]!.rate) : undefined;
  }
}
