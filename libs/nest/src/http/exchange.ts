import type { IncomingMessage, ServerResponse } from 'node:http';

/** What this library uses of Express's request; its types are not a dependency. */
export interface HttpRequest extends IncomingMessage {
  originalUrl: string;
  route?: { path?: unknown };
  params?: Record<string, string>;
  query?: Record<string, unknown>;
  body?: unknown;
}

export interface HttpResponse extends ServerResponse {
  status(code: number): this;
  json(body: unknown): this;
  type(mediaType: string): this;
}

export type Next = (error?: unknown) => void;

/** The route of a request that no handler takes. */
export const UNMATCHED = 'unmatched';

/** The route's pattern, never its values: for logs, metrics and the scope of idempotency keys. */
export function routeOf(request: HttpRequest): string {
  const path = request.route?.path;
  return typeof path === 'string' ? path : UNMATCHED;
}
