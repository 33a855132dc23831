import { FactlineError } from 'factline/kernel';

/** One row of the outbox. The buffers share the memory of the page they came with. */
export interface OutboxRow {
  id: number;
  topic: string;
  key: Buffer;
  sequence: number;
  /** Encoded with sequence 0. */
  value: Buffer;
  traceparent: Buffer | null;
}

export interface Page {
  rows: OutboxRow[];
  bytes: number;
  /** False when the page was cut at its byte limit: more rows follow behind the last one. */
  complete: boolean;
}

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const HEADER_BYTES = SIGNATURE.length + 8; // flags and the length of an extension that no server version sends
const FIELDS = 6;

/**
 * Reads the chunks of `COPY ... TO STDOUT (FORMAT binary)` (PostgreSQL manual, COPY, "Binary Format"). What comes behind `maxBytes` is drained and not kept.
 * @throws FactlineError `relay.page` (integrity) when the bytes are not that format.
 */
export async function readPage(chunks: AsyncIterable<Buffer>, maxBytes: number): Promise<Page> {
  const kept: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    if (bytes < maxBytes) {
      kept.push(chunk);
      bytes += chunk.length;
    }
  }
  return parsePage(kept.length === 1 ? kept[0]! : Buffer.concat(kept, bytes));
}

export function parsePage(bytes: Buffer): Page {
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, SIGNATURE.length).equals(SIGNATURE)) throw malformed('it has no COPY header');
  const rows: OutboxRow[] = [];
  let at = HEADER_BYTES + bytes.readUInt32BE(HEADER_BYTES - 4);
  for (;;) {
    if (at + 2 > bytes.length) return { rows, bytes: bytes.length, complete: false };
    const fields = bytes.readInt16BE(at);
    if (fields === -1) return { rows, bytes: bytes.length, complete: true };
    if (fields !== FIELDS) throw malformed(`a row has ${fields} fields`);
    const end = endOfRow(bytes, at + 2);
    if (end < 0) return { rows, bytes: bytes.length, complete: false };
    rows.push(parseRow(bytes, at + 2));
    at = end;
  }
}

/** Where the row ends, or -1 when the bytes end before it. */
function endOfRow(bytes: Buffer, start: number): number {
  let at = start;
  for (let field = 0; field < FIELDS; field++) {
    if (at + 4 > bytes.length) return -1;
    at += 4 + Math.max(0, bytes.readInt32BE(at));
  }
  return at > bytes.length ? -1 : at;
}

function parseRow(bytes: Buffer, start: number): OutboxRow {
  let at = start;
  const field = (): Buffer | null => {
    const length = bytes.readInt32BE(at);
    at += 4;
    if (length < 0) return null;
    const content = bytes.subarray(at, at + length);
    at += length;
    return content;
  };
  const required = (): Buffer => field() ?? missing();
  return {
    id: bigint(required()),
    topic: required().toString('utf8'),
    key: required(),
    sequence: bigint(required()),
    value: required(),
    traceparent: field(),
  };
}

function bigint(field: Buffer): number {
  if (field.length !== 8) throw malformed('an integer has another length than 8');
  return field.readInt32BE(0) * 0x1_0000_0000 + field.readUInt32BE(4);
}

function missing(): never {
  throw malformed('a required field is empty');
}

function malformed(what: string): FactlineError {
  return new FactlineError({
    code: 'relay.page',
    kind: 'integrity',
    message: `A page of the outbox cannot be read: ${what}.`,
    advice: 'Compare the columns of factline.outbox with the migrations of this software version.',
  });
}
