import { FactlineError } from 'factline/kernel';
import type { HttpRequest, HttpResponse, Next } from './exchange.js';
import { contextOf, header } from './request-context.js';

/** First of all handlers: the correlation id is answered with everything, errors included. */
export function correlate(request: HttpRequest, response: HttpResponse, next: Next): void {
  response.setHeader('x-correlation-id', contextOf(request).correlationId);
  next();
}

/** A body in another form than JSON is refused (415), instead of being taken for an empty one. */
export function requireJson(request: HttpRequest, _response: HttpResponse, next: Next): void {
  const hasBody = request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
  const mediaType = header(request, 'content-type')?.split(';')[0]?.trim().toLowerCase();
  if (!hasBody || mediaType === 'application/json') return next();
  next(
    new FactlineError({
      code: 'request.media-type',
      kind: 'invalid',
      message: 'The body is not application/json.',
      advice: 'Send JSON in UTF-8 with Content-Type: application/json.',
    }),
  );
}
