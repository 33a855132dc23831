import { type Logger, detached, messageOf, pause } from 'factline/kernel';
import { type Store, identifier, tableExists } from 'factline/store';
import { JOBS_SWEEP_INTERVAL_MS, JOBS_SWEEP_ROWS } from './limits.js';
import { subscriptionOf } from './subscription-name.js';

const REMOVE = `with removed as (delete from factline.job where id in
    (select id from factline.job where queue = $1 and closed_at < clock_timestamp() - $2 * interval '1 millisecond' limit ${JOBS_SWEEP_ROWS} for update skip locked) returning id),
  reports as (delete from factline.job_progress where id in (select id from removed))
  select count(*)::integer as jobs from removed`;
const OLD_DUES = `delete from factline.command_due where sent_at < clock_timestamp() - $1 * interval '1 millisecond'`;

/** Removes jobs that have been finished for longer than they are kept, in small steps, and notes of those whose records were given up that nothing more will come of them. */
export class JobRetention {
  readonly #abort = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(
    private readonly store: Store,
    private readonly keepMs: number,
    private readonly log: Logger,
  ) {}

  start(): void {
    this.#loop ??= detached(() => this.#run())();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#loop;
  }

  async sweep(): Promise<void> {
    const { rows } = await this.store.query<{ queue: string }>('select distinct queue from factline.job');
    for (const { queue } of rows) {
      await this.#noteGivenUp(queue);
      for (let removed = JOBS_SWEEP_ROWS; removed === JOBS_SWEEP_ROWS && !this.#abort.signal.aborted; ) {
        removed = (await this.store.query<{ jobs: number }>(REMOVE, [queue, this.keepMs])).rows[0]!.jobs; // fewer: the rest is held by somebody, and left for the next sweep
      }
    }
    await this.store.query(OLD_DUES, [this.keepMs]);
  }

  /** The key has gone on behind the record, and neither was the job done nor does its record wait. One statement is one moment: the inbox moves in the commit that makes a job done. */
  async #noteGivenUp(queue: string): Promise<void> {
    const name = subscriptionOf(queue);
    if (!(await tableExists(this.store, `${identifier(name)}.inbox`))) return;
    await this.store.query(
      `update factline.job j set state = 'failed', closed_at = clock_timestamp() from ${identifier(name)}.inbox i
       where j.queue = $1 and j.state = 'queued' and i.topic = j.queue and i.key = (j.sender || '/' || j.key) collate "C" and i.sequence >= j.sequence
         and exists (select from factline.given_up_fact g where g.subscription = $2 and g.topic = i.topic collate "C" and g.key = i.key collate "C")
         and not exists (select from ${identifier(name)}.dead_letter d where d.fact_id = uuid_send(j.id))`,
      [queue, name],
    );
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        await this.sweep();
      } catch (error) {
        this.log.warn({ error: messageOf(error) }, 'finished jobs were not removed; trying again later');
      }
      await pause(JOBS_SWEEP_INTERVAL_MS, signal);
    }
  }
}
