import type { Rule } from './rule.js';

/** What an app declares that it reads, against what there is to read. */
export const CONSUMER_RULES = {
  'consumer-broken': {
    severity: 'error',
    says: 'An app cannot read the fact with the fields it selects.',
    why: 'Its partitions halt at the first such fact. The compatibility level of the subject alone would have let the change through.',
    before: 'select: [email]',
    after: 'the field is gone from the schema',
    instead: 'Let the app stop selecting the field and be deployed; then change the schema.',
  },
  'consumer-degraded': {
    severity: 'warning',
    says: 'An app still reads the fact, but a field it selects now comes from a default.',
    why: 'Nothing fails, and the read model says something that no fact said.',
    before: 'select: [channel]',
    after: 'the field is gone from the schema; its default is read instead',
    instead: 'Ask the owner of the app whether the default is right for it.',
  },
  'selects-unknown': {
    severity: 'error',
    says: 'An app selects a fact or a field that is not declared.',
    why: 'Its types cannot be generated, and it would not start.',
    before: 'select: [adress]',
    after: '',
    instead: 'Correct the name, or declare the field first.',
  },
  'selection-refused': {
    severity: 'error',
    says: 'An app selects a field twice, or different parts of one type in two fields.',
    why: 'Avro knows a type under one definition only, so no reader can be generated; the app is not judged until it can be.',
    before: 'select: [address, address.zip]',
    after: '',
    instead: 'Select each field once, and the same parts of a type wherever it appears.',
  },
} as const satisfies Record<string, Rule>;
