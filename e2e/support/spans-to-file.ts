// What an app's operator writes: an SDK, loaded before the app by `node --import`. This one appends its spans to the file in SPANS_FILE, one JSON object a line.
import { appendFileSync } from 'node:fs';
import { NodeTracerProvider, type ReadableSpan, SimpleSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-node';

const file = process.env['SPANS_FILE'] ?? '/dev/null';
const exporter: SpanExporter = {
  export: (spans: ReadableSpan[], done) => {
    for (const span of spans) {
      const { traceId, spanId } = span.spanContext();
      const links = span.links.map(({ context }) => `${context.traceId}-${context.spanId}`);
      appendFileSync(file, `${JSON.stringify({ name: span.name, traceId, spanId, parent: span.parentSpanContext?.spanId, links, attributes: span.attributes })}\n`);
    }
    done({ code: 0 });
  },
  shutdown: () => Promise.resolve(),
};
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
