import type { AvroNode } from '../avro-json.js';
import { canonicalJson } from '../canonical.js';
import { deprecationText, soundDeprecation } from '../evolve/annotation.js';
import { type FieldRow, fieldRows } from './field-rows.js';

/** What is otherwise in one version of a fact than in another. */
export interface FactChange {
  readonly kind: 'added' | 'removed' | 'changed';
  /** Empty for the fact itself. */
  readonly path: string;
  readonly message: string;
}

/** Field by field, the record's own documentation included, in the order of the new version and then what is gone. */
export function changesBetween(before: AvroNode, after: AvroNode): FactChange[] {
  const [was, is] = [before, after].map((record) => new Map([ofRecord(record), ...fieldRows(record)].map((row) => [row.path, row])));
  const kept = [...is!.values()].flatMap((row): FactChange[] => {
    const old = was!.get(row.path);
    if (!old) return [{ kind: 'added', path: row.path, message: `${row.type}${defaultText(row)}` }];
    const parts = PARTS.flatMap(({ of, says }) => (canonicalJson(of(old) ?? null) === canonicalJson(of(row) ?? null) ? [] : [says(old, row)]));
    return parts.length > 0 ? [{ kind: 'changed', path: row.path, message: parts.join('; ') }] : [];
  });
  const gone = [...was!.values()].filter(({ path }) => !is!.has(path)).map(({ path, type }): FactChange => ({ kind: 'removed', path, message: `it was ${type}` }));
  return [...kept, ...gone];
}

function ofRecord(record: AvroNode): FieldRow {
  const deprecated = soundDeprecation(record);
  return { path: '', type: 'record', ...(record.doc && { doc: record.doc }), ...(deprecated && { deprecated }) };
}

interface Part {
  readonly of: (row: FieldRow) => unknown;
  readonly says: (was: FieldRow, is: FieldRow) => string;
}

const PARTS: readonly Part[] = [
  { of: ({ type }) => type, says: (was, is) => `was ${was.type}, is ${is.type}` },
  { of: ({ symbols }) => symbols, says: (was, is) => `symbols were ${listed(was.symbols)}, are ${listed(is.symbols)}` },
  { of: ({ default: value }) => ({ value }), says: (was, is) => `default was ${jsonText(was.default)}, is ${jsonText(is.default)}` },
  { of: ({ unit }) => unit, says: (was, is) => `unit was ${was.unit ?? 'not said'}, is ${is.unit ?? 'not said'}` },
  { of: ({ tags }) => tags, says: (was, is) => `tags were ${listed(was.tags)}, are ${listed(is.tags)}` },
  { of: ({ deprecated }) => deprecated, says: (_was, is) => (is.deprecated ? `deprecated ${deprecationText(is.deprecated)}` : 'not deprecated any more') },
  { of: ({ doc }) => doc, says: () => 'described in other words' },
];

function defaultText(row: FieldRow): string {
  return row.default === undefined ? '' : `, default ${jsonText(row.default)}`;
}

function jsonText(value: unknown): string {
  return value === undefined ? 'none' : JSON.stringify(value);
}

function listed(texts: readonly string[] | undefined): string {
  return texts === undefined || texts.length === 0 ? 'none' : texts.join(', ');
}
