import { SpanKind, context, propagation, trace } from '@opentelemetry/api';
import { failed, tracer } from '../open-telemetry.js';
import { type HttpRequest, type HttpResponse, type Next, UNMATCHED, routeOf } from './exchange.js';
import { contextOf } from './request-context.js';

/** From this status on a request failed through us and not through its client. */
const SERVER_FAILED = 500;

/**
 * A span around each request, continuing the client's trace, unless an instrumentation of the app has made one already: what is stated and asked in the request belongs to it.
 * By the semantic conventions for HTTP; the address is left out, as in the request log, because ids in it may be personal. Probes have no span.
 */
export function serverSpan(request: HttpRequest, response: HttpResponse, next: Next): void {
  const recorder = tracer();
  if (!recorder || trace.getSpan(context.active()) || isProbe(request.url ?? '')) return next();
  const from = propagation.extract(context.active(), request.headers);
  const method = request.method ?? '';
  const attributes = { 'http.request.method': method, 'factline.correlation_id': contextOf(request).correlationId };
  const span = recorder.startSpan(method, { kind: SpanKind.SERVER, attributes }, from);
  response.once('close', () => {
    const { statusCode, writableFinished } = response;
    const route = routeOf(request);
    if (route !== UNMATCHED) span.updateName(`${method} ${route}`).setAttribute('http.route', route);
    if (writableFinished) span.setAttribute('http.response.status_code', statusCode);
    if (!writableFinished) failed(span, 'cancelled'); // the client went away
    else if (statusCode >= SERVER_FAILED) failed(span, String(statusCode));
    span.end();
  });
  context.with(trace.setSpan(from, span), next);
}

function isProbe(path: string): boolean {
  return /^\/(health|metrics)(?:[/?]|$)/.test(path);
}
