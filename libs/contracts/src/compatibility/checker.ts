import { simpleNameOf } from '../avro-json.js';
import { COMPATIBILITY_MAX_PAIRS } from '../limits.js';
import { type Incompatibility, fault, subject } from './incompatibility.js';
import { COMPATIBLE, type Fault, type Outcome, faultsOf, merged } from './outcome.js';
import { type ActualNode, type FieldNode, type NamedNode, type RecordNode, type SchemaNode, type UnionNode, actual } from './parsed-schema.js';
import { schemaError } from './schema-error.js';
import { type Steps, run } from './steps.js';

/** Something that Java's checker lets pass, and that may stop avsc. */
export interface Doubt {
  readonly kind: 'namespace-changed' | 'bytes-as-string';
  readonly path: string;
  readonly message: string;
}

/** Reader types, each with the writer types that are read as it without being of its kind. */
const PROMOTED: Readonly<Record<string, readonly string[]>> = {
  long: ['int'],
  float: ['int', 'long'],
  double: ['int', 'long', 'float'],
  bytes: ['string'],
  string: ['bytes'],
};

/**
 * Compares a reader's types with a writer's, each pair of them once. A pair that is met again while it is open counts as compatible, and what followed from that is
 * kept also when it turns out to be wrong. Java does the same, and the verdict is to be Java's: every pair is remembered, and the order of the walk is Java's too.
 */
export class Checker {
  readonly doubts: Doubt[] = [];
  readonly #known = new Map<ActualNode, Map<ActualNode, Outcome>>();
  #pairs = 0;

