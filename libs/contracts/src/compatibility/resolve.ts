import { suggestion } from '../declaration-error.js';
import { DefaultCheck } from './defaults.js';
import type { NamedNode, RecordNode, ReferenceNode, SchemaNode } from './parsed-schema.js';
import { type Side, invalidSchema, pointerTo, schemaError } from './schema-error.js';
import { type Steps, run } from './steps.js';
import { checkBranches } from './union-branches.js';

/**
 * Gives every name its definition, and checks again what could not be known before: branches of unions, and defaults. Java does so by copying, in the order of this
 * walk, and an object that is the default of a record whose copy has no fields yet refuses the schema; so the order decides, and is Java's
 * (SchemaResolver.ResolvingVisitor): each named type in the order of definition; below it depth first, fields from the first, branches from the last;
 * an unknown name starts a walk of its own at its definition.
 * @throws FactlineError `schema.unknown-type`, `schema.invalid`.
 */
export function resolve(root: SchemaNode, named: ReadonlyMap<string, NamedNode>, side: Side): SchemaNode {
  const resolver = new Resolver(named, side);
  for (const type of named.values()) run(resolver.walk(type));
  run(resolver.walk(root));
  return root;
}

class Resolver {
  readonly #met = new Set<NamedNode>();
  readonly #finished = new Set<SchemaNode>();
  readonly #defaults: DefaultCheck;
  #checked = '';

  constructor(
    private readonly named: ReadonlyMap<string, NamedNode>,
    private readonly side: Side,
  ) {
    this.#defaults = new DefaultCheck((type) => this.#finished.has(type), () => {
      throw invalidSchema(this.side, this.#checked, 'an object is the default of a field whose type is not finished there: the type contains itself.');
    });
  }

  walk(start: SchemaNode): Steps<void> {
    return this.#visit(start, new Set());
  }

  *#visit(type: SchemaNode, visited: Set<RecordNode>): Steps<void> {
    switch (type.kind) {
      case 'record':
        return yield* this.#record(type, visited);
      case 'reference':
        return yield* this.#reference(type);
      case 'array':
      case 'map':
        return yield this.#visit(type.items, visited);
      case 'union':
        for (const branch of type.branches.toReversed()) yield this.#visit(branch, visited);
        return checkBranches(type, this.side);
      default: // nothing below
    }
  }

  /** A finished record has nothing unfinished below it. One that is open in an outer walk may be finished by an inner one. */
  *#record(type: RecordNode, visited: Set<RecordNode>): Steps<void> {
    if (visited.has(type) || this.#finished.has(type)) return;
    visited.add(type);
    this.#met.add(type);
    for (const field of type.fields) yield this.#visit(field.type, visited);
    if (this.#finished.has(type)) return;
    for (const { name, type: of, default: value, pointer } of type.fields) {
      this.#checked = pointerTo(pointer, 'default');
      if (value !== undefined && !this.#defaults.accepts(of, value)) throw invalidSchema(this.side, this.#checked, `the default of '${name}' is not of the field's type.`);
    }
    this.#finished.add(type);
  }

  *#reference(type: ReferenceNode): Steps<void> {
    if (type.target) return;
    const target = this.named.get(type.name);
    if (!target) {
      throw schemaError('schema.unknown-type', this.side, type.pointer, `the type '${type.name}' is not defined.`, suggestion(type.name, this.named.keys(), 'Define it in the schema, or write its full name.'), { type: type.name });
    }
    if (!this.#met.has(target)) {
      this.#met.add(target);
      yield this.walk(target);
    }
    type.target = target;
  }
}
