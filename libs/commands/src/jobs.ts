import type { Store } from 'factline/store';
import { cancelJob, unknown } from './cancel.js';
import type { JobProblem, JobStatus } from './job-status.js';
import { POSITION_JOBS } from './limits.js';
import { QueueMeasures } from './measured.js';
import { subscriptionOf } from './subscription-name.js';
import { wireKey } from './wire-key.js';

interface JobRow {
  id: string;
  queue: string;
  key: string;
  command: string;
  sender: string;
  state: 'queued' | 'waiting' | 'sent' | 'done' | 'failed' | 'cancelled';
  not_before: Date | null;
  due_in: number | null;
  sent_at: Date;
  closed_at: Date | null;
  result: unknown;
  share: number | null;
  text: string | null;
}

interface Letter {
  code: string | null;
  reason: string | null;
}

export interface QueueStatus {
  readonly queue: string;
  /** Not done, and not stuck. */
  readonly queued: number;
  /** For their time. */
  readonly waiting: number;
  readonly failed: number;
  /** Behind failed ones of their keys. */
  readonly blocked: number;
  /** Within the last minute. */
  readonly ratePerSecond: number;
  /** How long the oldest queued job has waited, stuck ones included. */
  readonly oldestWaitMs: number;
}

/** What is known of the queued ones among the jobs that were asked for. */
interface Queued {
  readonly idle: ReadonlySet<string>;
  readonly letters: ReadonlyMap<string, Letter>;
  readonly positions: ReadonlyMap<string, number>;
  readonly rates: ReadonlyMap<string, number | undefined>;
}

const SELECT = `select j.id, queue, key, command, sender, state, not_before, case when state = 'waiting' then greatest(0, extract(epoch from not_before - factline.command_now()) * 1000)::float8 end as due_in, sent_at, closed_at, result, share, text
  from factline.job j left join factline.job_progress p on p.id = j.id where j.id = any($1::uuid[])`;
const QUEUES = `select queue, (select count(*)::integer from (select from factline.waiting_command where topic = queue limit ${POSITION_JOBS}) as w) as waiting,
    (select extract(epoch from clock_timestamp() - coalesce(not_before, sent_at))::float8 * 1000 from factline.job o where o.queue = known.queue and o.state = 'queued' order by id limit 1) as oldest
  from (select distinct queue from factline.job where state in ('queued', 'waiting') or closed_at > clock_timestamp() - interval '10 minutes') as known`;
/** A job that runs is locked by the transaction that will make it done; nobody else holds one for longer than a statement. */
const IDLE = `select id from factline.job where id = any($1::uuid[]) and state = 'queued' for share skip locked`;

/** An operator decided it: `factline dead-letters purge`. */
const GIVEN_UP: JobProblem = { code: 'job.given-up', message: 'It failed, and was given up.', advice: 'Ask for it anew, if it is still wanted.', repair: '' };

/** The jobs of an app, as their users see them; reads the database alone, so any process may answer. */
export class Jobs {
  readonly #measures = new QueueMeasures();

  constructor(
    private readonly store: Store,
    /** Named in the command that repairs. */
    private readonly app: string = '<app>',
  ) {}

  /** @throws FactlineError `job.unknown` (not-found). */
  async status(id: string): Promise<JobStatus> {
    const [found] = await this.statuses([id]);
    if (found) return found;
    throw unknown(id);
  }

