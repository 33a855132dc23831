/** A piece of work, as a tracer records it. */
export interface SpanDescription {
  readonly name: string;
  readonly kind: 'consumer' | 'producer';
  /** Names of OpenTelemetry's semantic conventions, and `factline.*`. Never a key or a value of a fact: they may be personal. */
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** The traceparent that it continues; absent: it begins a trace. */
  readonly parent?: string;
  /** Traceparents of what it works on. */
  readonly links?: readonly string[];
}

/**
 * The port to whatever records traces. The libraries see this and no framework; an app brings the adapter, or nothing.
 * Law of its users: ask `records` once for a page, a batch or a unit of work, before anything is gathered for a span, so that an app without a tracer pays one question.
 */
export interface Tracing {
  /** Whether a tracer is there. It may come after the libraries were made. */
  readonly records: boolean;
  /** The traceparent of the work under way, when it is sampled. */
  current(): string | undefined;
  /**
   * Runs work inside a span, which ends with it and says whether it failed. `work` is begun before this returns, so that an order of calls stays one. It is given the span's own traceparent, for what it causes; undefined when the span is not sampled.
   * @throws what `work` throws.
   */
  span<T>(description: SpanDescription, work: (traceparent: string | undefined) => Promise<T>): Promise<T>;
}

/** Nothing records. */
export const noTracing: Tracing = {
  records: false,
  current: () => undefined,
  span: (_description, work) => work(undefined),
};
