import type { SpanDescription, Tracing } from 'factline/tracing';

export interface RecordedSpan extends SpanDescription {
  /** Its own. */
  readonly traceparent: string;
  readonly failed: boolean;
}

/** A tracer in memory: every span is sampled, and continues the trace of its parent. */
export class RecordingTracing implements Tracing {
  records = true;
  /** In the order in which they ended. */
  readonly spans: RecordedSpan[] = [];
  #begun = 0;

  current(): string | undefined {
    return undefined;
  }

  async span<T>(description: SpanDescription, work: (traceparent: string | undefined) => Promise<T>): Promise<T> {
    const nth = ++this.#begun;
    const traceId = description.parent?.split('-')[1] ?? nth.toString(16).padStart(32, '0');
    const traceparent = `00-${traceId}-${nth.toString(16).padStart(16, '0')}-01`;
    let failed = true;
    try {
      const result = await work(traceparent);
      failed = false;
      return result;
    } finally {
      this.spans.push({ ...description, traceparent, failed });
    }
  }
}
