import type { OutgoingRecord } from 'factline/log';
import { fact } from '../shop.spec.support.js';

/** How a fact fares with the handler: `refused` and `broken` fail until the repair, one for good at once and one after three attempts; `slow` once takes longer than a handler may. */
export const TEMPERS = ['well', 'refused', 'broken', 'flaky', 'slow'] as const;
export type Temper = (typeof TEMPERS)[number];

export interface Stated {
  key: string;
  sequence: number;
  /** `Noted` has no handler; `Torn` cannot be read; `Garbage` is no fact and has no number. */
  kind: 'Paid' | 'Noted' | 'Torn' | 'Garbage';
  temper: Temper;
}

/** As the relay publishes it, or as somebody who is no producer. */
export function recordOf({ key, sequence, kind, temper }: Stated): OutgoingRecord {
  if (kind === 'Garbage') return { key: Buffer.from(key), value: Buffer.from('{"not": "a fact"}') };
  const record = fact(key, sequence, kind === 'Noted' ? 'Noted' : 'Paid', TEMPERS.indexOf(temper));
  return kind === 'Torn' ? { ...record, value: record.value.subarray(0, record.value.length - 1) } : record;
}
