import { FactlineError } from './errors.js';

/** A length of time as people write it in options: milliseconds, or a number with a unit: `250`, `'500ms'`, `'30s'`, `'5m'`, `'12h'`, `'7d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const MILLISECONDS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** @throws FactlineError `duration.invalid` (configuration) when it is not a finite, non-negative length of time. */
export function milliseconds(duration: Duration): number {
  if (typeof duration === 'number' && Number.isFinite(duration) && duration >= 0) return duration;
  const match = typeof duration === 'string' ? /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration) : null;
  if (!match) {
    throw new FactlineError({
      code: 'duration.invalid',
      kind: 'configuration',
      message: `'${String(duration)}' is not a duration.`,
      advice: "Write milliseconds (250) or a number with a unit: '500ms', '30s', '5m', '12h', '7d'.",
    });
  }
  return Number(match[1]) * MILLISECONDS[match[2] as keyof typeof MILLISECONDS];
}
