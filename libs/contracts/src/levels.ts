import type { CompatibilityLevel, FactDefinition } from './facts.js';

/** What a fact has that nobody gave a level. */
export const DEFAULT_LEVEL: CompatibilityLevel = 'FULL_TRANSITIVE';

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

export const LEVELS = Object.keys(DEMANDS) as readonly CompatibilityLevel[];

export function isLevel(value: unknown): value is CompatibilityLevel {
  return LEVELS.some((level) => level === value);
}

export function levelOf({ compatibility = DEFAULT_LEVEL }: Pick<FactDefinition, 'compatibility'>): CompatibilityLevel {
  return compatibility;
}

/** Whether software with the new schema must read facts that were stated before. */
export function readsOldFacts(level: CompatibilityLevel): boolean {
  return DEMANDS[level].includes('read last');
}

/** Whether software with the old schemas must read facts that are stated from now on. */
export function bindsOldReaders(level: CompatibilityLevel): boolean {
  return DEMANDS[level].includes('read by last');
}

/** Whether it speaks of all versions before, not of the last one alone. */
export function isTransitive(level: CompatibilityLevel): boolean {
  return level.endsWith('_TRANSITIVE');
}

/** Whether something that was demanded is not demanded any more: BACKWARD is lower than FULL, and each of BACKWARD and FORWARD lower than the other. */
export function isLower(level: CompatibilityLevel, than: CompatibilityLevel): boolean {
  return DEMANDS[than].some((demand) => !DEMANDS[level].includes(demand));
}