  /** @throws FactlineError `schema.ambiguous-alias`, `schema.too-large`. */
  check(reader: SchemaNode, writer: SchemaNode): Incompatibility[] {
    return faultsOf(run(this.#pair(actual(reader), actual(writer), '')));
  }

  *#pair(reader: ActualNode, writer: ActualNode, path: string): Steps<Outcome> {
    let known = this.#known.get(reader);
    if (!known) this.#known.set(reader, (known = new Map()));
    const before = known.get(writer);
    if (before) return before;
    if (++this.#pairs > COMPATIBILITY_MAX_PAIRS) {
      throw schemaError('schema.too-large', 'reader', reader.pointer, `with the writer's it makes more than ${COMPATIBILITY_MAX_PAIRS} pairs of types.`, 'Split the type, or give its unions fewer branches.', { limit: COMPATIBILITY_MAX_PAIRS });
    }
    known.set(writer, COMPATIBLE); // open
    const outcome = yield* this.#compare(reader, writer, path);
    known.set(writer, outcome);
    return outcome;
  }

  *#compare(reader: ActualNode, writer: ActualNode, path: string): Steps<Outcome> {
    if (writer.kind === 'union') return yield* this.#compareBranches(reader, writer, path);
    if (reader.kind === 'union') return yield* this.#choose(reader, writer, path);
    if (reader.kind !== writer.kind) return this.#promote(reader, writer, path);
    switch (reader.kind) {
      case 'array':
      case 'map': {
        const items = yield this.#pair(actual(reader.items), actual((writer as typeof reader).items), `${path}${reader.kind === 'array' ? '[]' : '{}'}`);
        return merged([], [items]);
      }
      case 'record':
        return yield* this.#compareRecords(reader, writer as typeof reader, path);
      case 'enum': {
        const missing = reader.default === undefined ? [...(writer as typeof reader).symbols].filter((symbol) => !reader.symbols.has(symbol)) : [];
        const symbols = missing.length === 0 ? [] : [{ tell: () => fault.symbols(reader, writer as typeof reader, path, missing) }];
        return merged([...this.#compareNames(reader, writer as typeof reader, path), ...symbols]);
      }
      case 'fixed': {
        const size = reader.size === (writer as typeof reader).size ? [] : [{ tell: () => fault.size(reader, writer as typeof reader, path) }];
        return merged([...this.#compareNames(reader, writer as typeof reader, path), ...size]);
      }
      default:
        return COMPATIBLE;
    }
  }

  #promote(reader: ActualNode, writer: ActualNode, path: string): Outcome {
    if (!PROMOTED[reader.kind]?.includes(writer.kind)) return merged([{ tell: () => fault.type(reader, writer, path) }]);
    if (reader.kind === 'string') this.doubts.push({ kind: 'bytes-as-string', path, message: `${subject(path)} was written as bytes and is read as text: bytes that are not UTF-8 are refused.` });
    return COMPATIBLE;
  }

  /** Each branch that may have been written must be readable; a reader's union is asked as a whole. */
  *#compareBranches(reader: ActualNode, writer: UnionNode, path: string): Steps<Outcome> {
    const outcomes: Outcome[] = [];
    for (const branch of writer.branches) outcomes.push(yield this.#pair(reader, actual(branch), path));
    return merged([], outcomes);
  }

  /** The first branch that can read what was written, whatever its name. */
  *#choose(reader: UnionNode, writer: ActualNode, path: string): Steps<Outcome> {
    let because: Outcome | undefined;
    for (const branch of reader.branches) {
      const type = actual(branch);
      const outcome = yield this.#pair(type, writer, path);
      if (outcome.compatible) return COMPATIBLE;
      if (type.kind === writer.kind) because ??= outcome;
    }
    return merged([{ because, tell: (reasons) => fault.branch(reader, writer, path, reasons) }]);
  }

  *#compareRecords(reader: RecordNode, writer: RecordNode, path: string): Steps<Outcome> {
    const own = this.#compareNames(reader, writer, path);
    const parts: Outcome[] = [];
    for (const field of reader.fields) {
      const fieldPath = path === '' ? field.name : `${path}.${field.name}`;
      const written = writtenFieldOf(field, writer);
      if (written) parts.push(yield this.#pair(actual(field.type), actual(written.type), fieldPath));
      else if (field.default === undefined) own.push({ tell: () => missing(field, writer, fieldPath) });
    }
    return merged(own, parts);
  }

  #compareNames(reader: NamedNode, writer: NamedNode, path: string): Fault[] {
    if (reader.fullName === writer.fullName || reader.aliases.has(writer.fullName)) return [];
    if (simpleNameOf(reader.fullName) !== simpleNameOf(writer.fullName)) return [{ tell: () => fault.name(reader, writer, path) }];
    this.doubts.push({
      kind: 'namespace-changed',
      path,
      message: `${subject(path)} was written as ${writer.fullName} and is read as ${reader.fullName}: avsc tells types apart by full names. Give the reader's type the alias '${writer.fullName}'.`,
    });
    return [];
  }
}

/** The writer's field of the same name or of an alias; more than one is refused, as Java does. */
function writtenFieldOf(field: FieldNode, writer: RecordNode): FieldNode | undefined {
  const direct = writer.fieldByName.get(field.name);
  if (field.aliases.size === 0) return direct;
  const names = [...(direct ? [field.name] : []), ...[...field.aliases].filter((alias) => writer.fieldByName.has(alias))];
  if (names.length > 1) {
    throw schemaError('schema.ambiguous-alias', 'reader', field.pointer, `the field '${field.name}' matches more than one field of the writer's ${writer.fullName}, by name and aliases: ${names.join(', ')}.`, 'Remove the aliases that are names of other fields, or its own.', { field: field.name });
  }
  return names[0] === undefined ? undefined : writer.fieldByName.get(names[0]);
}

/** An enum's own default is for unknown symbols, not for a missing field; Java compares the enum with the writer's record then, and finds other types. */
function missing(field: FieldNode, writer: RecordNode, path: string): Incompatibility {
  const type = actual(field.type);
  return type.kind === 'enum' && type.default !== undefined ? fault.enumMissing(type, field, writer, path) : fault.missing(field, writer, path);
}
