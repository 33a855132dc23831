import { FactlineError } from 'factline/kernel';

/** Which fact a reader must have seen. */
export interface ReadToken {
  topic: string;
  key: string;
  sequence: number;
}

/** Opaque text for clients: base64url of JSON [topic, key, sequence]. Not secret and not signed: it only says how long a reader may wait. */
export function tokenOf(topic: string, key: string, sequence: number): string {
  return Buffer.from(JSON.stringify([topic, key, sequence])).toString('base64url');
}

/**
 * The inverse of `Stated.token`, for "read your own writes": wait until the read model has applied this sequence of this key.
 * @throws FactlineError `token.invalid` (invalid) for anything that is not such a token.
 */
export function readToken(text: string): ReadToken {
  const parts = parse(text);
  if (Array.isArray(parts) && parts.length === 3) {
    const [topic, key, sequence] = parts as unknown[];
    if (typeof topic === 'string' && topic !== '' && typeof key === 'string' && key !== '' && isSequence(sequence)) return { topic, key, sequence };
  }
  throw new FactlineError({
    code: 'token.invalid',
    kind: 'invalid',
    message: 'The read-your-writes token is not one that this software gave out.',
    advice: 'Send the token exactly as it was answered to the write, or leave it out.',
  });
}

function parse(text: string): unknown {
  if (typeof text !== 'string' || !/^[A-Za-z0-9_-]+$/.test(text)) return undefined;
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return undefined; // answered as token.invalid by the caller
  }
}

function isSequence(candidate: unknown): candidate is number {
  return Number.isSafeInteger(candidate) && (candidate as number) >= 1;
}
