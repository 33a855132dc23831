/** What COPY in binary format writes for the columns that the relay reads. */
export interface CopiedRow {
  id: number;
  topic: string;
  key: string;
  sequence: number;
  value: Buffer;
}

/** `COPY ... TO STDOUT (FORMAT binary)`, so that the relay's own reader of pages is part of what is simulated. */
export function copyOf(rows: readonly CopiedRow[]): Buffer {
  const header = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
  const body = rows.flatMap(({ id, topic, key, sequence, value }) => [short(6), field(long(id)), field(Buffer.from(topic)), field(Buffer.from(key)), field(long(sequence)), field(value), int(-1)]);
  return Buffer.concat([header, ...body, short(-1)]);
}

function field(content: Buffer): Buffer {
  return Buffer.concat([int(content.length), content]);
}

function short(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function long(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}
