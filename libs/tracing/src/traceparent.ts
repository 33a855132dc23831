import { SPAN_LINKS } from './limits.js';

/** W3C Trace Context, level 1: version, trace id, span id, flags. Later versions may say more behind it. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]([0-9a-f])(?:-|$)/;
/** The bit that says: this trace is recorded. */
const SAMPLED = 1;
/** Of version 00; what a later version appends is of no use here. */
const CHARACTERS = 55;

/** The traceparent, when it is one and its trace is sampled; everybody may write a header, so anything else is as good as nothing. */
export function sampledTrace(header: Uint8Array | string | null | undefined): string | undefined {
  if (!header) return undefined;
  const text = typeof header === 'string' ? header : Buffer.from(header.buffer, header.byteOffset, header.byteLength).toString('latin1');
  const flags = TRACEPARENT.exec(text)?.[1];
  return flags !== undefined && Number.parseInt(flags, 16) & SAMPLED ? text.slice(0, CHARACTERS) : undefined;
}

/** The different sampled traces among these headers, in their order, at most SPAN_LINKS. */
export function sampledTraces(headers: Iterable<Uint8Array | string | null | undefined>): string[] {
  const found = new Set<string>();
  for (const header of headers) {
    const trace = sampledTrace(header);
    if (trace !== undefined) found.add(trace);
    if (found.size === SPAN_LINKS) break;
  }
  return [...found];
}
