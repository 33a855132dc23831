import { context, propagation, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, type ReadableSpan, type Sampler, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';

/** An SDK in this process that keeps what it recorded. */
export interface RecordedSpans {
  /** In the order in which they ended. */
  ended(): ReadableSpan[];
  reset(): void;
  /** Takes the SDK out again, so that the next spec finds none. */
  stop(): Promise<void>;
}

export function recordSpans(sampler?: Sampler): RecordedSpans {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)], ...(sampler && { sampler }) });
  provider.register();
  return {
    ended: () => exporter.getFinishedSpans(),
    reset: () => exporter.reset(),
    stop: async () => {
      await provider.shutdown();
      trace.disable();
      context.disable();
      propagation.disable();
    },
  };
}
