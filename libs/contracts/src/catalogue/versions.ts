import type { AvroNode } from '../avro-json.js';
import { canonicalJson, fingerprintOf } from '../canonical.js';
import type { RegisteredSubject } from '../lock/history.js';
import { normalForm } from '../lock/normal-form.js';
import { deprecationText, soundDeprecation } from '../evolve/annotation.js';
import { type FieldRow, fieldRows } from './field-rows.js';

/** One version of a fact and what it changed. */
export interface FactVersion {
  /** Absent: what is declared and not registered. */
  readonly version?: number;
  /** In the registry. */
  readonly id?: number;
  readonly fingerprint: string;
  /** Against the version before it; empty for the first. */
  readonly changes: readonly FactChange[];
}

export interface FactChange {
  readonly kind: 'added' | 'removed' | 'changed';
  /** Empty for the fact itself. */
  readonly path: string;
  readonly message: string;
}

/** Every registered version, oldest first, and at the end what is declared when that is another schema. */
export function versionsOf(subject: RegisteredSubject | undefined, declared: AvroNode | undefined): FactVersion[] {
  const known = (subject?.versions ?? []).map(({ version, id, schema }) => ({ version, id, ...inOurWords(schema) }));
  const now = declared && inOurWords(declared);
  const all = now && now.fingerprint !== known.at(-1)?.fingerprint ? [...known, now] : known;
  return all.map(({ schema, ...version }, at) => ({ ...version, changes: at === 0 ? [] : changesBetween(all[at - 1]!.schema, schema) }));
}

/** Registries and people write one schema in many ways. */
function inOurWords(written: AvroNode): { schema: AvroNode; fingerprint: string } {
  const schema = normalForm(written);
  return { schema, fingerprint: fingerprintOf(schema) };
}

/** Field by field, the record's own documentation included, in the order of the new version and then what is gone. */
function changesBetween(before: AvroNode, after: AvroNode): FactChange[] {
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
