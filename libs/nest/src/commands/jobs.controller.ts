import { type BeforeApplicationShutdown, Controller, Delete, Get, HttpCode, Param, Res } from '@nestjs/common';
import { ApiProduces } from '@nestjs/swagger';
import { JobWatch, Jobs, type JobStatus } from 'factline/commands';
import { FactlineError, isId } from 'factline/kernel';
import { EventStream } from '../http/event-stream.js';
import type { HttpResponse } from '../http/exchange.js';

/** What a failure says to users: of one that nobody foresaw only that there was one, for its text may say anything. */
const UNFORESEEN: ReadonlySet<string> = new Set(['reaction.failed']);

/**
 * The jobs of an app for their users: list it in `controllers`. `GET /jobs/:id`; `GET /jobs/:id/events`, server-sent events until its end; `DELETE /jobs/:id` takes it back. Whoever knows an id may ask; guard it as the rest of your interface.
 */
@Controller('jobs')
export class JobsController implements BeforeApplicationShutdown {
  readonly #watch: JobWatch;

  constructor(private readonly jobs: Jobs) {
    this.#watch = new JobWatch(jobs);
  }

  /** Before the server waits for open answers to end. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.#watch.close();
  }

  @Get(':id')
  async status(@Param('id') id: string) {
    return shownJob(await this.jobs.status(checked(id)));
  }

  /** Each event is the job as `GET /jobs/:id` answers it, when it changed; the last one is final, unless the service stops: then ask again. */
  @Get(':id/events')
  @ApiProduces('text/event-stream')
  async events(@Param('id') id: string, @Res() response: HttpResponse): Promise<void> {
    const events = new EventStream(response);
    await this.#watch.follow(checked(id), events.left, (status) => events.send(status.state, shownJob(status)));
    events.end();
  }

  @Delete(':id')
  @HttpCode(204)
  async cancel(@Param('id') id: string): Promise<void> {
    await this.jobs.cancel(checked(id));
  }
}

/** A job as its users may see it: of a failure that nobody foresaw, or of the database's, only that there was one. */
export function shownJob(status: JobStatus): JobStatus {
  const { problem } = status;
  const hidden = problem !== null && (UNFORESEEN.has(problem.code) || problem.code.startsWith('store.'));
  return { ...status, problem: hidden ? { ...problem, message: 'Something went wrong on our side.' } : problem };
}

/** @throws FactlineError `job.id` (invalid) */
function checked(id: string): string {
  if (isId(id)) return id.toLowerCase();
  throw new FactlineError({ code: 'job.id', kind: 'invalid', message: 'The id of a job is a UUID.', advice: 'Take it from the answer to what began the job.' });
}
