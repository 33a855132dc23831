import { type CloudEvents, withSequence } from 'factline/contracts';
import type { OutgoingRecord } from 'factline/log';
import { SEND_BYTES } from './limits.js';
import type { OutboxRow } from './page.js';

export function recordOf({ key, value, sequence, traceparent }: OutboxRow, events: CloudEvents | undefined): OutgoingRecord {
  const numbered = withSequence(value, sequence);
  const headers = events?.headersOf(numbered);
  if (headers) return { key, value: numbered, headers: traceparent ? { traceparent, ...headers } : headers };
  return traceparent ? { key, value: numbered, headers: { traceparent } } : { key, value: numbered };
}

/** Cuts before the broker's limit for one batch; a single fact is always below it. */
export function* parts(records: OutgoingRecord[]): Iterable<OutgoingRecord[]> {
  let start = 0;
  let bytes = 0;
  for (let at = 0; at < records.length; at++) {
    const size = sizeOf(records[at]!);
    if (at > start && bytes + size > SEND_BYTES) {
      yield records.slice(start, at);
      start = at;
      bytes = 0;
    }
    bytes += size;
  }
  yield start === 0 ? records : records.slice(start);
}

/** CloudEvents headers take more bytes than many a fact. */
function sizeOf({ key, value, headers }: OutgoingRecord): number {
  const bytes = key.length + value.length;
  return headers ? Object.entries(headers).reduce((sum, [name, header]) => sum + name.length + header.length, bytes) : bytes;
}
