/** `error` and `warning` are findings, and make the check answer 100; `info` is told and changes nothing. */
export type Severity = 'error' | 'warning' | 'info';

export interface Rule {
  readonly severity: Severity;
  /** One sentence: what the rule says. */
  readonly says: string;
  /** Why anyone should care: what happens on a running system. */
  readonly why: string;
  readonly before: string;
  readonly after: string;
  /** The way that works. */
  readonly instead: string;
}

/**
 * Every rule by its id. Ids are stable: acceptances, suppressions and dashboards name them. The first six are the ways in which a reader cannot resolve a writer
 * (Avro 1.12, "Schema Resolution"), seen from the change: what cannot read what decides between `field-without-default` and `field-removed`.
 */
export const RULES = {
  'field-without-default': {
    severity: 'error',
    says: 'A field was added without a default.',
    why: 'Software with the new schema cannot read facts that were stated before, so no read model can be rebuilt from offset zero.',
    before: '{"name": "orderId", "type": "string"}',
    after: '{"name": "orderId", "type": "string"}, {"name": "channel", "type": "string"}',
    instead: 'Give it a default: {"name": "channel", "type": ["null", "string"], "default": null}.',
  },
  'field-removed': {
    severity: 'error',
    says: 'A field without a default was removed.',
    why: 'Software with the old schema finds no value for it in facts that are stated from now on, and stops at the first of them.',
    before: '{"name": "email", "type": "string"}',
    after: '(gone)',
    instead: 'Keep it until nobody selects it; or give it a default first, wait until every consumer has that version, then remove it.',
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
    instead: 'Keep the branch; a field that must not be null any more is a rule for producers, not for the schema.',
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
  'fact-removed': {
    severity: 'error',
    says: 'A fact type is not declared any more.',
    why: 'Its facts stay on the topic, and consumers that rebuild from offset zero need its schema.',
    before: 'schemas/shop/orders/OrderPlaced.avsc',
    after: '(gone)',
    instead: 'Keep the file; stop stating the fact.',
  },
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
  'key-changed': {
    severity: 'error',
    says: 'The key field, the number of partitions or the topic of a fact changed.',
    why: 'Facts of one entity would lie in several partitions or topics, and their order would be lost.',
    before: 'keyField: orderId',
    after: 'keyField: customerId',
    instead: 'Declare a new topic, state the facts there too, and let consumers move.',
  },
  'fact-added': {
    severity: 'info',
    says: 'A fact type is new.',
    why: 'There is nothing yet that it could break.',
    before: '',
    after: 'schemas/shop/orders/OrderPlaced.avsc',
    instead: '',
  },
} as const satisfies Record<string, Rule>;

export type RuleId = keyof typeof RULES;
