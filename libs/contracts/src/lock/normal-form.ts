import { FactlineError } from 'factline/kernel';
import { type AvroJson, type AvroNode, eachDefinition, fullNameOf, isNamed, qualify, withTypes } from '../avro-json.js';
import { type Definition, bundleForeign } from '../bundle.js';

/**
 * The same schema in the words we would choose, so that two texts of one contract are one: a name and its namespace at every definition, full names everywhere
 * else, each type written out at its first use, no object around a bare name. Documentation, tags, defaults, aliases and logical types stay: they are the contract.
 * A type without a name is answered as it is. @throws FactlineError `schema.invalid`, `schema.unknown-type`: there is no type, or a field without one.
 */
export function normalForm(schema: AvroNode): AvroNode {
  const definitions = new Map<string, Definition>();
  const file = '';
  eachDefinition(schema, (fullName, node, path) => definitions.set(fullName, definitions.get(fullName) ?? { fullName, file, path, node }));
  const root = definitions.get(fullNameOf(schema, undefined) ?? '');
  return root ? plainNode(bundleForeign(root, definitions)) : schema;
}

/** The same of what is registered for a fact, or why it cannot be compared: it was somebody else who registered it. */
export function registeredRecord(schema: unknown): AvroNode | string {
  const { type, name } = (schema ?? {}) as Partial<AvroNode>;
  if (type !== 'record' || typeof name !== 'string') return 'is no record';
  try {
    return normalForm(schema as AvroNode);
  } catch (error) {
    if (error instanceof FactlineError) return `cannot be read: ${error.message}`;
    throw error;
  }
}

/** Without documentation, at every depth: what is left decides what a fact means. */
export function withoutDocs(schema: AvroJson): AvroJson {
  if (typeof schema === 'string') return schema;
  if (Array.isArray(schema)) return schema.map(withoutDocs);
  const { fields, ...out } = undocumented(withTypes(schema, withoutDocs));
  return fields ? { ...out, fields: fields.map(undocumented) } : out;
}

function undocumented<T extends { doc?: string }>({ doc: _said, ...rest }: T): T {
  return rest as T;
}

function plainType(schema: AvroJson): AvroJson {
  if (typeof schema === 'string') return schema;
  if (Array.isArray(schema)) return schema.map(plainType);
  if (Object.keys(schema).length === 1 && typeof schema.type === 'string') return schema.type;
  return plainNode(schema);
}

function plainNode(schema: AvroNode): AvroNode {
  const out = withTypes(schema, plainType);
  const aliases: unknown = out['aliases'];
  if (isNamed(out) && Array.isArray(aliases)) out['aliases'] = aliases.map((alias) => qualify(String(alias), out.namespace));
  return out;
}
