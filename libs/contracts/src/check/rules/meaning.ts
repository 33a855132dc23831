import type { Rule } from './rule.js';

/** What resolution does not see: the same bytes, said to be something else. */
export const MEANING_RULES = {
  'logical-type-changed': {
    severity: 'error',
    says: 'The logical type of a field changed.',
    why: 'The bytes are read as before and mean something else: milliseconds as microseconds, a date as a number. Neither Avro nor a registry notices.',
    before: '{"type": "long", "logicalType": "timestamp-millis"}',
    after: '{"type": "long", "logicalType": "timestamp-micros"}',
    instead: 'Add a field with the new meaning beside it.',
  },
  'decimal-changed': {
    severity: 'error',
    says: 'Precision or scale of a decimal changed.',
    why: 'The same bytes are another amount: with scale 2, 1050 is 10.50; with scale 3 it is 1.050 (AVRO-2078).',
    before: '{"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}',
    after: '{"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 3}',
    instead: 'Add a field with the new scale beside it.',
  },
  'unit-changed': {
    severity: 'error',
    says: 'The unit of a field changed.',
    why: 'The number stays and means something else.',
    before: '{"name": "weight", "type": "int", "unit": "g"}',
    after: '{"name": "weight", "type": "int", "unit": "kg"}',
    instead: 'Add a field with the new unit in its name.',
  },
  'default-changed': {
    severity: 'warning',
    says: 'The default of a field changed.',
    why: 'Facts stated before the field existed are read differently from now on: a rebuilt read model differs from the one it replaces.',
    before: '{"name": "channel", "type": "string", "default": "shop"}',
    after: '{"name": "channel", "type": "string", "default": "web"}',
    instead: 'Keep the default; state the value.',
  },
  'enum-default-removed': {
    severity: 'warning',
    says: 'An enum lost its default.',
    why: 'The next new symbol breaks every reader that has this version.',
    before: '{"type": "enum", "name": "Kind", "symbols": ["A", "OTHER"], "default": "OTHER"}',
    after: '{"type": "enum", "name": "Kind", "symbols": ["A", "OTHER"]}',
    instead: 'Keep the default.',
  },
  'alias-removed': {
    severity: 'warning',
    says: 'An alias was removed.',
    why: 'Facts written under the old name are found by their alias only.',
    before: '{"name": "email", "aliases": ["mail"], "type": "string"}',
    after: '{"name": "email", "type": "string"}',
    instead: 'Keep the alias for as long as the topic keeps facts with the old name.',
  },
  'tag-removed': {
    severity: 'error',
    says: 'A tag (`confluent:tags`) was removed from a field.',
    why: 'What was personal data is then handled as if it were not.',
    before: '{"name": "email", "type": "string", "confluent:tags": ["PII"]}',
    after: '{"name": "email", "type": "string"}',
    instead: 'Keep the tag.',
  },
} as const satisfies Record<string, Rule>;
