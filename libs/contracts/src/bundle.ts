import { type AvroField, type AvroJson, type AvroNode, fullNameOf, isNamed, isPrimitive, namespaceOf, qualify, simpleNameOf } from './avro-json.js';
import { type Location, declarationError, suggestion } from './declaration-error.js';

/** A named type and where it is defined. */
export interface Definition {
  readonly fullName: string;
  readonly file: string;
  readonly path: string;
  readonly node: AvroNode;
}

/**
 * One self-contained schema: every named type is written out at its first use and named by its full name afterwards.
 * Registries resolve references in different ways or not at all (redpanda-data/redpanda#29611, Apicurio/apicurio-registry#2852); a bundle needs none.
 * @throws FactlineError `schema.unknown-type`, `schema.cycle`, `schema.invalid`, each with file and JSON path.
 */
export function bundle(root: Definition, definitions: ReadonlyMap<string, Definition>): AvroNode {
  return new Bundler(definitions, true).define(root);
}

/** The same of a schema that somebody else wrote: names that Avro allows and that cannot be used here are let pass. @throws as `bundle` does. */
export function bundleForeign(root: Definition, definitions: ReadonlyMap<string, Definition>): AvroNode {
  return new Bundler(definitions, false).define(root);
}

class Bundler {
  readonly #written = new Set<string>();
  readonly #open: Definition[] = [];

  constructor(
    private readonly definitions: ReadonlyMap<string, Definition>,
    private readonly ours: boolean,
  ) {}

  define(definition: Definition): AvroNode {
    this.#written.add(definition.fullName);
    this.#open.push(definition);
    const { node, file, path, fullName } = definition;
    const namespace = namespaceOf(fullName);
    const out: AvroNode = { ...node, name: simpleNameOf(fullName), namespace };
    if (this.ours && namespace === '') throw declarationError('schema.invalid', { file, path }, `'${fullName}' has no namespace.`, 'Give it the namespace of its folder: "namespace": "hr".');
    if (node.type === 'record') out.fields = this.#fields(node, namespace, { file, path });
    this.#open.pop();
    return out;
  }

  #fields(node: AvroNode, namespace: string, place: Location): AvroField[] {
    if (!Array.isArray(node.fields)) throw invalid(place, 'a record needs a list of fields.');
    return node.fields.map((field, at) => {
      const path = `${place.path}.fields[${at}]`;
      if (typeof field?.name !== 'string' || field.type === undefined) throw invalid({ file: place.file, path }, 'a field needs a name and a type.');
      // avsc looks names up in plain objects: a field called toString that nobody selected is not skipped, and later bytes are misread.
      if (this.ours && field.name in Object.prototype) throw invalid({ file: place.file, path }, `'${field.name}' cannot be a field of a JavaScript object.`);
      return { ...field, type: this.#inline(field.type, namespace, { file: place.file, path: `${path}.type` }) };
    });
  }

  #inline(schema: AvroJson, namespace: string, place: Location): AvroJson {
    if (typeof schema === 'string') return this.#reference(schema, namespace, place);
    if (Array.isArray(schema)) return schema.map((branch, at) => this.#inline(branch, namespace, { ...place, path: `${place.path}[${at}]` }));
    if (typeof schema !== 'object' || schema === null) throw invalid(place, 'a type is a name, a list (union) or an object.');
    if (isNamed(schema)) return this.#defined(schema, namespace, place);
    if (schema.type === 'array') return { ...schema, items: this.#inline(schema.items as AvroJson, namespace, { ...place, path: `${place.path}.items` }) };
    if (schema.type === 'map') return { ...schema, values: this.#inline(schema.values as AvroJson, namespace, { ...place, path: `${place.path}.values` }) };
    if (typeof schema.type === 'string' && isPrimitive(schema.type)) return schema;
    return this.#inline(schema.type, namespace, { ...place, path: `${place.path}.type` });
  }

  #defined(node: AvroNode, namespace: string, place: Location): AvroJson {
    const fullName = fullNameOf(node, namespace);
    const definition = fullName === undefined ? undefined : this.definitions.get(fullName);
    if (!definition) throw invalid(place, 'a record, enum or fixed needs a name.');
    return this.#written.has(definition.fullName) ? definition.fullName : this.define(definition);
  }

  #reference(name: string, namespace: string, place: Location): AvroJson {
    if (isPrimitive(name)) return name;
    const fullName = qualify(name, namespace);
    const definition = this.definitions.get(fullName);
    if (!definition) {
      throw declarationError('schema.unknown-type', place, `the type '${fullName}' is not defined.`, suggestion(fullName, this.definitions.keys(), 'Define it in a file under schemas/, or write its full name.'), { type: fullName });
    }
    if (!this.#written.has(fullName)) return this.define(definition);
    const openAt = this.#open.findIndex((open) => open.fullName === fullName);
    if (openAt >= 0 && definition.file !== place.file) {
      const chain = [...this.#open.slice(openAt).map((open) => open.fullName), fullName].join(' -> ');
      throw declarationError('schema.cycle', place, `the type contains itself through other files: ${chain}.`, 'Put types that contain each other into one file, or break the circle with an id.', { chain });
    }
    return fullName;
  }
}

function invalid(place: Location, message: string): Error {
  return declarationError('schema.invalid', place, message, 'See the Avro specification, "Schema Declaration".');
}
