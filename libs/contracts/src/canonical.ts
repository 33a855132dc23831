import { createHash } from 'node:crypto';

/** JSON with sorted object keys and no white space: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return isSorted(value) ? JSON.stringify(value) : sortedJson(value); // what a lock file holds is sorted: a third of the time
}

function sortedJson(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  let out = '';
  for (const key of Object.keys(value).toSorted()) {
    const part = (value as Record<string, unknown>)[key];
    if (part !== undefined) out += `${out && ','}${JSON.stringify(key)}:${sortedJson(part)}`;
  }
  return `{${out}}`;
}

function isSorted(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return value !== undefined;
  if (Array.isArray(value)) return value.every(isSorted);
  let last = '';
  for (const key of Object.keys(value)) {
    if (key < last || !isSorted((value as Record<string, unknown>)[key])) return false;
    last = key;
  }
  return true;
}

/** SHA-256 of the canonical JSON, first 16 hex digits. Documentation, tags, defaults and logical types count: two schemas share it only when they say the same. */
export function fingerprintOf(schema: object): string {
  return createHash('sha256').update(canonicalJson(schema)).digest('hex').slice(0, 16);
}
