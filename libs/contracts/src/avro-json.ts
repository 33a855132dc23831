/** An Avro schema as JSON. */
export type AvroJson = string | AvroJson[] | AvroNode;

export interface AvroNode {
  type: AvroJson;
  name?: string;
  namespace?: string;
  doc?: string;
  fields?: AvroField[];
  symbols?: string[];
  items?: AvroJson;
  values?: AvroJson;
  size?: number;
  default?: unknown;
  logicalType?: string;
  [attribute: string]: unknown;
}

export interface AvroField {
  name: string;
  type: AvroJson;
  doc?: string;
  default?: unknown;
  [attribute: string]: unknown;
}

const PRIMITIVES = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string']);
const NAMED = new Set<unknown>(['record', 'enum', 'fixed']);

export function isPrimitive(name: string): boolean {
  return PRIMITIVES.has(name);
}

export function isNamed(node: AvroNode): boolean {
  return NAMED.has(node.type);
}

/** `hr.Address`: the name, qualified by its own namespace or the one around it (Avro 1.12, "Names"). */
export function fullNameOf(node: AvroNode, around: string | undefined): string | undefined {
  if (typeof node.name !== 'string') return undefined;
  return qualify(node.name, node.namespace ?? around);
}

export function qualify(name: string, namespace: string | undefined): string {
  return name.includes('.') || !namespace ? name : `${namespace}.${name}`;
}

export function namespaceOf(fullName: string): string {
  return fullName.slice(0, Math.max(0, fullName.lastIndexOf('.')));
}

export function simpleNameOf(fullName: string): string {
  return fullName.slice(fullName.lastIndexOf('.') + 1);
}

/** What an array, a map, or an object around a type holds: by its key, and with the mark of a path that goes through it, `lines[]`, `labels{}`. */
export function innerOf({ items, values, type }: AvroNode): { readonly type: AvroJson; readonly key: 'items' | 'values' | 'type'; readonly mark: '[]' | '{}' | '' } | undefined {
  if (items !== undefined) return { type: items, key: 'items', mark: '[]' };
  if (values !== undefined) return { type: values, key: 'values', mark: '{}' };
  return typeof type === 'object' ? { type, key: 'type', mark: '' } : undefined;
}

/** The same node with each type directly in it changed: those of its fields, or what it holds. */
export function withTypes(node: AvroNode, change: (type: AvroJson) => AvroJson): AvroNode {
  const out = { ...node };
  if (out.fields) out.fields = out.fields.map((field) => ({ ...field, type: change(field.type) }));
  if (out.items !== undefined) out.items = change(out.items);
  if (out.values !== undefined) out.values = change(out.values);
  if (typeof out.type === 'object') out.type = change(out.type);
  return out;
}

const PLACES = new WeakMap<AvroNode, ReadonlyMap<string, number>>();

/** Where in a record a field is; -1 when it is not. The names are kept, since a record of 20,000 fields is asked for each of them. */
export function indexOfField(record: AvroNode, name: string): number {
  let places = PLACES.get(record);
  if (!places) PLACES.set(record, (places = new Map((record.fields ?? []).map((field, at) => [field.name, at]))));
  return places.get(name) ?? -1;
}

/** Attribute of a field or of a type: a list of tags such as `PII` or `PII.email`. Confluent's rules and Apicurio's extractor read the same. */
const TAGS = 'confluent:tags';

export function tagsOf(carrier: AvroField | AvroNode): string[] {
  return textsIn(carrier[TAGS]);
}

export function aliasesOf(carrier: AvroField | AvroNode): string[] {
  return textsIn(carrier['aliases']);
}

/** What is not text is a fault that others report. */
function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}

/** Calls `visit` for every named type defined in a schema, outermost first, with its full name and JSON path. */
export function eachDefinition(schema: AvroJson | undefined, visit: (fullName: string, node: AvroNode, path: string) => void, around?: string, path = '$'): void {
  if (typeof schema !== 'object' || schema === null) return; // a name, or a fault that the bundler reports with its place
  if (Array.isArray(schema)) {
    schema.forEach((branch, at) => eachDefinition(branch, visit, around, `${path}[${at}]`));
    return;
  }
  let namespace = around;
  if (isNamed(schema)) {
    const fullName = fullNameOf(schema, around);
    if (fullName !== undefined) {
      visit(fullName, schema, path);
      namespace = namespaceOf(fullName);
    }
  } else if (typeof schema.type === 'object') eachDefinition(schema.type, visit, namespace, `${path}.type`);
  if (Array.isArray(schema.fields)) schema.fields.forEach((field, at) => eachDefinition(field?.type, visit, namespace, `${path}.fields[${at}].type`));
  if (schema.items !== undefined) eachDefinition(schema.items, visit, namespace, `${path}.items`);
  if (schema.values !== undefined) eachDefinition(schema.values, visit, namespace, `${path}.values`);
}

/** The named types of a bundled schema, by full name. */
export function definitionsIn(schema: AvroJson): ReadonlyMap<string, AvroNode> {
  const found = new Map<string, AvroNode>();
  eachDefinition(schema, (fullName, node) => found.set(fullName, node));
  return found;
}
