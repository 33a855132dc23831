import { randomFillSync } from 'node:crypto';
import { FactlineError } from './errors.js';
import { RANDOM_POOL_BYTES } from './limits.js';

const pool = Buffer.allocUnsafe(RANDOM_POOL_BYTES);
let used = RANDOM_POOL_BYTES;
let lastMs = 0;
let counter = 0;

/**
 * A new fact or request id: UUID version 7 (RFC 9562, 5.7), 16 bytes.
 * Ids of one process rise strictly (12-bit counter in rand_a, RFC 9562 method 1; it borrows from the clock when more than 4096 are made in a millisecond).
 * Not promised: order between processes, secrecy.
 */
export function newId(now: number = Date.now()): Buffer {
  if (now > lastMs) {
    lastMs = now;
    counter = 0;
  } else if (++counter > 0xfff) {
    lastMs += 1;
    counter = 0;
  }
  if (used + 8 > RANDOM_POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const id = Buffer.allocUnsafe(16);
  id.writeUIntBE(lastMs, 0, 6);
  id.writeUInt16BE(0x7000 | counter, 6);
  pool.copy(id, 8, used, used + 8);
  used += 8;
  id[8] = (id[8]! & 0x3f) | 0x80;
  return id;
}

/** Sixteen bytes as `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`. */
export function formatId(id: Uint8Array): string {
  const hex = Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Whether the text is a UUID, in letters of either case. */
export function isId(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text);
}

/** @throws FactlineError `id.invalid` when the text is not a UUID. */
export function parseId(text: string): Buffer {
  if (!isId(text)) {
    throw new FactlineError({
      code: 'id.invalid',
      kind: 'invalid',
      message: 'The id is not a UUID.',
      advice: 'Give 32 hexadecimal digits in groups of 8-4-4-4-12.',
    });
  }
  return Buffer.from(text.replaceAll('-', ''), 'hex');
}
