import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor, UseInterceptors, applyDecorators, mixin } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import { readToken } from 'factline/outbox';
import type { Observable } from 'rxjs';
import { READ_WAIT_MAX_MS, READ_WAIT_MS, TOKEN_CHARACTERS } from '../limits.js';
import { ReadModels } from '../module/read-models.js';
import type { HttpRequest, HttpResponse } from './exchange.js';
import { badHeader, header } from './request-context.js';

type Freshness = Awaited<ReturnType<ReadModels['freshness']>>;

/** The caller's own write that must be visible: header `Factline-Token`, or query `after`. @throws FactlineError `token.invalid`, `request.header` */
export function tokenOf(request: HttpRequest): ReturnType<typeof readToken> | undefined {
  const text = header(request, 'factline-token') ?? request.query?.['after'];
  if (text === undefined) return undefined;
  if (typeof text !== 'string' || text.length > TOKEN_CHARACTERS) throw badHeader('Factline-Token', 'one token, as answered to the write');
  return readToken(text);
}

/** `Prefer: wait=5` (RFC 7240) in milliseconds, 10 s at most; preferences that make no sense are ignored, as the RFC says. */
export function waitOf(request: HttpRequest): number {
  const seconds = /(?:^|[,;\s])wait=(\d{1,6})(?:$|[,;\s])/.exec(header(request, 'prefer') ?? '')?.[1];
  return seconds === undefined ? READ_WAIT_MS : Math.min(Number(seconds) * 1_000, READ_WAIT_MAX_MS);
}

/**
 * Marks a controller or method that answers from a read model. The caller's own write is waited for (2 s, or `Prefer: wait=N`, or 503 `read.not-yet`), and the
 * answer carries `Factline-As-Of`: nothing committed by the producers up to then is missing; `unknown` while that is not known. While some keys are blocked it stands still,
 * and `Factline-Blocked-Keys` says how many: of all other keys the answer is newer.
 * An answer that is joined from several read models is as of the oldest of them, and waits in those that read the topic of the write.
 */
export function ReadsFrom(...names: readonly [string, ...string[]]): ClassDecorator & MethodDecorator {
  return applyDecorators(
    UseInterceptors(readingFrom(names)),
    ApiHeader({ name: 'Factline-Token', required: false, description: 'Token of a write: the answer then contains it.' }),
    ApiHeader({ name: 'Prefer', required: false, description: '`wait=N`: seconds to wait for that write, 10 at most; 2 by default.' }),
  ) as ClassDecorator & MethodDecorator;
}

function readingFrom(names: readonly string[]) {
  @Injectable()
  class Reading implements NestInterceptor {
    constructor(private readonly models: ReadModels) {}

    async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
      const http = context.switchToHttp();
      const request = http.getRequest<HttpRequest>();
      const token = tokenOf(request);
      if (token) await Promise.all(names.map((name) => this.models.waitFor(name, token, waitOf(request))));
      // Taken before the rows are read: the answer may be newer than it says, never older.
      const { asOf, blockedKeys } = oldestOf(await Promise.all(names.map((name) => this.models.freshness(name))));
      const response = http.getResponse<HttpResponse>();
      response.setHeader('Factline-As-Of', asOf?.toISOString() ?? 'unknown');
      if (blockedKeys > 0) response.setHeader('Factline-Blocked-Keys', String(blockedKeys));
      return next.handle();
    }
  }
  return mixin(Reading);
}

/** Of several read models together: nothing is missing that is in all of them; unknown while it is unknown of one. */
export function oldestOf(models: readonly Freshness[]): Freshness {
  const known = models.flatMap(({ asOf }) => asOf ?? []);
  const asOf = known.length === models.length ? new Date(Math.min(...known.map(Number))) : null;
  return { asOf, blockedKeys: models.reduce((sum, { blockedKeys }) => sum + blockedKeys, 0) };
}
