export { type FactWork, factSpan } from './fact-span.js';
export { sampledTrace, sampledTraces } from './traceparent.js';
export { type SpanDescription, type Tracing, noTracing } from './tracing.js';
