import type { Server } from 'node:http';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from 'factline/kernel';
import helmet from 'helmet';
import type { Metrics } from '../health/metrics.js';
import { BODY_BYTES, CONNECTIONS, HEADERS_TIMEOUT_MS, KEEP_ALIVE_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from '../limits.js';
import { AnswerInterceptor } from './answer.js';
import { BodyGuard } from './body-guard.js';
import { correlate } from './media-type.js';
import { ProblemFilter } from './problem-filter.js';
import { answerProtocolErrors } from './protocol-errors.js';
import { requestLog } from './request-log.js';
import { serverSpan } from './server-span.js';
import { SoundTextPipe, strictValidation } from './validation.js';

/** What stands in front of every controller: correlation, logs, security headers, limits, strict validation, problem documents. */
export function shield(app: NestExpressApplication, log: Logger, metrics: Metrics): void {
  app.set('etag', false); // entity tags are versions here, not hashes of bodies
  app.use(correlate, serverSpan, requestLog(log, metrics));
  // HTTPS ends at a proxy in front, if anywhere: a page must not be told to load itself over HTTPS.
  app.use(helmet({ contentSecurityPolicy: { directives: { 'upgrade-insecure-requests': null } }, strictTransportSecurity: false }));
  app.useBodyParser('json', { limit: BODY_BYTES });
  app.useGlobalGuards(new BodyGuard());
  app.useGlobalPipes(new SoundTextPipe(), strictValidation());
  app.useGlobalFilters(new ProblemFilter(log));
  app.useGlobalInterceptors(new AnswerInterceptor());
  const server = app.getHttpServer() as Server;
  answerProtocolErrors(server);
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
  server.maxConnections = CONNECTIONS;
}
