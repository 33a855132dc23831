import type { Rule } from './rule.js';

const ANNOTATED = '{"name": "email", "type": ["null", "string"], "default": null, "deprecated": {"effective": "2026-11-21", "removal": "2027-02-01", "alternative": "contact.email"}}';

/** What is on its way out: announced with a date, read until then by nobody any more, removed after it. */
export const DEPRECATION_RULES = {
  'selects-deprecated': {
    severity: 'warning',
    says: 'An app selects a field or a fact that is deprecated: a warning until its removal date, an error from that day on.',
    why: 'From that day on it may be gone, and the app reads a default or nothing.',
    before: 'select: [email]',
    after: ANNOTATED,
    instead: 'Select the alternative as well, move to it, and stop selecting the deprecated field before its removal date.',
  },
  'deprecation-invalid': {
    severity: 'error',
    says: 'The annotation `deprecated` cannot be understood, or names an alternative that does not exist.',
    why: 'A date that does not exist never comes, and consumers would look for the alternative in vain.',
    before: '"deprecated": {"effective": "2026-11-21", "removal": "2026-02-30", "alternative": "contact.mail"}',
    after: '"deprecated": {"effective": "2026-11-21", "removal": "2027-02-01", "alternative": "contact.email"}',
    instead: 'Let `factline contracts deprecate` write it.',
  },
  'removed-before-sunset': {
    severity: 'error',
    says: 'A deprecated field or fact was removed before its removal date.',
    why: 'Consumers planned with the date; what runs until then still reads it.',
    before: ANNOTATED,
    after: '(gone on 2026-12-24)',
    instead: 'Keep it until that day.',
  },
  'removed-while-selected': {
    severity: 'error',
    says: 'A deprecated field was removed after its removal date while an app, as it is declared or as it is at a base, still selects it.',
    why: 'The date has passed, and somebody reads it all the same: a default or nothing from now on.',
    before: ANNOTATED,
    after: '(gone, and apps/mailer/contracts.yaml selects it)',
    instead: 'Let the app stop selecting it and be deployed; then remove the field.',
  },
  'removed-without-deprecation': {
    severity: 'warning',
    says: 'A field that was never deprecated was removed; its default made that compatible.',
    why: 'Consumers that nobody declared read the default without notice.',
    before: '{"name": "channel", "type": "string", "default": "shop"}',
    after: '(gone)',
    instead: 'Deprecate it first: factline contracts deprecate <fact>.<field> --sunset <date> --use <field>.',
  },
} as const satisfies Record<string, Rule>;