  /** Those of the given ids that there are. */
  async statuses(ids: readonly string[]): Promise<JobStatus[]> {
    const { rows } = await this.store.query<JobRow>(SELECT, [ids]);
    const queued = await this.#queued(rows.filter(({ state }) => state === 'queued'));
    return rows.map((row) => this.#statusOf(row, queued));
  }

  /**
   * Takes a job back that has not begun. One whose time has not come is never sent; one that failed, or waits behind a failed one, is left out when its key is requeued.
   * @throws FactlineError `job.unknown` (not-found); `job.running`, `job.finished`, `job.elsewhere` (conflict).
   */
  async cancel(id: string): Promise<void> {
    await this.store.transaction((tx) => cancelJob(tx, id));
  }

  /** What waits in each queue that has jobs, for metrics; counted up to 10,000 each. */
  async queues(): Promise<QueueStatus[]> {
    const { rows } = await this.store.query<{ queue: string; waiting: number; oldest: number | null }>(QUEUES);
    return Promise.all(
      rows.map(async ({ queue, waiting, oldest }) => {
        const { open } = await this.#measures.depth(this.store, queue, 0);
        const table = await this.#measures.lettersOf(this.store, queue);
        const stuck = table === undefined ? undefined : (await this.store.query<{ failed: number; blocked: number }>(`select count(code)::integer as failed, (count(*) - count(code))::integer as blocked from ${table}`)).rows[0];
        return { queue, queued: open, waiting, failed: stuck?.failed ?? 0, blocked: stuck?.blocked ?? 0, ratePerSecond: (await this.#measures.rate(this.store, queue)) ?? 0, oldestWaitMs: oldest ?? 0 };
      }),
    );
  }

  async #queued(rows: readonly JobRow[]): Promise<Queued> {
    const empty: Queued = { idle: new Set(), letters: new Map(), positions: new Map(), rates: new Map() };
    if (rows.length === 0) return empty;
    const ids = rows.map(({ id }) => id);
    const { rows: idle } = await this.store.query<{ id: string }>(IDLE, [ids]);
    const letters = new Map<string, Letter>();
    const positions = new Map<string, number>();
    const rates = new Map<string, number | undefined>();
    for (const queue of new Set(rows.map((row) => row.queue))) {
      const table = await this.#measures.lettersOf(this.store, queue);
      if (table !== undefined) for (const { id, ...letter } of await this.#letters(table, ids)) letters.set(id, letter);
      for (const { id, position } of await this.#positions(queue, ids)) positions.set(id, position);
      rates.set(queue, await this.#measures.rate(this.store, queue));
    }
    return { idle: new Set(idle.map(({ id }) => id)), letters, positions, rates };
  }

  async #letters(table: string, ids: readonly string[]): Promise<(Letter & { id: string })[]> {
    const { rows } = await this.store.query<Letter & { id: string }>(`select encode(fact_id, 'hex')::uuid::text as id, code, reason from ${table} where fact_id = any(select uuid_send(unnest($1::uuid[])))`, [ids]);
    return rows;
  }

  async #positions(queue: string, ids: readonly string[]): Promise<{ id: string; position: number }[]> {
    const { rows } = await this.store.query<{ id: string; position: number }>(
      `select id, position::integer - 1 as position from (select id, row_number() over (order by id) as position from (select id from factline.job j where queue = $1 and state = 'queued' ${await this.#measures.notStuck(this.store, queue)} order by id limit ${POSITION_JOBS}) as open) as placed
       where id = any($2::uuid[])`,
      [queue, ids],
    );
    return rows;
  }

  #statusOf(row: JobRow, { idle, letters, positions, rates }: Queued): JobStatus {
    const letter = letters.get(row.id);
    const state = row.state !== 'queued' ? row.state : letter ? (letter.code === null ? 'blocked' : 'failed') : idle.has(row.id) ? 'queued' : 'running';
    const position = state === 'queued' ? (positions.get(row.id) ?? null) : null;
    const rate = rates.get(row.queue);
    return {
      id: row.id, queue: row.queue, key: row.key, command: row.command, state,
      sentAt: row.sent_at, notBefore: row.not_before, finishedAt: row.state === 'queued' || row.state === 'sent' ? null : row.closed_at,
      position,
      expectedWaitMs: row.due_in !== null ? Math.round(row.due_in) : position === null || rate === undefined ? null : Math.round((position / rate) * 1_000),
      progress: row.share === null || row.state !== 'queued' ? null : { share: row.share, text: row.text },
      result: row.result ?? null,
      problem: letter ? this.#problem(row, letter) : row.state === 'failed' ? GIVEN_UP : null,
    };
  }

  #problem({ queue, key, sender }: JobRow, { code, reason }: Letter): JobProblem {
    const repair = `factline dead-letters requeue ${subscriptionOf(queue)} --app ${this.app} --key '${wireKey(sender, key)}'`;
    if (code === null) return { code: 'job.blocked', message: 'A job of the same key before it failed.', advice: 'It goes on by itself when that one is repaired.', repair };
    return { code, message: reason ?? '', advice: 'Correct what it says, then requeue the key; or give it up.', repair };
  }
}
