import { EventEmitter } from 'node:events';
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AlwaysOffSampler, ParentBasedSampler, type Sampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace-node';
import { FactlineError } from 'factline/kernel';
import { factSpan } from 'factline/tracing';
import type { HttpRequest, HttpResponse } from './http/exchange.js';
import { serverSpan } from './http/server-span.js';
import { openTelemetry } from './open-telemetry.js';
import { type RecordedSpans, recordSpans } from './recorded-spans.spec.support.js';

const CLIENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const OTHER = '00-0af7651916cd43dd8448eb211c80319d-b7ad6b7169203332-01';
const tracing = openTelemetry();
const batch = factSpan({ operation: 'process', topic: 'hr.employee', partition: 0, offset: 4, facts: 2, group: 'payroll.payees', traces: [CLIENT, OTHER] });
let recorded: RecordedSpans | undefined;
const record = (sampler?: Sampler) => (recorded = recordSpans(sampler));

afterEach(async () => {
  await recorded?.stop();
  recorded = undefined;
});

/** A request through the middleware; answers what was the active trace inside. */
function request(path: string, headers: Record<string, string> = {}, status = 201, { route, answered = true }: { route?: unknown; answered?: boolean } = { route: '/employees/:id' }): string | undefined {
  const response = Object.assign(new EventEmitter(), { statusCode: status, writableFinished: answered });
  const asked = { method: 'POST', url: path, headers, route: { path: route } };
  let inside: string | undefined;
  serverSpan(asked as unknown as HttpRequest, response as unknown as HttpResponse, () => (inside = tracing.current()));
  response.emit('close');
  return inside;
}

it('records nothing, and does the work, while no SDK is registered', async () => {
  expect(tracing.records).toBe(false);
  expect(await tracing.span(batch, async (traceparent) => [traceparent, tracing.current()])).toEqual([undefined, undefined]);
  expect(request('/employees', { traceparent: CLIENT })).toBeUndefined();
});

it('finds an SDK that is registered after it was made, and records a batch as part of the first trace with links to all', async () => {
  const { ended } = record();
  expect(tracing.records).toBe(true);
  const inside = await tracing.span(batch, async (traceparent) => {
    expect(tracing.current()).toBe(traceparent); // what an app records inside belongs to it
    return traceparent;
  });
  const [span] = ended();
  expect(ended()).toHaveLength(1);
  expect(span).toMatchObject({ name: 'process hr.employee', kind: SpanKind.CONSUMER, attributes: batch.attributes, status: { code: SpanStatusCode.UNSET } });
  expect(span!.parentSpanContext?.spanId).toBe(CLIENT.split('-')[2]);
  expect(span!.links.map(({ context: { traceId, spanId } }) => `00-${traceId}-${spanId}-01`)).toEqual([CLIENT, OTHER]);
  expect(inside).toBe(`00-${CLIENT.split('-')[1]}-${span!.spanContext().spanId}-01`);
  expect(tracing.current()).toBeUndefined();
});

it('begins work before it returns, so that sends of one partition keep their order', async () => {
  record();
  const begun: number[] = [];
  const both = [1, 2].map((nth) => tracing.span(batch, async () => void begun.push(nth)));
  expect(begun).toEqual([1, 2]);
  await Promise.all(both);
});

it('says of a failure its code alone, and passes it on', async () => {
  const { ended } = record();
  const error = new FactlineError({ code: 'store.unavailable', kind: 'unavailable', message: 'Ada Lovelace could not be paid.' });
  await expect(tracing.span(batch, () => Promise.reject(error))).rejects.toBe(error);
  const synchronously = () => {
    throw error;
  };
  await expect(tracing.span(batch, synchronously)).rejects.toBe(error);
  for (const span of ended()) expect(span).toMatchObject({ status: { code: SpanStatusCode.ERROR, message: 'store.unavailable' }, attributes: { 'error.type': 'store.unavailable' }, events: [] });
  expect(ended()).toHaveLength(2);
});

it('hands nothing on when its own sampler says no', async () => {
  const { ended } = record(new AlwaysOffSampler());
  expect(await tracing.span(batch, async (traceparent) => traceparent)).toBeUndefined();
  expect(ended()).toEqual([]);
});

it('is not lost to a sampler that would take almost no new trace', async () => {
  const { ended } = record(new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0) }));
  await tracing.span(batch, async () => undefined);
  expect(ended()).toHaveLength(1);
  expect(request('/employees')).toBeUndefined(); // the control: a trace that begins here is not taken
  expect(ended()).toHaveLength(1);
});

it("a request has one span, which continues the client's trace and says route and status, never an address", () => {
  const { ended } = record();
  const inside = request('/employees/ada-1', { traceparent: CLIENT, 'x-correlation-id': 'c-1' }, 503);
  const [span] = ended();
  expect(span).toMatchObject({ name: 'POST /employees/:id', kind: SpanKind.SERVER, status: { code: SpanStatusCode.ERROR } });
  expect(span!.attributes).toEqual({ 'http.request.method': 'POST', 'http.route': '/employees/:id', 'http.response.status_code': 503, 'error.type': '503', 'factline.correlation_id': 'c-1' });
  expect(inside).toBe(`00-${CLIENT.split('-')[1]}-${span!.spanContext().spanId}-01`);
});

it('a request that nobody takes has no route, and one whose client went away no status', () => {
  const { ended } = record();
  request('/../etc/passwd', { 'x-correlation-id': 'c' }, 404, { route: undefined });
  request('/metrics-of-mine', { 'x-correlation-id': 'c' }, 200, { route: '/employees/:id', answered: false });
  expect(ended()).toMatchObject([{ name: 'POST', attributes: { 'http.response.status_code': 404 } }, { name: 'POST /employees/:id', attributes: { 'error.type': 'cancelled' } }]);
  expect(ended()[1]!.attributes).not.toHaveProperty('http.response.status_code');
});

it('a request whose client does not sample leaves nothing, nor does a probe, nor one that an instrumentation records already', () => {
  const { ended } = record();
  expect(request('/employees', { traceparent: `${CLIENT.slice(0, -2)}00` })).toBeUndefined();
  request('/health/ready');
  request('/metrics');
  expect(ended()).toEqual([]);
  trace.getTracer('app').startActiveSpan('POST', (instrumented) => {
    expect(request('/employees')).toContain(instrumented.spanContext().spanId);
    instrumented.end();
  });
  expect(ended().map(({ instrumentationScope: { name } }) => name)).toEqual(['app']);
});
