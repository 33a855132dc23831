import type { LogRecord } from 'factline/log';
import { type Tracing, factSpan, sampledTrace, sampledTraces } from 'factline/tracing';

/** Facts that are handled in one transaction. */
export interface TracedUnit {
  readonly subscription: string;
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly LogRecord[];
  readonly redriven: boolean;
}

/**
 * Handles a unit, in a span when it holds facts of sampled traces; the transaction and its repetitions are in it.
 * @param work is given the traceparent that facts stated by it carry on. In an app without a tracer that is the trace of the one fact handled, so that a trace is not cut there.
 */
export function traced<T>(tracing: Tracing, { subscription, topic, partition, records, redriven }: TracedUnit, work: (traceparent: string | undefined) => Promise<T>): Promise<T> {
  if (!tracing.records) return work(records.length === 1 ? sampledTrace(records[0]!.headers?.['traceparent']) : undefined);
  const traces = sampledTraces(records.map(({ headers }) => headers?.['traceparent']));
  if (traces.length === 0) return work(undefined);
  return tracing.span(factSpan({ operation: 'process', topic, partition, offset: records[0]!.offset, facts: records.length, subscription, redriven, traces }), work);
}
