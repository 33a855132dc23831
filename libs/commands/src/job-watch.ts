import { FactlineError, pause } from 'factline/kernel';
import { type JobStatus, isFinal } from './job-status.js';
import type { Jobs } from './jobs.js';
import { BACKLOG_RETRY_MS, WATCHERS, WATCH_INTERVAL_MS } from './limits.js';

interface Watcher {
  readonly id: string;
  last: string;
  tell(status: JobStatus): void;
  end(): void;
  fail(error: unknown): void;
}

/** Tells any number of watchers, up to 1,000 of a process, how their jobs go, from one look every half second for all of them. */
export class JobWatch {
  readonly #watchers = new Set<Watcher>();
  #looking = false;
  #loop: Promise<void> = Promise.resolve();
  readonly #closed = new AbortController();

  constructor(private readonly jobs: Jobs) {}

  /**
   * Tells the state of a job now and whenever it changes, until it is final, `stop` fires or the watch is closed.
   * @throws FactlineError `job.unknown` (not-found); `job.watchers` (unavailable, with `retryAfterMs`).
   */
  async follow(id: string, stop: AbortSignal, tell: (status: JobStatus) => void): Promise<void> {
    if (this.#watchers.size >= WATCHERS) throw crowded();
    const first = await this.jobs.status(id);
    tell(first);
    if (isFinal(first) || stop.aborted || this.#closed.signal.aborted) return;
    let watcher: Watcher | undefined;
    const ended = new Promise<void>((end, fail) => {
      watcher = { id, last: JSON.stringify(first), tell, end, fail };
      this.#watchers.add(watcher);
      stop.addEventListener('abort', () => end(), { once: true });
    });
    this.#look();
    try {
      await ended;
    } finally {
      this.#watchers.delete(watcher!);
    }
  }

  /** Lets everybody go: the process stops. */
  async close(): Promise<void> {
    this.#closed.abort();
    for (const { end } of this.#watchers) end();
    await this.#loop;
  }

  #look(): void {
    if (this.#looking) return;
    this.#looking = true;
    this.#loop = this.#run();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closed;
    for (;;) {
      await pause(WATCH_INTERVAL_MS, signal);
      if (signal.aborted || this.#watchers.size === 0) {
        this.#looking = false;
        return;
      }
      const watchers = [...this.#watchers];
      try {
        const found = new Map((await this.jobs.statuses([...new Set(watchers.map(({ id }) => id))])).map((status) => [status.id, status]));
        for (const watcher of watchers) this.#update(watcher, found.get(watcher.id));
      } catch (error) {
        for (const { fail } of watchers) fail(error); // they ask again; a look that fails is no state of a job
      }
    }
  }

  #update(watcher: Watcher, status: JobStatus | undefined): void {
    if (!status) return watcher.end(); // retention took it, so it was finished
    const text = JSON.stringify(status);
    if (text !== watcher.last) watcher.tell(status);
    watcher.last = text;
    if (isFinal(status)) watcher.end();
  }
}

function crowded(): FactlineError {
  return new FactlineError({ code: 'job.watchers', kind: 'unavailable', message: `${WATCHERS} watch the jobs of this process already.`, advice: 'Ask for the state now and then instead: GET /jobs/<id>.', retryAfterMs: BACKLOG_RETRY_MS });
}
