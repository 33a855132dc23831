import type { Rule } from './rule.js';

/**
 * What resolution does not survive. The first six are the ways in which a reader cannot resolve a writer (Avro 1.12, "Schema Resolution"), seen from the change:
 * what cannot read what decides between `field-without-default` and `field-removed`.
 */
export const WIRE_RULES = {
  'field-without-default': {
    severity: 'error',
    says: 'A field was added without a default.',
    why: 'Software with the new schema cannot read facts that were stated before, so no read model can be rebuilt from offset zero.',
    before: '{"name": "orderId", "type": "string"}',
    after: '{"name": "orderId", "type": "string"}, {"name": "channel", "type": "string"}',
    instead: 'Give it a default, null for instance: "type": ["null", ...], "default": null.',
  },
  'field-removed': {
    severity: 'error',
    says: 'A field without a default was removed.',
    why: 'Software with the old schema finds no value for it in facts that are stated from now on, and stops at the first of them.',
    before: '{"name": "email", "type": "string"}',
    after: '(gone)',
    instead: 'Keep it, deprecated (`factline contracts deprecate`), with another beside it (`factline contracts rename`); what must go for good takes a new major version (`factline contracts new-major`).',
  },
  'type-changed': {
    severity: 'error',
    says: 'A type became one that cannot be read as the other.',
    why: 'Avro promotes int to long, float and double, long to float and double, float to double, and string to bytes and back: in one direction only, except the last.',
    before: '{"name": "amount", "type": "long"}',
    after: '{"name": "amount", "type": "string"}',
    instead: 'Add a field with the new type beside it, state both, and let consumers move.',
  },
  'union-branch-removed': {
    severity: 'error',
    says: 'A branch of a union has no counterpart on the other side.',
    why: 'A value of that branch cannot be read. A branch that was added breaks old readers as a branch that was removed breaks new ones.',
    before: '{"name": "note", "type": ["null", "string"]}',
    after: '{"name": "note", "type": "string"}',
    instead: 'Keep the branches: for another kind of value add a field; that a value must not be null any more is a rule for producers, not for the schema.',
  },
  'enum-symbol-unknown': {
    severity: 'error',
    says: 'An enum has a symbol that the other side does not know, and no default to fall back on.',
    why: 'The first fact with that symbol cannot be read.',
    before: '{"type": "enum", "name": "Kind", "symbols": ["A", "B"]}',
    after: '{"type": "enum", "name": "Kind", "symbols": ["A", "B", "C"]}',
    instead: 'Give enums a default from their first version on: {"type": "enum", "name": "Kind", "symbols": ["A", "B", "OTHER"], "default": "OTHER"}.',
  },
  'fixed-size-changed': {
    severity: 'error',
    says: 'A fixed type has another size.',
    why: 'Its bytes cannot be read as the other size.',
    before: '{"type": "fixed", "name": "Hash", "size": 16}',
    after: '{"type": "fixed", "name": "Hash", "size": 32}',
    instead: 'Define a new fixed type and add a field of it.',
  },
  'name-changed': {
    severity: 'error',
    says: 'A named type has another name, and no alias.',
    why: 'Types are matched by name.',
    before: '{"type": "record", "name": "Address", ...}',
    after: '{"type": "record", "name": "PostalAddress", ...}',
    instead: 'Keep the old name as an alias: {"type": "record", "name": "PostalAddress", "aliases": ["Address"], ...}.',
  },
  'runtime-unreadable': {
    severity: 'error',
    says: 'The registry accepts it, and the library that reads facts here (avsc) does not.',
    why: 'A changed namespace passes Java’s checker, which compares short names, and then stops every consumer in Node at the first fact.',
    before: '{"type": "enum", "name": "Kind", "namespace": "shop", ...}',
    after: '{"type": "enum", "name": "Kind", "namespace": "shop.v2", ...}',
    instead: 'Keep the namespace, or add the old full name to `aliases`.',
  },
  'schema-refused': {
    severity: 'error',
    says: 'Avro for Java refuses the schema, or cannot decide between two fields.',
    why: 'A registry refuses it, too, and the producer would not start.',
    before: '{"name": "email", "type": "string"}, {"name": "mail", "type": "string"}',
    after: '{"name": "address", "aliases": ["email", "mail"], "type": "string"}',
    instead: 'Let an alias name one former field, which is gone.',
  },
} as const satisfies Record<string, Rule>;
