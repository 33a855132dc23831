import { randomBytes } from 'node:crypto';
import type { AvroNode } from './avro-json.js';
import { META_SCHEMA } from './meta.js';

const UNICODE = 'Zoë 😀 \u0000 e\u0301 مرحبا \u{10ffff} \ufffd';

/** A fact with each kind of type that Avro has, under a namespace of its own. */
export function orderIn(namespace: string): AvroNode {
  const place = { type: 'record', name: 'Place', namespace, fields: [{ name: 'city', type: 'string' }, { name: 'inside', type: ['null', `${namespace}.Place`], default: null }] };
  const line = { type: 'record', name: 'Line', namespace, fields: [{ name: 'sku', type: 'string' }, { name: 'counts', type: { type: 'map', values: { type: 'array', items: 'int' } } }] };
  return {
    type: 'record',
    name: 'OrderPaid',
    namespace,
    fields: [
      { name: 'meta', type: META_SCHEMA as unknown as AvroNode },
      { name: 'orderId', type: { type: 'string', 'avro.java.string': 'String' } }, // as Java programs register it
      { name: 'note', type: ['null', 'string'], default: null },
      { name: 'total', type: 'long' },
      { name: 'rate', type: 'double' },
      { name: 'share', type: 'float' },
      { name: 'gift', type: 'boolean' },
      { name: 'items', type: 'int' },
      { name: 'seal', type: { type: 'fixed', name: 'Seal', namespace, size: 4 } },
      { name: 'scan', type: ['null', 'bytes'], default: null },
      { name: 'state', type: { type: 'enum', name: 'State', namespace, symbols: ['NEW', 'PAID'], default: 'NEW' } },
      { name: 'place', type: place },
      { name: 'lines', type: { type: 'array', items: line } },
      { name: 'labels', type: { type: 'map', values: 'long' } },
      { name: 'choice', type: ['null', 'boolean', 'string', `${namespace}.Line`], default: null },
    ],
  };
}

/** Values that are easily broken. Bytes as hexadecimal: each client has its own type for them. */
const FULL = {
  orderId: UNICODE,
  note: '',
  total: 2 ** 53 - 2, // avsc, and so kafkajs, takes no larger one
  rate: Number.MIN_VALUE,
  share: -0.5,
  gift: true,
  items: -(2 ** 31),
  seal: hex('00ff7f80'),
  scan: hex(''),
  state: 'PAID',
  place: { city: 'Ü', inside: { city: '', inside: null } },
  lines: [{ sku: 'a', counts: { [UNICODE]: [2 ** 31 - 1, 0], none: [] } }, { sku: UNICODE, counts: {} }],
  labels: { '': 2 ** 52, small: -1 },
  choice: { sku: 'c', counts: { one: [1] } },
};
const BARE = { ...FULL, note: null, total: 0, scan: null, state: 'NEW', lines: [], labels: {}, choice: null, rate: -1e300, place: { city: 'x', inside: null } };
const TEXT = { ...FULL, note: UNICODE, total: 2 ** 52 + 1, scan: hex(randomBytes(300).toString('hex')), choice: UNICODE };
export const ROWS = [FULL, BARE, TEXT];

/** Bytes, which JSON does not have. */
function hex(digits: string): { $bytes: string } {
  return { $bytes: digits };
}

/** `{ $bytes }` as Buffers, and the other way round: what each side takes and gives. */
export function withBuffers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withBuffers);
  if (typeof value !== 'object' || value === null) return value;
  if ('$bytes' in value) return Buffer.from(String(value.$bytes), 'hex');
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withBuffers(each)]));
}

export function withHex(value: unknown): unknown {
  if (value instanceof Uint8Array) return hex(Buffer.from(value).toString('hex'));
  if (Array.isArray(value)) return value.map(withHex);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withHex(each)]));
}
