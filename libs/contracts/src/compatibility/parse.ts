import { type AvroNode, isPrimitive, namespaceOf, qualify, simpleNameOf } from '../avro-json.js';
import { attributesOf, holdsHugeInteger } from './attributes.js';
import { DefaultCheck, isDoubleText } from './defaults.js';
import { checkSize } from './json-size.js';
import type { EnumNode, FieldNode, FixedNode, NamedNode, PrimitiveNode, RecordNode, SchemaNode, UnionNode } from './parsed-schema.js';
import { sameDefinition } from './same-definition.js';
import { resolve } from './resolve.js';
import { type Side, invalidSchema, pointerTo, schemaError } from './schema-error.js';
import { checkBranches } from './union-branches.js';

export interface ParsedSchema {
  readonly root: SchemaNode;
  /** In the order in which their definitions end. */
  readonly named: ReadonlyMap<string, NamedNode>;
  /** Names inside a namespace that were found outside of any. */
  readonly fallbacks: readonly { readonly name: string; readonly pointer: string }[];
}

/** Letters and digits of any script, one UTF-16 unit each: a name with a surrogate pair is refused. */
const NAME = /^[\p{L}_][\p{L}\p{Nd}_]*$/u;
const SURROGATE = /[\ud800-\udfff]/;
/** Types whose attributes Java copies. */
const COPIED = new Set(['record', 'error', 'array', 'map']);
const ORDERS = ['ASCENDING', 'DESCENDING', 'IGNORE'];
/** Java refuses more: an array may not be longer. */
const FIXED_END = 2 ** 31 - 8;

/**
 * Reads a schema as the parser of Avro 1.12 for Java does with its defaults: names and defaults are validated, a name may be used before its definition,
 * and a type may be defined twice when both definitions say the same.
 * @throws FactlineError (configuration, with `details.schema` and `details.path`) `schema.invalid`, `schema.unknown-type`, `schema.duplicate-type`, `schema.cycle`,
 * `schema.too-deep`, `schema.too-large`.
 */
export function parseSchema(json: unknown, side: Side): ParsedSchema {
  checkSize(json, side);
  const parser = new Parser(side);
  const parsed = parser.parse(json, '', '');
  return { root: resolve(parsed, parser.named, side), named: parser.named, fallbacks: parser.fallbacks };
}

class Parser {
  readonly named = new Map<string, NamedNode>();
  readonly fallbacks: { name: string; pointer: string }[] = [];
  /** A name that is not defined yet counts as a record without fields here; what it really is, is checked when it is known. */
  readonly #defaults = new DefaultCheck(() => true, () => true);

  constructor(private readonly side: Side) {}

  parse(json: unknown, namespace: string, pointer: string): SchemaNode {
    if (typeof json === 'string') return this.#find(json, namespace, pointer);
    if (Array.isArray(json)) return this.#union(json, namespace, pointer);
    if (typeof json !== 'object' || json === null) throw this.#invalid(pointer, 'a type is a name, a list (union) or an object.');
    const node = json as AvroNode;
    const { type } = node;
    if (typeof type !== 'string') throw this.#invalid(pointer, "an object that is a type needs a 'type' that is a name.");
    if (isPrimitive(type)) return { kind: type as PrimitiveNode['kind'], pointer, json: node };
    if (COPIED.has(type) && holdsHugeInteger(attributesOf(node, 'type'))) throw this.#invalid(pointer, 'an attribute holds an integer beyond 64 bits.');
    switch (type) {
      case 'record':
      case 'error':
        return this.#record(node, namespace, pointer);
      case 'enum':
        return this.#enum(node, namespace, pointer);
      case 'fixed':
        return this.#fixed(node, namespace, pointer);
      case 'array':
        return { kind: type, pointer, json: node, items: this.#part(node, 'items', namespace, pointer) };
      case 'map':
        return { kind: type, pointer, json: node, items: this.#part(node, 'values', namespace, pointer) };
      default:
        return this.#find(type, namespace, pointer);
    }
  }

  #find(name: string, namespace: string, pointer: string): SchemaNode {
    if (isPrimitive(name)) return { kind: name as PrimitiveNode['kind'], pointer };
    const fullName = qualify(name, namespace);
    const qualified = this.named.get(fullName);
    const found = qualified ?? this.named.get(name);
    if (found && !qualified) this.fallbacks.push({ name, pointer });
    return found ?? { kind: 'reference', name: fullName, pointer };
  }

  #part(node: AvroNode, key: 'items' | 'values', namespace: string, pointer: string): SchemaNode {
    if (node[key] === undefined) throw this.#invalid(pointer, `the type needs '${key}'.`);
    return this.parse(node[key], namespace, pointerTo(pointer, key));
  }

