import { type Logger, messageOf } from 'factline/kernel';
import type { Store, Tx } from 'factline/store';
import { PROGRESS_CHARACTERS, PROGRESS_INTERVAL_MS } from './limits.js';

const WRITE = `insert into factline.job_progress (id, share, text) values ($1, $2, $3)
  on conflict (id) do update set share = excluded.share, text = excluded.text, reported_at = clock_timestamp()`;

/**
 * How far one run of a job is, for whoever waits for it. Written on a connection of its own, outside the handler's transaction, or nobody would see it before the end; at
 * most every half second, the newest report. A report that cannot be written is told to the log and costs the job nothing.
 */
export class ProgressReport {
  #next: { share: number; text: string | null } | undefined;
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #written = false;
  #ended = false;

  constructor(
    private readonly job: string,
    private readonly store: Store,
    private readonly log: Logger,
  ) {}

  report(share: number, text?: string): void {
    if (this.#ended) return;
    this.#next = { share: Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0)), text: text?.slice(0, PROGRESS_CHARACTERS).replaceAll('\0', '') ?? null };
    if (!this.#timer && !this.#writing) this.#write();
  }

  /** Nothing is written behind this. */
  async end(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#timer);
    await this.#writing;
  }

  /** Takes the report away with the commit that makes the job done. */
  async remove(tx: Tx): Promise<void> {
    if (this.#written) await tx.query('delete from factline.job_progress where id = $1', [this.job]);
  }

  #write(): void {
    const { share, text } = this.#next!;
    this.#next = undefined;
    this.#written = true;
    this.#writing = this.store.query(WRITE, [this.job, share, text]).then(
      () => undefined,
      (error: unknown) => this.log.warn({ job: this.job, error: messageOf(error) }, 'the progress of a job was not written'),
    ).finally(() => {
      this.#writing = undefined;
      if (!this.#ended) this.#timer = setTimeout(() => this.#again(), PROGRESS_INTERVAL_MS);
    });
  }

  #again(): void {
    this.#timer = undefined;
    if (this.#next) this.#write();
  }
}
