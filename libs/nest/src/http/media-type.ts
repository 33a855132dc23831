import type { HttpRequest, HttpResponse, Next } from './exchange.js';
import { contextOf, header } from './request-context.js';

/** First of all handlers: the correlation id is answered with everything, errors included. */
export function correlate(request: HttpRequest, response: HttpResponse, next: Next): void {
  response.setHeader('x-correlation-id', contextOf(request).correlationId);
  next();
}

/** What Content-Type says, in lower case and without parameters; empty text without one. */
export function mediaTypeOf(request: HttpRequest): string {
  return header(request, 'content-type')?.split(';')[0]!.trim().toLowerCase() ?? '';
}
