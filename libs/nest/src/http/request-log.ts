import { performance } from 'node:perf_hooks';
import type { Logger } from 'factline/kernel';
import type { Metrics } from '../health/metrics.js';
import { type HttpRequest, type HttpResponse, type Next, routeOf } from './exchange.js';
import { contextOf } from './request-context.js';

/** One line and one measurement per request: pattern, status, time; never an address, a body or a name. Probes are measured and not logged. */
export function requestLog(log: Logger, metrics: Metrics) {
  return (request: HttpRequest, response: HttpResponse, next: Next): void => {
    const begun = performance.now();
    response.once('close', () => {
      const ms = Math.round((performance.now() - begun) * 10) / 10;
      const route = routeOf(request);
      const status = response.writableFinished ? response.statusCode : 499; // the client went away
      metrics.request(request.method ?? '', route, status, ms);
      const fields = { method: request.method, route, status, ms, correlationId: contextOf(request).correlationId };
      log[route.startsWith('/health') || route === '/metrics' ? 'debug' : 'info'](fields, 'request');
    });
    next();
  };
}
