import { Controller, Delete, Get, HttpCode, Param } from '@nestjs/common';
import { Jobs, type JobStatus } from 'factline/commands';
import { FactlineError } from 'factline/kernel';

/** What a failure says to users: of one that nobody foresaw only that there was one, for its text may say anything. */
const UNFORESEEN: ReadonlySet<string> = new Set(['reaction.failed']);

/**
 * The jobs of an app for their users: list it in `controllers`. `GET /jobs/:id`, `DELETE /jobs/:id`. Whoever knows an id may ask; guard it as the rest of your interface.
 */
@Controller('jobs')
export class JobsController {
  constructor(private readonly jobs: Jobs) {}

  @Get(':id')
  async status(@Param('id') id: string) {
    return shown(await this.jobs.status(checked(id)));
  }

  @Delete(':id')
  @HttpCode(204)
  async cancel(@Param('id') id: string): Promise<void> {
    await this.jobs.cancel(checked(id));
  }
}

function shown(status: JobStatus) {
  const { problem } = status;
  const hidden = problem !== null && (UNFORESEEN.has(problem.code) || problem.code.startsWith('store.'));
  return { ...status, problem: hidden ? { ...problem, message: 'Something went wrong on our side.' } : problem };
}

/** @throws FactlineError `job.id` (invalid) */
function checked(id: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) return id.toLowerCase();
  throw new FactlineError({ code: 'job.id', kind: 'invalid', message: 'The id of a job is a UUID.', advice: 'Take it from the answer to what began the job.' });
}
