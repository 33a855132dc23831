import type { RuleId } from 'factline/contracts/check';

/** A schema as the generator writes it: enough of Avro's JSON for that. */
export interface InventedFact {
  readonly fields: readonly InventedField[];
  readonly [attribute: string]: unknown;
}

interface InventedField {
  readonly name: string;
  readonly type: unknown;
  readonly [attribute: string]: unknown;
}

export const FACTS = 300;
export const VERSIONS = 10;
const CONTEXTS = 10;

export function contextOf(fact: number): string {
  return `context${fact % CONTEXTS}`;
}

export function constantOf(fact: number): string {
  return `Thing${fact}Placed`;
}

export function factNameOf(fact: number): string {
  return `${contextOf(fact)}.${constantOf(fact)}`;
}

export function fileOf(fact: number): string {
  return `schemas/${contextOf(fact)}/entity${fact}/${constantOf(fact)}.avsc`;
}

/** The field that came with a version. */
export function added(version: number): string {
  return `addedWith${version}`;
}

/** Names of the fields that every version has, `meta` and `entityId` left out. */
export const FIELDS = [
  'customerId', 'emailAddress', 'totalCents', 'currency', 'placedAt', 'status', 'shippingAddress', 'billingAddress', 'lines', 'labels',
  'note', 'channel', 'discountCents', 'taxCents', 'couponCode', 'deviceId', 'sessionId', 'country', 'locale', 'source',
] as const;

const TEXT_OR_NULL = { type: ['null', 'string'], default: null };

function typeOf(name: string, fact: number): { type: unknown; default?: unknown } {
  if (name === 'status') return { type: { type: 'enum', name: `Status${fact}`, doc: 'How far it is.', symbols: ['NEW', 'PAID', 'SENT', 'OTHER'], default: 'OTHER' } };
  if (name.endsWith('Address') && name !== 'emailAddress') return { type: 'shared.Address' };
  if (name === 'lines') return { type: { type: 'array', items: lineOf(fact) } };
  if (name === 'labels') return { type: { type: 'map', values: 'string' } };
  if (name.endsWith('Cents')) return { type: 'long' };
  if (name.endsWith('At')) return { type: { type: 'long', logicalType: 'timestamp-micros' } };
  return ['note', 'couponCode', 'source'].includes(name) ? TEXT_OR_NULL : { type: 'string' };
}

function lineOf(fact: number): object {
  const fields = [{ name: 'sku', doc: 'What.', type: 'string' }, { name: 'quantity', doc: 'How many.', type: 'int' }];
  return { type: 'record', name: `Line${fact}`, doc: 'One line.', fields };
}

/** One fact type in one version: 22 fields, and one more with each version. */
export function inventedFact(fact: number, version: number): InventedFact {
  const later = Array.from({ length: version - 1 }, (_, before) => added(before + 2));
  return {
    type: 'record',
    name: constantOf(fact),
    namespace: contextOf(fact),
    doc: 'A thing was placed.',
    fields: [
      { name: 'meta', type: 'factline.Meta' },
      { name: 'entityId', doc: 'The thing.', type: 'string' },
      ...FIELDS.map((name) => ({ name, doc: `The ${name} of the thing.`, ...typeOf(name, fact) })),
      ...later.map((name) => ({ name, doc: 'Known since that version.', ...TEXT_OR_NULL })),
    ],
  };
}

/** What the branch does to one fact. */
export interface Change {
  /** What it breaks, if anything. */
  readonly rule?: RuleId;
  readonly field: string;
  readonly isAccepted?: boolean;
  to(fact: InventedFact): InventedFact;
}

/** By fact. */
export const CHANGES: ReadonlyMap<number, Change> = new Map<number, Change>([
  [10, { rule: 'field-removed', field: 'totalCents', to: without('totalCents') }],
  [47, { rule: 'type-changed', field: 'currency', isAccepted: true, to: changed('currency', { type: 'int' }) }],
  [101, { rule: 'logical-type-changed', field: 'placedAt', to: changed('placedAt', { type: { type: 'long', logicalType: 'timestamp-millis' } }) }],
  [166, { rule: 'removed-without-deprecation', field: added(4), to: without(added(4)) }],
  [203, { rule: 'field-without-default', field: 'weightGrams', isAccepted: true, to: withOneMore({ name: 'weightGrams', doc: 'Weight.', type: 'int' }) }],
  [250, { field: 'addedNow', to: withOneMore({ name: 'addedNow', doc: 'Known now.', ...TEXT_OR_NULL }) }],
]);

function without(name: string): Change['to'] {
  return (fact) => ({ ...fact, fields: fact.fields.filter((field) => field.name !== name) });
}

function changed(name: string, attributes: object): Change['to'] {
  return (fact) => ({ ...fact, fields: fact.fields.map((field) => (field.name === name ? { ...field, ...attributes } : field)) });
}

function withOneMore(field: InventedField): Change['to'] {
  return (fact) => ({ ...fact, fields: [...fact.fields, field] });
}