  #union(json: readonly unknown[], namespace: string, pointer: string): UnionNode {
    const branches = json.map((branch, at) => this.parse(branch, namespace, pointerTo(pointer, at)));
    const union = { kind: 'union', pointer, branches } as const;
    checkBranches(union, this.side);
    return union;
  }

  #record(node: AvroNode, around: string, pointer: string): RecordNode {
    const fullName = this.#nameOf(node, around, pointer);
    const list: unknown = node.fields;
    if (!Array.isArray(list)) throw this.#invalid(pointer, `the record ${fullName} needs a list of fields.`);
    const fields = list.map((field, at) => this.#field(field, namespaceOf(fullName), pointerTo(pointerTo(pointer, 'fields'), at)));
    const fieldByName = new Map(fields.map((field) => [field.name, field]));
    if (fieldByName.size < fields.length) {
      const twice = fields.find((field) => fieldByName.get(field.name) !== field)!;
      throw this.#invalid(twice.pointer, `the record ${fullName} has two fields '${twice.name}'.`);
    }
    return this.#define({ kind: 'record', pointer, json: node, fullName, aliases: this.#aliases(node, fullName, pointer), fields, fieldByName });
  }

  #field(json: unknown, namespace: string, pointer: string): FieldNode {
    const node = (typeof json === 'object' && json !== null ? json : {}) as AvroNode;
    const { name, type } = node;
    if (typeof name !== 'string' || type === undefined) throw this.#invalid(pointer, 'a field needs a name and a type.');
    const parsed = this.parse(type, namespace, pointerTo(pointer, 'type'));
    const order: unknown = node['order'] === undefined ? ORDERS[0] : node['order'];
    if (typeof order !== 'string' || !ORDERS.includes(order.toUpperCase())) throw this.#invalid(pointer, `the order of a field is one of ${ORDERS.join(', ').toLowerCase()}.`);
    this.#checkName(name, pointer);
    const value = this.#defaultOf(node, parsed, pointer);
    if (value !== undefined && !this.#defaults.accepts(parsed, value)) throw this.#invalid(pointerTo(pointer, 'default'), `the default of '${name}' is not of the field's type.`);
    return { name, pointer, json: node, type: parsed, aliases: new Set(this.#texts(node, pointer)), order: order.toUpperCase(), default: value };
  }

  #defaultOf(field: AvroNode, { kind }: SchemaNode, pointer: string): unknown {
    const value = field.default;
    if (typeof value !== 'string' || (kind !== 'float' && kind !== 'double')) return value;
    if (!isDoubleText(value)) throw this.#invalid(pointerTo(pointer, 'default'), `the default of '${String(field.name)}' is no number.`);
    return Number.parseFloat(value);
  }

  #enum(node: AvroNode, around: string, pointer: string): EnumNode {
    const fullName = this.#nameOf(node, around, pointer);
    const list: unknown = node.symbols;
    if (!Array.isArray(list)) throw this.#invalid(pointer, `the enum ${fullName} needs a list of symbols.`);
    const symbols = new Set<string>();
    list.forEach((symbol: unknown, at) => {
      this.#checkName(symbol, pointerTo(pointerTo(pointer, 'symbols'), at));
      if (symbols.size === symbols.add(symbol as string).size) throw this.#invalid(pointer, `the enum ${fullName} has the symbol '${String(symbol)}' twice.`);
    });
    const fallback = typeof node.default === 'string' ? node.default : undefined;
    if (fallback !== undefined && !symbols.has(fallback)) throw this.#invalid(pointerTo(pointer, 'default'), `the default '${fallback}' is no symbol of the enum ${fullName}.`);
    return this.#define({ kind: 'enum', pointer, json: node, fullName, aliases: this.#aliases(node, fullName, pointer), symbols, default: fallback });
  }

  #fixed(node: AvroNode, around: string, pointer: string): FixedNode {
    const fullName = this.#nameOf(node, around, pointer);
    const size: unknown = node.size;
    if (!Number.isInteger(size) || (size as number) < 0 || (size as number) >= FIXED_END) throw this.#invalid(pointer, `the fixed ${fullName} needs a size from 0 to ${FIXED_END - 1}.`);
    return this.#define({ kind: 'fixed', pointer, json: node, fullName, aliases: this.#aliases(node, fullName, pointer), size: size as number });
  }

  #define<T extends NamedNode>(type: T): T {
    const before = this.named.get(type.fullName);
    if (!before) this.named.set(type.fullName, type);
    else if (!sameDefinition(before, type)) {
      throw schemaError('schema.duplicate-type', this.side, type.pointer, `'${type.fullName}' is defined otherwise at ${before.pointer || 'the root'}.`, 'Refer to it by its name.', { type: type.fullName });
    }
    return type;
  }

  /** A namespace that is no text is passed over, one inside the name wins. */
  #nameOf(node: AvroNode, around: string, pointer: string): string {
    if (typeof node.name !== 'string') throw this.#invalid(pointer, 'a record, enum or fixed needs a name.');
    const written = qualify(node.name, typeof node.namespace === 'string' ? node.namespace : around);
    const fullName = qualify(simpleNameOf(written), namespaceOf(written));
    for (const part of fullName.split('.')) this.#checkName(part, pointer);
    if (isPrimitive(fullName)) throw this.#invalid(pointer, `a type cannot be named '${fullName}'.`);
    return fullName;
  }

  #aliases(node: AvroNode, fullName: string, pointer: string): ReadonlySet<string> {
    const namespace = namespaceOf(fullName);
    return new Set(
      this.#texts(node, pointer).map((alias) => {
        const written = qualify(alias, namespace);
        this.#checkName(simpleNameOf(written), pointerTo(pointer, 'aliases'));
        return namespaceOf(written) === '' && namespace !== '' ? `.${simpleNameOf(written)}` : qualify(simpleNameOf(written), namespaceOf(written));
      }),
    );
  }

  #texts(node: AvroNode, pointer: string): string[] {
    const list: unknown = node['aliases'] === undefined ? [] : node['aliases'];
    if (!Array.isArray(list) || !list.every((alias) => typeof alias === 'string')) throw this.#invalid(pointerTo(pointer, 'aliases'), 'aliases are a list of names.');
    return list;
  }

  #checkName(name: unknown, pointer: string): void {
    if (typeof name !== 'string' || !NAME.test(name) || SURROGATE.test(name)) throw this.#invalid(pointer, `${JSON.stringify(name)?.slice(0, 80)} is no name: letters, digits and underscores, no digit first.`);
  }

  #invalid(pointer: string, message: string): Error {
    return invalidSchema(this.side, pointer, message);
  }
}
