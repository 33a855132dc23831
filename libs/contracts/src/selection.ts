import { type AvroField, type AvroJson, type AvroNode, definitionsIn, fullNameOf, indexOfField, isNamed, isPrimitive, withTypes } from './avro-json.js';
import { canonicalJson } from './canonical.js';
import { type Location, declarationError, suggestion } from './declaration-error.js';
import { META_FIELD } from './meta.js';

/** Selected fields as a tree: `address.city` is { address: { city: {} } }; an empty node selects everything below. */
type Wanted = Map<string, Wanted>;

/** What is kept of a field or type besides its structure: what changes how bytes are read. Documentation and tags do not. */
const KEPT = new Set(['type', 'name', 'namespace', 'symbols', 'items', 'values', 'size', 'default', 'aliases', 'logicalType', 'precision', 'scale', 'fields']);

/**
 * The part of a writer schema that a selection names, under the same full names and in the writer's order, documentation included.
 * A dotted path goes into a nested record, also through null unions, arrays and maps. `meta` is never part of it.
 * @throws FactlineError `contract.unknown-field`, `contract.duplicate`, `contract.selection-conflict`.
 */
export function selectFields(schema: AvroNode, select: readonly string[], at: Location): AvroNode {
  const wanted: Wanted = new Map();
  select.forEach((path, index) => want(wanted, path, { file: at.file, path: `${at.path}[${index}]` }));
  return new Selector(definitionsIn(schema), fullNameOf(schema, undefined)!, at).record(schema, wanted, '');
}

/** Every field of a fact but `meta`: what '*' selects. */
export function allFields(schema: AvroNode): string[] {
  return schema.fields!.filter((field) => field.name !== META_FIELD).map((field) => field.name);
}

/** The reader schema: a selected schema without documentation and tags, so that rewording a comment changes no fingerprint. */
export function readerSchema(selected: AvroNode): AvroNode {
  return strip(selected) as AvroNode;
}

function want(wanted: Wanted, path: string, at: Location): void {
  let node = wanted;
  const steps = path.split('.');
  steps.forEach((step, index) => {
    const last = index === steps.length - 1;
    const below = node.get(step);
    if (below && (last || below.size === 0)) {
      throw declarationError('contract.duplicate', at, `'${path}' is selected twice.`, 'Select each field once; a whole record includes its fields.', { field: path });
    }
    node.set(step, below ?? new Map());
    node = node.get(step)!;
  });
}

class Selector {
  readonly #written = new Map<string, string>();

  constructor(
    private readonly definitions: ReadonlyMap<string, AvroNode>,
    private readonly factName: string,
    private readonly at: Location,
  ) {}

  record(node: AvroNode, wanted: Wanted, prefix: string): AvroNode {
    const available = node.fields!.filter((field) => prefix !== '' || field.name !== META_FIELD);
    for (const name of wanted.keys()) {
      if (indexOfField(node, name) < 0 || (prefix === '' && name === META_FIELD)) this.#unknown(prefix + name, available);
    }
    const chosen = wanted.size === 0 ? available : available.filter((field) => wanted.has(field.name));
    return { ...node, fields: chosen.map((field) => this.#field(field, wanted.get(field.name) ?? new Map(), prefix)) };
  }

  #field(field: AvroField, wanted: Wanted, prefix: string): AvroField {
    return { ...field, type: this.#type(field.type, wanted, `${prefix}${field.name}.`) };
  }

  #type(schema: AvroJson, wanted: Wanted, prefix: string): AvroJson {
    if (typeof schema === 'string') {
      if (isPrimitive(schema)) return this.#leaf(schema, wanted, prefix);
      return this.#named(schema, this.definitions.get(schema)!, wanted, prefix);
    }
    if (Array.isArray(schema)) {
      const rest = schema.filter((branch) => branch !== 'null');
      if (rest.length > 1 && wanted.size > 0) return this.#leaf(schema, wanted, prefix);
      return schema.map((branch) => (branch === 'null' ? branch : this.#type(branch, wanted, prefix)));
    }
    if (isNamed(schema)) return this.#named(fullNameOf(schema, undefined)!, schema, wanted, prefix);
    if (schema.items !== undefined) return { ...schema, items: this.#type(schema.items, wanted, prefix) };
    if (schema.values !== undefined) return { ...schema, values: this.#type(schema.values, wanted, prefix) };
    return this.#leaf(schema, wanted, prefix);
  }

  /** A named type may be written once only, so two selections of it must agree. */
  #named(fullName: string, node: AvroNode, wanted: Wanted, prefix: string): AvroJson {
    if (node.type !== 'record') this.#leaf(node, wanted, prefix);
    const selection = canonicalJson(asObject(wanted));
    const before = this.#written.get(fullName);
    if (before === undefined) {
      this.#written.set(fullName, selection);
      return node.type === 'record' ? this.record(node, wanted, prefix) : node;
    }
    if (before === selection) return fullName;
    throw declarationError(
      'contract.selection-conflict',
      this.at,
      `'${prefix.slice(0, -1)}' and another field of ${this.factName} have the type ${fullName}, but other parts of it are selected.`,
      'Select the same parts in both places: Avro knows a type under one definition only.',
      { field: prefix.slice(0, -1), type: fullName },
    );
  }

  #leaf(schema: AvroJson, wanted: Wanted, prefix: string): AvroJson {
    if (wanted.size > 0) this.#unknown(prefix + [...wanted.keys()][0]!, []);
    return schema;
  }

  #unknown(path: string, available: readonly AvroField[]): never {
    const last = path.slice(path.lastIndexOf('.') + 1);
    const names = available.map((field) => field.name);
    const fallback = names.length > 0 ? `It has: ${names.join(', ')}.` : `'${path.slice(0, path.lastIndexOf('.'))}' is not a record.`;
    const advice = path === META_FIELD ? "Remove it: 'meta' is always there." : suggestion(last, names, fallback);
    throw declarationError('contract.unknown-field', this.at, `${this.factName} has no field '${path}'.`, advice, { factName: this.factName, field: path });
  }
}

function asObject(wanted: Wanted): object {
  return Object.fromEntries([...wanted].map(([name, below]) => [name, asObject(below)]));
}

function strip(schema: AvroJson): AvroJson {
  if (typeof schema === 'string') return schema;
  if (Array.isArray(schema)) return schema.map(strip);
  const out = withTypes(bare(schema), strip);
  if (out.fields) out.fields = out.fields.map(bare);
  return out;
}

function bare<T extends AvroNode | AvroField>(part: T): T {
  return Object.fromEntries(Object.entries(part).filter(([key]) => KEPT.has(key))) as T;
}
