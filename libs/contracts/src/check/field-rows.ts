import { type AvroField, type AvroJson, type AvroNode, definitionsIn, fullNameOf, isNamed } from '../avro-json.js';
import { type Deprecation, soundDeprecation } from '../evolve/annotation.js';
import { META_NAME } from '../meta.js';

/** One field of a fact, as a catalogue shows it. */
export interface FieldRow {
  /** As a selection names it: `address.city`, also through null unions, arrays and maps. */
  readonly path: string;
  /** `string | null`, `hr.Address[]`, `map of long`, `date (int)`. */
  readonly type: string;
  readonly doc?: string;
  /** Of an enum. */
  readonly symbols?: readonly string[];
  readonly default?: unknown;
  readonly unit?: string;
  /** `confluent:tags`. */
  readonly tags?: readonly string[];
  readonly deprecated?: Deprecation;
}

/** Rows of one fact. A type that is used in many places is shown in each; types that share types ten levels deep would otherwise fill a page with thousands of lines. */
const SHOWN = 500;

/** The fields of a bundled record in its order, nested ones below the field that holds them. `meta`, and a record inside itself, is one row. */
export function fieldRows(record: AvroNode): FieldRow[] {
  const rows = new Rows(definitionsIn(record));
  rows.add(record, '');
  return rows.rows;
}

class Rows {
  readonly rows: FieldRow[] = [];
  readonly #open = new Set<string>();

  constructor(private readonly definitions: ReadonlyMap<string, AvroNode>) {}

  add(record: AvroNode, prefix: string): void {
    const name = fullNameOf(record, undefined)!;
    this.#open.add(name);
    for (const field of record.fields!) {
      const path = prefix + field.name;
      this.rows.push(rowOf(field, path, this.definitions));
      const inner = this.#recordIn(field.type);
      const innerName = inner && fullNameOf(inner, undefined)!;
      if (inner && innerName !== META_NAME && !this.#open.has(innerName!) && this.rows.length < SHOWN) this.add(inner, `${path}.`);
    }
    this.#open.delete(name);
  }

  #recordIn(schema: AvroJson): AvroNode | undefined {
    if (typeof schema === 'string') return this.#named(this.definitions.get(schema));
    if (Array.isArray(schema)) {
      const rest = schema.filter((branch) => branch !== 'null');
      return rest.length === 1 ? this.#recordIn(rest[0]!) : undefined;
    }
    if (isNamed(schema)) return this.#named(schema);
    const inner = schema.items ?? schema.values ?? (typeof schema.type === 'object' ? schema.type : undefined);
    return inner === undefined ? undefined : this.#recordIn(inner);
  }

  #named(node: AvroNode | undefined): AvroNode | undefined {
    return node?.type === 'record' ? node : undefined;
  }
}

function rowOf(field: AvroField, path: string, definitions: ReadonlyMap<string, AvroNode>): FieldRow {
  const symbols = symbolsIn(field.type, definitions);
  const tags = textsIn(field['confluent:tags']);
  const deprecated = soundDeprecation(field);
  return {
    path,
    type: typeText(field.type),
    ...(field.doc && { doc: field.doc }),
    ...(symbols && { symbols }),
    ...(field.default !== undefined && { default: field.default }),
    ...(typeof field['unit'] === 'string' && { unit: field['unit'] }),
    ...(tags.length > 0 && { tags }),
    ...(deprecated && { deprecated }),
  };
}

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string').toSorted() : [];
}

function symbolsIn(schema: AvroJson, definitions: ReadonlyMap<string, AvroNode>): readonly string[] | undefined {
  if (typeof schema === 'string') return definitions.get(schema)?.symbols;
  if (Array.isArray(schema)) return schema.map((branch) => symbolsIn(branch, definitions)).find((symbols) => symbols !== undefined);
  if (schema.type === 'enum') return schema.symbols;
  const inner = schema.items ?? schema.values ?? (typeof schema.type === 'object' ? schema.type : undefined);
  return inner === undefined ? undefined : symbolsIn(inner, definitions);
}

function typeText(schema: AvroJson): string {
  if (typeof schema === 'string') return schema;
  if (Array.isArray(schema)) {
    const branches = schema[0] === 'null' ? [...schema.slice(1), schema[0]] : schema;
    return branches.map(typeText).join(' | ');
  }
  if (isNamed(schema)) return logical(schema, namedText(schema));
  if (schema.items !== undefined) return listOf(typeText(schema.items));
  if (schema.values !== undefined) return `map of ${typeText(schema.values)}`;
  return logical(schema, typeText(schema.type));
}

function namedText(schema: AvroNode): string {
  const name = fullNameOf(schema, undefined)!;
  if (schema.type === 'enum') return `enum ${name}`;
  return schema.type === 'fixed' ? `fixed ${name} of ${schema.size} bytes` : name;
}

function listOf(item: string): string {
  return item.includes(' ') ? `(${item})[]` : `${item}[]`;
}

function logical({ logicalType, precision, scale }: AvroNode, stored: string): string {
  if (typeof logicalType !== 'string') return stored;
  return `${logicalType}${logicalType === 'decimal' ? `(${Number(precision)}, ${Number(scale ?? 0)})` : ''} (${stored})`;
}
