import { FactlineError, pause } from 'factline/kernel';
import { UNTIL_POLL_MS, UNTIL_TIMEOUT_MS } from './limits.js';

/**
 * Waits for a condition, never for a time: resolves with the first truthy answer.
 * @throws FactlineError `testing.timeout` with what was last seen, after 60 s or `timeoutMs`.
 */
export async function until<T>(what: string, look: () => Promise<T> | T, timeoutMs: number = UNTIL_TIMEOUT_MS): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (performance.now() > deadline) {
      throw new FactlineError({
        code: 'testing.timeout',
        kind: 'internal',
        message: `Waited ${timeoutMs} ms for ${what}; last seen: ${JSON.stringify(seen)}.`,
        advice: 'Look at what should have made it true.',
      });
    }
    await pause(UNTIL_POLL_MS);
  }
}
