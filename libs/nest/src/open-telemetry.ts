import { ROOT_CONTEXT, type Span, type SpanContext, SpanKind, SpanStatusCode, TraceFlags, type Tracer, type TracerProvider, context, isSpanContextValid, trace } from '@opentelemetry/api';
import { FactlineError } from 'factline/kernel';
import { type Tracing, sampledTrace } from 'factline/tracing';

/** Who records: the instrumentation scope of our spans. */
const SCOPE = 'factline';

/**
 * The tracing port over OpenTelemetry's API, which does nothing until an app's process registers an SDK (docs/operating). Which context is active is the SDK's matter:
 * with a context manager (NodeTracerProvider, NodeSDK) what an app records of its own inside a handler belongs to the handler's span.
 * Of a failure the code is recorded, not the message, which may say something of a person. `tracestate` is not handed on: the outbox has room for the traceparent alone.
 */
export function openTelemetry(): Tracing {
  return {
    get records() {
      return tracer() !== undefined;
    },
    current: () => (tracer() ? traceparentOf(trace.getSpanContext(context.active())) : undefined),
    span: ({ name, kind, attributes, parent, links = [] }, work) => {
      const recorder = tracer();
      if (!recorder) return work(undefined);
      const before = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, remote(parent));
      const span = recorder.startSpan(name, { kind: kind === 'producer' ? SpanKind.PRODUCER : SpanKind.CONSUMER, attributes, links: links.map((link) => ({ context: remote(link) })) }, before);
      return context.with(trace.setSpan(before, span), () => within(span, work));
    },
  };
}

/**
 * undefined while no SDK is registered. Looked up by name rather than by class: an SDK may have brought another copy of the API, whose classes are not these.
 */
export function tracer(): Tracer | undefined {
  const provider = trace.getTracerProvider() as TracerProvider & { getDelegateTracer?(name: string): Tracer | undefined };
  return provider.getDelegateTracer ? provider.getDelegateTracer(SCOPE) : provider.getTracer(SCOPE);
}

async function within<T>(span: Span, work: (traceparent: string | undefined) => Promise<T>): Promise<T> {
  try {
    return await work(traceparentOf(span.spanContext()));
  } catch (error) {
    failed(span, error instanceof FactlineError ? error.code : 'internal');
    throw error;
  } finally {
    span.end();
  }
}

export function failed(span: Span, code: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message: code });
  span.setAttribute('error.type', code);
}

/** Without a sampled trace nothing is handed on: consumers then record nothing either. */
function traceparentOf(at: SpanContext | undefined): string | undefined {
  return at && isSpanContextValid(at) && at.traceFlags & TraceFlags.SAMPLED ? `00-${at.traceId}-${at.spanId}-${at.traceFlags.toString(16).padStart(2, '0')}` : undefined;
}

function remote(traceparent: string): SpanContext {
  const [, traceId, spanId, flags] = (sampledTrace(traceparent) ?? '').split('-');
  return { traceId: traceId ?? '', spanId: spanId ?? '', traceFlags: Number.parseInt(flags ?? '0', 16) & TraceFlags.SAMPLED, isRemote: true };
}
