import { FactlineError } from 'factline/kernel';
import { type AvroField, type AvroJson, type AvroNode, eachDefinition, fullNameOf, isNamed, qualify } from '../avro-json.js';
import { type Definition, bundle } from '../bundle.js';

/**
 * The same schema in the words we would choose, so that two texts of one contract are one: a name and its namespace at every definition, full names everywhere
 * else, each type written out at its first use, no object around a bare name. Documentation, tags, defaults, aliases and logical types stay: they are the contract.
 * What cannot be written so (a type without a namespace, a broken schema that somebody else registered) is answered as it is.
 */
export function normalForm(schema: AvroNode): AvroNode {
  const definitions = new Map<string, Definition>();
  const file = '';
  eachDefinition(schema, (fullName, node, path) => definitions.set(fullName, definitions.get(fullName) ?? { fullName, file, path, node }));
  const root = definitions.get(fullNameOf(schema, undefined) ?? '');
  if (!root) return schema;
  try {
    return plainNode(bundle(root, definitions));
  } catch (error) {
    if (error instanceof FactlineError && error.code.startsWith('schema.')) return schema;
    throw error;
  }
}

/** Without documentation, at every depth: what is left decides what a fact means. */
export function withoutDocs(schema: AvroJson): AvroJson {
  if (typeof schema === 'string') return schema;
  if (Array.isArray(schema)) return schema.map(withoutDocs);
  return undocumented(mapped(schema, withoutDocs, undocumented));
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
  const out = mapped(schema, plainType, (field) => field);
  const aliases: unknown = out['aliases'];
  if (isNamed(out) && Array.isArray(aliases)) out['aliases'] = aliases.map((alias) => qualify(String(alias), out.namespace));
  return out;
}

function mapped(schema: AvroNode, type: (part: AvroJson) => AvroJson, field: (field: AvroField) => AvroField): AvroNode {
  const out = { ...schema };
  if (out.fields) out.fields = out.fields.map((one) => field({ ...one, type: type(one.type) }));
  if (out.items !== undefined) out.items = type(out.items);
  if (out.values !== undefined) out.values = type(out.values);
  if (typeof out.type === 'object') out.type = type(out.type);
  return out;
}
