import { type Duration, FactlineError, milliseconds } from 'factline/kernel';

/** So many tokens come back per length of time, evenly: `{ count: 100, per: '1m' }`. */
export interface Rate {
  count: number;
  per: Duration;
}

/** A rate and what may be used at once, in numbers to calculate with. */
export interface Allowance {
  perMs: number;
  burst: number;
}

/** @throws FactlineError `admission.rate` (configuration) for what is no rate; a bucket that never gives a token is a mistake. */
export function allowance(rate: Rate, burst: number = rate.count): Allowance {
  const perMs = rate.count / milliseconds(rate.per);
  if (perMs > 0 && Number.isFinite(perMs) && burst >= 1 && Number.isFinite(burst)) return { perMs, burst };
  throw new FactlineError({
    code: 'admission.rate',
    kind: 'configuration',
    message: `${rate.count} per ${rate.per} with a burst of ${burst} is not a rate.`,
    advice: "Write a positive count, a positive time and a burst of at least 1: { count: 100, per: '1m' }.",
  });
}
