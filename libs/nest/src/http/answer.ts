import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { type Observable, map } from 'rxjs';
import type { HttpResponse } from './exchange.js';
import { etagOf } from './request-context.js';

/** What a write answers: plain data, so that it can be stored with an idempotency key and given again. */
export interface Answer<Body = unknown> {
  readonly status: number;
  readonly body: Body;
  readonly headers: Readonly<Record<string, string>>;
}

export interface AnswerParts {
  /** Default 200. */
  status?: number;
  location?: string;
  version?: number;
  /** `Stated.token`: whoever sends it with a read sees this write. */
  token?: string;
}

class PlainAnswer<Body> implements Answer<Body> {
  constructor(
    readonly status: number,
    readonly body: Body,
    readonly headers: Readonly<Record<string, string>>,
  ) {}
}

/** An answer with its headers: Location, ETag, Factline-Token. */
export function answer<Body>(body: Body, { status = 200, location, version, token }: AnswerParts = {}): Answer<Body> {
  return answerOf({
    status,
    body,
    headers: {
      ...(location !== undefined && { Location: location }),
      ...(version !== undefined && { ETag: etagOf(version) }),
      ...(token !== undefined && { 'Factline-Token': token }),
    },
  });
}

/** An answer read back from where it was stored. */
export function answerOf<Body>({ status, body, headers }: Answer<Body>): Answer<Body> {
  return new PlainAnswer(status, body, headers);
}

/** Writes answers out: status, headers, body. Whatever else a controller returns passes. */
@Injectable()
export class AnswerInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const response = context.switchToHttp().getResponse<HttpResponse>();
    return next.handle().pipe(
      map((value: unknown) => {
        if (!(value instanceof PlainAnswer)) return value;
        response.status(value.status);
        for (const [name, text] of Object.entries(value.headers)) response.setHeader(name, text);
        return value.body;
      }),
    );
  }
}
