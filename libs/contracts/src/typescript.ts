import { type AvroField, type AvroJson, type AvroNode, definitionsIn, fullNameOf, isPrimitive, simpleNameOf } from './avro-json.js';
import { declarationError } from './declaration-error.js';
import { type Deprecation, deprecationOf, deprecationText } from './evolve/annotation.js';

const PRIMITIVES: Readonly<Record<string, string>> = {
  null: 'null',
  boolean: 'boolean',
  int: 'number',
  long: 'number',
  float: 'number',
  double: 'number',
  bytes: 'Uint8Array',
  string: 'string',
};

export interface InterfaceOptions {
  /** Name of the interface of the record itself; nested records get it as a prefix. */
  name: string;
  /** Fields with a default may be left out: true for what is written, false for what is read. */
  optionalDefaults: boolean;
  /** Top-level field that is left out. */
  without?: string;
  /** Named in errors. */
  file: string;
}

/**
 * TypeScript interfaces of a bundled record, the nested ones first. A long is a number (checked to be safe when written and read), bytes and fixed are Uint8Array,
 * an enum is a union of its symbols. Documentation becomes comments, and what is deprecated gets `@deprecated` with its date and alternative.
 * @throws FactlineError `schema.unsupported` for a union of several records, arrays or maps: nothing in the value would tell them apart; `schema.deprecation-invalid`.
 */
export function interfacesOf(record: AvroNode, options: InterfaceOptions): string {
  return new Interfaces(definitionsIn(record), options).print(record);
}

class Interfaces {
  readonly #names = new Map<string, string>();
  readonly #blocks: string[] = [];

  constructor(
    private readonly definitions: ReadonlyMap<string, AvroNode>,
    private readonly options: InterfaceOptions,
  ) {}

  print(record: AvroNode): string {
    this.#names.set(fullNameOf(record, undefined)!, this.options.name);
    const fields = record.fields!.filter((field) => field.name !== this.options.without);
    const text = this.#interface(this.options.name, record, fields, '$');
    return [...this.#blocks, text].join('\n');
  }

  #interface(name: string, record: AvroNode, fields: readonly AvroField[], path: string): string {
    const lines = fields.map((field) => {
      const optional = this.options.optionalDefaults && field.default !== undefined ? '?' : '';
      const at = `${path}.${field.name}`;
      return `${docComment(field.doc, '  ', this.#deprecation(field, at))}  ${field.name}${optional}: ${this.#type(field.type, at)};\n`;
    });
    return `${docComment(record.doc, '', this.#deprecation(record, path))}export interface ${name} {\n${lines.join('')}}\n`;
  }

  #deprecation(annotated: AvroField | AvroNode, path: string): Deprecation | undefined {
    return deprecationOf(annotated, { file: this.options.file, path });
  }

  #type(schema: AvroJson, path: string): string {
    if (typeof schema === 'string') return isPrimitive(schema) ? PRIMITIVES[schema]! : this.#named(this.definitions.get(schema)!, path);
    if (Array.isArray(schema)) return this.#union(schema, path);
    switch (schema.type) {
      case 'record':
      case 'enum':
      case 'fixed':
        return this.#named(schema, path);
      case 'array':
        return listOf(this.#type(schema.items!, `${path}[]`));
      case 'map':
        return `Record<string, ${this.#type(schema.values!, `${path}{}`)}>`;
      default:
        return this.#type(schema.type, path);
    }
  }

  #union(branches: readonly AvroJson[], path: string): string {
    const structured = branches.filter((branch) => this.#isStructured(branch));
    if (structured.length > 1) {
      throw declarationError('schema.unsupported', { file: this.options.file, path }, 'a union of several records or maps has no TypeScript type here.', 'Use one nullable field per kind, or one fact type per kind.');
    }
    const [first, ...rest] = branches;
    const ordered = first === 'null' ? [...rest, first] : branches;
    return [...new Set(ordered.map((branch) => this.#type(branch, path)))].join(' | ');
  }

  #isStructured(branch: AvroJson): boolean {
    const node = typeof branch === 'string' ? this.definitions.get(branch) : branch;
    return node !== undefined && !Array.isArray(node) && (node.type === 'record' || node.type === 'map');
  }

  #named(node: AvroNode, path: string): string {
    if (node.type === 'enum') return node.symbols!.map((symbol) => `'${symbol}'`).join(' | ');
    if (node.type === 'fixed') return 'Uint8Array';
    const fullName = fullNameOf(node, undefined)!;
    const known = this.#names.get(fullName);
    if (known) return known;
    const name = this.options.name + this.#freeSuffix(simpleNameOf(fullName));
    this.#names.set(fullName, name);
    this.#blocks.push(this.#interface(name, node, node.fields!, path));
    return name;
  }

  /** Two types with one simple name in different namespaces get a number. */
  #freeSuffix(simple: string): string {
    const taken = new Set(this.#names.values());
    let suffix = simple;
    for (let i = 2; taken.has(this.options.name + suffix); i++) suffix = `${simple}${i}`;
    return suffix;
  }
}

function listOf(item: string): string {
  return item.includes(' ') && !item.startsWith('Record<') ? `(${item})[]` : `${item}[]`;
}

/** A doc text as a comment, with a tag when it is deprecated; the end of a comment in it is taken apart. */
export function docComment(doc: unknown, indent: string, deprecation?: Deprecation): string {
  const text = typeof doc === 'string' ? inComment(doc) : '';
  if (deprecation === undefined) return text === '' ? '' : `${indent}/** ${text} */\n`;
  const lines = [...(text === '' ? [] : [text]), `@deprecated ${inComment(deprecationText(deprecation))}`];
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join('')}${indent} */\n`;
}

function inComment(text: string): string {
  return text.replaceAll('*/', '* /').replaceAll(/\s+/g, ' ');
}
