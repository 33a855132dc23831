import { type Tracing, factSpan, sampledTraces } from 'factline/tracing';
import type { OutboxRow } from './page.js';

/** Sends a page, in a span when it holds facts of sampled traces: from the first send to the last acknowledgement. Headers keep the trace of whoever stated the fact. */
export function sendTraced<T>(tracing: Tracing, rows: readonly OutboxRow[], send: () => Promise<T>): Promise<T> {
  if (!tracing.records) return send();
  const traces = sampledTraces(tracesOf(rows));
  if (traces.length === 0) return send();
  const topic = rows.every((row) => row.topic === rows[0]!.topic) ? rows[0]!.topic : undefined;
  return tracing.span(factSpan({ operation: 'send', ...(topic !== undefined && { topic }), facts: rows.length, traces }), send);
}

function* tracesOf(rows: readonly OutboxRow[]): Iterable<Buffer | null> {
  for (const { traceparent } of rows) yield traceparent;
}
