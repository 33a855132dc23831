import { type ActualNode, type EnumNode, type FieldNode, type FixedNode, type NamedNode, type RecordNode, type SchemaNode, type UnionNode, actual, describe } from './parsed-schema.js';
import { pointerTo } from './schema-error.js';

/**
 * What a reader cannot take of what a writer may write. One to one with SchemaIncompatibilityType of Avro for Java: READER_FIELD_MISSING_DEFAULT_VALUE, TYPE_MISMATCH,
 * MISSING_UNION_BRANCH, MISSING_ENUM_SYMBOLS, FIXED_SIZE_MISMATCH, NAME_MISMATCH.
 */
export type IncompatibilityKind = 'field-without-default' | 'type-changed' | 'union-branch-removed' | 'enum-symbol-unknown' | 'fixed-size-changed' | 'name-changed';

export interface Incompatibility {
  readonly kind: IncompatibilityKind;
  /** Where, in the reader's fields: `address.zip`, `lines[].sku` (array), `labels{}.text` (map); empty for the whole. A type that is used in many places has the first. */
  readonly path: string;
  /** JSON pointers to the definitions that differ. For a missing field the writer's is the record that lacks it. */
  readonly readerPointer: string;
  readonly writerPointer: string;
  readonly readerType: string;
  readonly writerType: string;
  readonly message: string;
}

const NAMES_SHOWN = 10;

/** The faults, by what they are about. */
export const fault = {
  type: (reader: SchemaNode, writer: SchemaNode, path: string) =>
    made('type-changed', path, [reader, writer], `${subject(path)} was written as ${describe(writer)} and cannot be read as ${describe(reader)}.`),

  missing: (field: FieldNode, writer: RecordNode, path: string): Incompatibility => ({
    ...made('field-without-default', path, [field.type, writer], `${subject(path)} is not in the writer's ${describe(writer)}, and the reader has no default for it.`),
    readerPointer: field.pointer,
  }),

  enumMissing: (type: EnumNode, field: FieldNode, writer: RecordNode, path: string): Incompatibility => ({
    ...made('type-changed', path, [type, writer], `${subject(path)} is not in the writer's ${describe(writer)}, and the reader's field has no default; the default of the enum is for unknown symbols only.`),
    readerPointer: field.pointer,
  }),

  branch: (reader: UnionNode, writer: ActualNode, path: string, reasons: readonly string[]) =>
    made('union-branch-removed', path, [reader, writer], [`${subject(path)} may be written as ${describe(writer)}, which no branch of the reader's ${describe(reader)} takes.`, ...reasons].join(' ')),

  symbols: (reader: EnumNode, writer: EnumNode, path: string, missing: readonly string[]) =>
    made('enum-symbol-unknown', path, [reader, writer], `${subject(path)} may be ${listed(missing)}, which the reader's ${describe(reader)} does not know; it has no default.`, 'symbols'),

  size: (reader: FixedNode, writer: FixedNode, path: string) =>
    made('fixed-size-changed', path, [reader, writer], `${subject(path)} was written with ${writer.size} bytes and is read with ${reader.size}.`, 'size'),

  name: (reader: NamedNode, writer: NamedNode, path: string) =>
    made('name-changed', path, [reader, writer], `${subject(path)} was written as ${describe(writer)} and is read as ${describe(reader)}, which has no alias '${writer.fullName}'.`, 'name'),
};

function made(kind: IncompatibilityKind, path: string, [reader, writer]: readonly [SchemaNode, SchemaNode], message: string, attribute?: string): Incompatibility {
  const at = (node: SchemaNode) => (attribute === undefined ? actual(node).pointer : pointerTo(actual(node).pointer, attribute));
  return { kind, path, readerPointer: at(reader), writerPointer: at(writer), readerType: describe(reader), writerType: describe(writer), message };
}

/** How a message begins. */
export function subject(path: string): string {
  return path === '' ? 'The value' : `'${path}'`;
}

/** The first of many. */
export function listed(names: readonly string[]): string {
  const more = names.length - NAMES_SHOWN;
  return `${names.slice(0, NAMES_SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
