import type { AvroField, AvroJson, AvroNode } from '../avro-json.js';

/**
 * A schema that can be changed without breaking it: named types are held by an id, so that a rename, a move or a removal never leaves a
 * reference behind. What a change makes impossible (a second branch of the same name, a default that no longer fits) is put right when it is printed.
 */
export interface SchemaShape {
  root: Shape;
  readonly named: Map<string, NamedShape>;
}

export type Shape =
  | { readonly kind: 'primitive'; readonly name: string; readonly logicalType?: string }
  | { readonly kind: 'array'; of: Shape }
  | { readonly kind: 'map'; of: Shape }
  | { readonly kind: 'union'; branches: Shape[] }
  | { readonly kind: 'named'; readonly id: string };

export interface NamedShape {
  name: string;
  namespace: string;
  /** Printed as `"name": "shop.Order"` instead of with a namespace attribute. */
  readonly dotted: boolean;
  aliases: string[];
  doc?: string;
  readonly body: RecordBody | EnumBody | FixedBody;
}

export interface RecordBody {
  readonly kind: 'record' | 'error';
  fields: FieldShape[];
}

export interface EnumBody {
  readonly kind: 'enum';
  symbols: string[];
  hasDefault: boolean;
}

export interface FixedBody {
  readonly kind: 'fixed';
  size: number;
}

export interface FieldShape {
  name: string;
  type: Shape;
  hasDefault: boolean;
  aliases: string[];
  extra: { doc?: string; order?: string; 'confluent:tags'?: string[] };
}

export function fullNameOfShape({ name, namespace }: NamedShape): string {
  return namespace === '' ? name : `${namespace}.${name}`;
}

/** The schema as Avro JSON: a named type is defined where it comes first and referred to after that. */
export function printed(schema: SchemaShape): AvroJson {
  return new Printer(schema).shape(schema.root, '');
}

class Printer {
  private readonly defined = new Set<string>();
  /** Records whose fields are being printed: Java refuses a default that is an object of one of these. */
  private readonly open = new Set<string>();

  constructor(private readonly schema: SchemaShape) {}

  shape(shape: Shape, around: string): AvroJson {
    switch (shape.kind) {
      case 'primitive':
        return shape.logicalType === undefined ? shape.name : { type: shape.name, ...logical(shape.logicalType) };
      case 'array':
        return { type: 'array', items: this.shape(shape.of, around) };
      case 'map':
        return { type: 'map', values: this.shape(shape.of, around) };
      case 'union':
        return this.branches(shape).map((branch) => this.shape(branch, around));
      case 'named':
        return this.named(shape.id, around);
    }
  }

  private named(id: string, around: string): AvroJson {
    const shape = this.schema.named.get(id)!;
    const { name, namespace, body } = shape;
    if (this.defined.has(id)) return namespace === around ? name : fullNameOfShape(shape);
    this.defined.add(id);
    const node: AvroNode = { type: body.kind, name };
    if (namespace !== around) Object.assign(node, shape.dotted && namespace !== '' ? { name: fullNameOfShape(shape) } : { namespace });
    if (shape.doc !== undefined) node.doc = shape.doc;
    if (shape.aliases.length > 0) node['aliases'] = shape.aliases;
    if (body.kind === 'fixed') return { ...node, size: body.size };
    if (body.kind === 'enum') return { ...node, symbols: body.symbols, ...(body.hasDefault && body.symbols.length > 0 ? { default: body.symbols[0] } : {}) };
    this.open.add(id);
    const fields = body.fields.map((field) => this.field(field, namespace));
    this.open.delete(id);
    return { ...node, fields };
  }

  private field({ name, type, hasDefault, aliases, extra }: FieldShape, around: string): AvroField {
    const field: AvroField = { name, type: this.shape(type, around), ...extra };
    const value = hasDefault ? this.value(type, this.open) : undefined;
    if (value !== undefined) field.default = value;
    if (aliases.length > 0) field['aliases'] = aliases;
    return field;
  }

  /** Flat, and one of each name: what Avro demands of a union. */
  private branches(union: Shape & { kind: 'union' }): Shape[] {
    const found = new Map<string, Shape>();
    for (const branch of union.branches.flatMap((each) => (each.kind === 'union' ? this.branches(each) : [each]))) {
      const name = branch.kind === 'named' ? fullNameOfShape(this.schema.named.get(branch.id)!) : branch.kind === 'primitive' ? branch.name : branch.kind;
      if (!found.has(name)) found.set(name, branch);
    }
    return [...found.values()];
  }

  private value(shape: Shape, open: ReadonlySet<string>): unknown {
    if (shape.kind === 'primitive') return PRIMITIVE_VALUES[shape.name];
    if (shape.kind === 'array' || shape.kind === 'map') return shape.kind === 'array' ? [] : {};
    if (shape.kind === 'union') {
      const values = this.branches(shape).map((branch) => this.value(branch, open));
      return values.includes(null) ? null : values.find((value) => value !== undefined);
    }
    const { body } = this.schema.named.get(shape.id)!;
    if (body.kind === 'enum') return body.symbols[0];
    if (body.kind === 'fixed') return 'x'.repeat(body.size);
    if (open.has(shape.id)) return undefined;
    const inside = new Set(open).add(shape.id);
    const entries = body.fields.map((field) => [field.name, this.value(field.type, inside)] as const);
    return entries.some(([, value]) => value === undefined) ? undefined : Object.fromEntries(entries);
  }
}

const PRIMITIVE_VALUES: Readonly<Record<string, unknown>> = { null: null, boolean: false, int: 7, long: 8, float: 1.5, double: 2.5, bytes: 'b', string: 's' };

function logical(name: string): object {
  return name === 'decimal' ? { logicalType: name, precision: 9, scale: 2 } : { logicalType: name };
}
