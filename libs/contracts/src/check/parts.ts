import { type AvroField, type AvroJson, type AvroNode, definitionsIn, fullNameOf, isNamed, isPrimitive } from '../avro-json.js';
import { canonicalJson } from '../canonical.js';
import { readerSchema } from '../selection.js';

/** A field by itself: what resolution looks at and nothing else, every named type written out. Equal texts say the same wherever they stand. */
export interface Part {
  readonly text: string;
  readonly hasDefault: boolean;
}

/** By the name of the field. */
export type Parts = ReadonlyMap<string, Part>;

/**
 * Takes schemas apart. What is the same text in several versions is looked at once. Kept for one check.
 */
export class Partition {
  readonly #parts = new WeakMap<AvroNode, Parts | false>();
  /** By the text of a field that names no type which is defined outside of it. */
  readonly #known = new Map<string, Part>();

  /**
   * False where a field is not all there is to say about it: aliases make one field another, a type contains the whole, a name depends on what is around it, or hides
   * something there (avsc reads the field 'x' of a record '_x' into a variable of that name).
   */
  of(schema: AvroNode): Parts | false {
    let parts = this.#parts.get(schema);
    if (parts === undefined) this.#parts.set(schema, (parts = this.#taken(schema)));
    return parts;
  }

  #taken(schema: AvroNode): Parts | false {
    if (typeof schema.name !== 'string' || schema.name.startsWith('_') || typeof schema.namespace !== 'string' || schema['aliases'] !== undefined) return false;
    const found = new Map<string, Part>();
    let around: ReadonlyMap<string, AvroNode> | undefined;
    for (const field of schema.fields ?? []) {
      const written = JSON.stringify(field);
      let part = this.#known.get(written);
      if (!part) {
        around ??= definitionsIn(schema);
        const alone = new Unfolding(around, fullNameOf(schema, undefined)!);
        const unfolded = alone.field(field);
        if (!alone.complete) return false;
        part = { text: canonicalJson(readerSchema(unfolded as AvroNode)), hasDefault: field.default !== undefined };
        if (!alone.referred) this.#known.set(written, part);
      }
      found.set(field.name, part);
    }
    return found;
  }
}

/** The record with some of its fields, bare, each named type written out where it is first met. Only for schemas that have parts. */
export function partOf(schema: AvroNode, names: ReadonlySet<string>): AvroNode {
  const unfolding = new Unfolding(definitionsIn(schema), fullNameOf(schema, undefined)!);
  return readerSchema({ ...schema, fields: schema.fields!.filter(({ name }) => names.has(name)).map((field) => unfolding.field(field)) });
}

/** Writes types out where they are first named. */
class Unfolding {
  /** Whether all that was met could be written out by full names alone. */
  complete = true;
  /** Whether a type was met that is defined elsewhere. */
  referred = false;
  readonly #written = new Set<string>();

  constructor(
    private readonly definitions: ReadonlyMap<string, AvroNode>,
    private readonly whole: string,
  ) {}

  field(field: AvroField): AvroField {
    if (field['aliases'] !== undefined) this.complete = false;
    return { ...field, type: this.#type(field.type) };
  }

  #type(schema: AvroJson): AvroJson {
    if (typeof schema === 'string') return isPrimitive(schema) ? schema : this.#named(schema);
    if (Array.isArray(schema)) return schema.map((branch) => this.#type(branch));
    if (isNamed(schema)) return this.#definition(schema);
    if (schema.type === 'array') return { ...schema, items: this.#type(schema.items as AvroJson) };
    if (schema.type === 'map') return { ...schema, values: this.#type(schema.values as AvroJson) };
    if (typeof schema.type !== 'string' || !isPrimitive(schema.type)) this.complete = false;
    return schema;
  }

  #named(name: string): AvroJson {
    if (this.#written.has(name)) return name;
    this.referred = true;
    const node = this.definitions.get(name);
    if (node && name.includes('.') && name !== this.whole) return this.#definition(node);
    this.complete = false;
    return name;
  }

  #definition(node: AvroNode): AvroJson {
    const name = `${node.namespace}.${node.name}`;
    if (typeof node.namespace !== 'string' || node.namespace === '' || node.name!.includes('.') || node['aliases'] !== undefined) this.complete = false;
    if (this.#written.has(name)) return name;
    this.#written.add(name);
    return node.type === 'record' ? { ...node, fields: (node.fields ?? []).map((field) => this.field(field)) } : node;
  }
}
