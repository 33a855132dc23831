import type { Rule } from './rule.js';

/** Entries of schemas/accepted.yaml that do not do what they seem to. */
export const ACCEPTANCE_RULES = {
  'acceptance-expired': {
    severity: 'warning',
    says: 'The day until which a finding was accepted has passed.',
    why: 'It was accepted for a time in which something was to be done about it.',
    before: 'until: 2026-11-20',
    after: '(2026-11-21)',
    instead: 'Do what the reason says; or agree on another day, and say why.',
  },
  'acceptance-too-long': {
    severity: 'error',
    says: 'A finding is accepted for longer than 400 days from today; it counts as not accepted.',
    why: 'What nobody has to look at again is not an exception but another rule.',
    before: 'until: 2099-12-31',
    after: '',
    instead: 'Write a day within 400 days.',
  },
  'acceptance-unused': {
    severity: 'warning',
    says: 'An acceptance covers no finding; told without weight where its fact does not change, or after it was merged.',
    why: 'It is misspelt, or one of its two schemas, or who is affected, is not what was accepted: then the finding counts again.',
    before: '{rule: field-removed, fact: shop.OrderPlaced, field: emial, ...}',
    after: '',
    instead: 'Remove it; `factline contracts accept` writes the one that is needed, if any.',
  },
} as const satisfies Record<string, Rule>;
