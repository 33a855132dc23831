import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { FactlineError, type Logger, messageOf } from 'factline/kernel';
import type { HttpRequest, HttpResponse } from './exchange.js';
import { problemOf } from './problem.js';
import { contextOf } from './request-context.js';

/** Answers every error as a problem document; those that are our fault are logged with their cause. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const response = http.getResponse<HttpResponse>();
    const { correlationId } = contextOf(http.getRequest<HttpRequest>());
    const { problem, retryAfterSeconds } = problemOf(thrown, correlationId);
    if (problem.status >= 500) this.#tell(thrown, problem.status, correlationId);
    if (response.headersSent) {
      response.destroy(); // half an answer must not look like a whole one
      return;
    }
    if (retryAfterSeconds !== undefined) response.setHeader('Retry-After', String(retryAfterSeconds));
    response.status(problem.status).type('application/problem+json').json(problem);
  }

  #tell(thrown: unknown, status: number, correlationId: string): void {
    const fields = { correlationId, status, code: thrown instanceof FactlineError ? thrown.code : 'internal', error: messageOf(thrown) };
    if (fields.code === 'admission.shed') this.log.debug(fields, 'a request was shed'); // counted; nine of ten requests under overload are no news each
    else if (status === 503) this.log.warn(fields, 'a request was turned away');
    else this.log.error({ ...fields, stack: thrown instanceof Error ? thrown.stack : undefined }, 'a request failed');
  }
}
