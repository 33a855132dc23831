import type { CompatibilityLevel } from '../facts.js';

/** What each level demands of a new version: to read facts of the last version or of all, and to be read by their readers. */
const DEMANDS: Readonly<Record<CompatibilityLevel, readonly string[]>> = {
  NONE: [],
  BACKWARD: ['read last'],
  BACKWARD_TRANSITIVE: ['read last', 'read all'],
  FORWARD: ['read by last'],
  FORWARD_TRANSITIVE: ['read by last', 'read by all'],
  FULL: ['read last', 'read by last'],
  FULL_TRANSITIVE: ['read last', 'read all', 'read by last', 'read by all'],
};

export function isLevel(value: unknown): value is CompatibilityLevel {
  return typeof value === 'string' && Object.hasOwn(DEMANDS, value);
}

/** Whether something that was demanded is not demanded any more: BACKWARD is lower than FULL, and each of BACKWARD and FORWARD lower than the other. */
export function isLower(level: CompatibilityLevel, than: CompatibilityLevel): boolean {
  return DEMANDS[than].some((demand) => !DEMANDS[level].includes(demand));
}
