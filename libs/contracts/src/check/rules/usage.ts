import type { Rule } from './rule.js';

/** What an app declares that it reads, against what its code reads. */
export const USAGE_RULES = {
  'select-never-read': {
    severity: 'warning',
    says: 'An app selects a field that its code does not read.',
    why: 'It is decoded for nothing, keeps its owner from changing it, and is personal data in one more place.',
    before: 'select: [name, birthDate], and no code of the app reads birthDate',
    after: 'select: [name]',
    instead: 'Take it out of the selection: npx factline contracts trim, then npx factline contracts gen.',
  },
} as const satisfies Record<string, Rule>;
