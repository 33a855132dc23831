import type { SpanDescription } from './tracing.js';

/** What is done with facts of one place. */
export interface FactWork {
  /** `send`: the relay gives them to the log. `process`: a read model or a reaction applies them. */
  readonly operation: 'send' | 'process';
  /** Absent: facts of several topics. */
  readonly topic?: string;
  readonly partition?: number;
  /** Offset of the first one. */
  readonly offset?: number;
  readonly facts: number;
  readonly group?: string;
  /** The read model or the reactions. */
  readonly subscription?: string;
  readonly generation?: number;
  readonly redriven?: boolean;
  /** The sampled traces of these facts, one at least. */
  readonly traces: readonly string[];
}

/**
 * A span over facts, by the semantic conventions for messaging (https://opentelemetry.io/docs/specs/semconv/messaging/).
 * It is linked to every trace, and continues the first: a span of its own trace would be sampled anew, and a sampler that takes one in a hundred would lose the rest of
 * ninety-nine traces of a hundred here.
 */
export function factSpan({ operation, topic, partition, offset, facts, group, subscription, generation, redriven, traces }: FactWork): SpanDescription {
  return {
    name: topic === undefined ? operation : `${operation} ${topic}`,
    kind: operation === 'send' ? 'producer' : 'consumer',
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.name': operation,
      'messaging.operation.type': operation,
      'messaging.batch.message_count': facts,
      ...(topic !== undefined && { 'messaging.destination.name': topic }),
      ...(partition !== undefined && { 'messaging.destination.partition.id': String(partition) }),
      ...(offset !== undefined && { 'messaging.kafka.offset': offset }),
      ...(group !== undefined && { 'messaging.consumer.group.name': group }),
      ...(subscription !== undefined && { 'factline.subscription': subscription }),
      ...(generation !== undefined && { 'factline.generation': generation }),
      ...(redriven !== undefined && { 'factline.redriven': redriven }),
    },
    ...(traces[0] !== undefined && { parent: traces[0] }),
    links: traces,
  };
}
