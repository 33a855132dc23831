import type { LogRecord } from 'factline/log';
import { type Tracing, factSpan, sampledTraces } from 'factline/tracing';
import type { SubscriptionTarget } from './target.js';

type Applying = Pick<SubscriptionTarget, 'apply' | 'generation'>;

/** The target, with a span for each batch that holds facts of sampled traces: one transaction, or one attempt at it. */
export function traced(target: Applying, tracing: Tracing, { group, name }: { group: string; name: string }): Applying {
  return {
    generation: () => target.generation(),
    apply: (checkpoint, work) => {
      if (!tracing.records) return target.apply(checkpoint, work);
      const { records } = work;
      const traces = sampledTraces(tracesOf(records));
      if (traces.length === 0) return target.apply(checkpoint, work);
      const { topic, partition, generation } = checkpoint;
      const span = factSpan({ operation: 'process', topic, partition, offset: records[0]!.offset, facts: records.length, group, subscription: name, generation, traces });
      return tracing.span(span, () => target.apply(checkpoint, work));
    },
  };
}

function* tracesOf(records: readonly LogRecord[]): Iterable<Buffer | undefined> {
  for (const { headers } of records) yield headers?.['traceparent'];
}
