import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { JobWatch, Jobs, type JobStatus, isFinal } from 'factline/commands';
import { type DocumentState, stateOf, unknown } from './document-state.js';
import { DocumentsRepository } from './documents.repository.js';

/** How documents go, from stage to stage: each is a job, and whose turn it is stands with the document. */
@Injectable()
export class DocumentWatch implements BeforeApplicationShutdown {
  readonly #watch: JobWatch;

  constructor(
    private readonly documents: DocumentsRepository,
    private readonly jobs: Jobs,
  ) {
    this.#watch = new JobWatch(jobs);
  }

  /** Before the server waits for open answers to end. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.#watch.close();
  }

  /** @throws Refusal `document.unknown` (not-found). */
  async state(id: string): Promise<DocumentState> {
    return (await this.#now(id)).state;
  }

  /**
   * Tells the state now and whenever it changes, until it is indexed, has failed, is stuck for good or cancelled, `stop` fires or the service stops. What waits behind a dead letter is
   * followed on.
   * @throws Refusal `document.unknown`; FactlineError `job.watchers` (unavailable) beyond 1,000 watchers.
   */
  async follow(id: string, stop: AbortSignal, tell: (state: DocumentState) => void): Promise<void> {
    while (!stop.aborted) {
      const { row, job, state } = await this.#now(id);
      if (!job || isFinal(job)) return tell(state);
      let last: JobStatus = job;
      await this.#watch.follow(job.id, stop, (status) => {
        last = status;
        if (status.state !== 'done') tell(stateOf(row, status));
      });
      if (last.state !== 'done') return;
    }
  }

  /** A job that is done belongs to a stage that has passed since the row was read: as often as there are stages. */
  async #now(id: string) {
    for (;;) {
      const row = await this.documents.find(id);
      if (!row) throw unknown(id);
      if (row.stage === 'INDEXED' || row.stage === 'FAILED') return { row, job: undefined, state: stateOf(row, undefined) };
      const [job] = await this.jobs.statuses([row.job]);
      if (job?.state !== 'done') return { row, job, state: stateOf(row, job) };
    }
  }
}
