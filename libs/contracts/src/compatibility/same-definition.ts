import type { AvroNode } from '../avro-json.js';
import { canonicalJson } from '../canonical.js';
import { attributesOf } from './attributes.js';
import type { FieldNode, SchemaNode } from './parsed-schema.js';

/**
 * Whether two definitions of one name say the same, by Java's `Schema.equals`: documentation, aliases and an enum's default do not count, other attributes do.
 * A name that is not resolved yet is equal to nothing, so a record that refers to itself can be defined once only.
 */
export function sameDefinition(one: SchemaNode, other: SchemaNode): boolean {
  if (one === other) return true;
  if (one.kind === 'reference' || one.kind !== other.kind || attributes(one) !== attributes(other)) return false;
  if ('fullName' in one && one.fullName !== (other as typeof one).fullName) return false;
  switch (one.kind) {
    case 'record':
      return sameList(one.fields, (other as typeof one).fields, sameField);
    case 'enum':
      return sameList([...one.symbols], [...(other as typeof one).symbols], (a, b) => a === b);
    case 'fixed':
      return one.size === (other as typeof one).size;
    case 'array':
    case 'map':
      return sameDefinition(one.items, (other as typeof one).items);
    case 'union':
      return sameList(one.branches, (other as typeof one).branches, sameDefinition);
    default:
      return true;
  }
}

function sameField(one: FieldNode, other: FieldNode): boolean {
  return one.name === other.name && one.order === other.order && sameDefault(one.default, other.default) && canonicalJson(attributesOf(one.json, 'field')) === canonicalJson(attributesOf(other.json, 'field')) && sameDefinition(one.type, other.type);
}

function sameDefault(one: unknown, other: unknown): boolean {
  if (one === undefined || other === undefined || typeof one === 'number') return Object.is(one, other);
  return canonicalJson(one) === canonicalJson(other);
}

function sameList<T>(one: readonly T[], other: readonly T[], same: (a: T, b: T) => boolean): boolean {
  return one.length === other.length && one.every((each, at) => same(each, other[at]!));
}

function attributes({ kind, json = {} as AvroNode }: SchemaNode): string {
  return canonicalJson(attributesOf(json, kind === 'enum' ? 'enum' : 'type'));
}
