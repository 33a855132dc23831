import type { Rule } from './rule.js';

/** Personal and other tagged data: who may read it, and what for. */
export const GRANT_RULES = {
  'tag-not-granted': {
    severity: 'error',
    says: 'An app selects a tagged field (`confluent:tags`), and its contract has no grant for the tag.',
    why: 'Personal data would reach an app without anyone having said why it may have it.',
    before: 'select: [employeeId, email]',
    after: 'email is tagged PII.email; the entry has no grants',
    instead: 'Stop selecting the field; or write grants: [PII.email] beside the purpose, and let whoever guards contracts.yaml agree.',
  },
  'grant-unused': {
    severity: 'warning',
    says: 'An app has a grant for a tag that nothing it selects carries.',
    why: 'A grant that is kept for later lets a later selection pass unseen.',
    before: 'select: [employeeId]',
    after: 'grants: [PII]',
    instead: 'Remove the grant, or correct the name of the tag.',
  },
} as const satisfies Record<string, Rule>;
