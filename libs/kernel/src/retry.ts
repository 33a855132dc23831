import { type Duration, milliseconds } from './duration.js';

/** Waiting longer after each failure, with jitter so that many clients do not return together. */
export interface Backoff {
  /** First wait. Default 100 ms. */
  delay?: Duration;
  /** Growth per attempt. Default 2. */
  factor?: number;
  /** Longest wait. Default 10 s. */
  maxDelay?: Duration;
  /** 0 to 1: which part of the wait is random. Default 0.5. */
  jitter?: number;
}

/** The wait in milliseconds after failed attempt number `attempt` (1 is the first). */
export function backoffMs(attempt: number, backoff: Backoff = {}, random: () => number = Math.random): number {
  const full = Math.min(
    milliseconds(backoff.maxDelay ?? '10s'),
    milliseconds(backoff.delay ?? 100) * (backoff.factor ?? 2) ** (Math.min(attempt, 64) - 1),
  );
  const jitter = backoff.jitter ?? 0.5;
  return full * (1 - jitter) + full * jitter * random();
}
