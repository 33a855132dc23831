import type { FactlineError } from 'factline/kernel';
import type { AvroField, AvroJson, AvroNode } from '../avro-json.js';
import { allFields, readerSchema, selectFields } from '../selection.js';
import type { ConsumerVerdict, Verdict } from './finding.js';
import { readingFaults } from './reading.js';
import type { Version } from './wire.js';

type Reason = ConsumerVerdict['reasons'][number];

/** What one app reads of one fact. */
export interface Selection {
  /** Field paths, or `*`. */
  readonly select: readonly string[] | '*';
}

/**
 * What a change does to one selection: the worse of two readings.
 *
 * Forward: what the app knows today is its selection of the version before, so that a field which is gone is missed; that reader has to read the new facts.
 * Replay: the selection of the new version has to read the facts before, since a read model is rebuilt from all of them.
 * @param after undefined when the fact is not declared any more.
 * @returns `unknown` when neither version has what is selected.
 */
export function verdictOf({ select }: Selection, before: readonly Version[], after: AvroNode | undefined): { verdict: Verdict; reasons: Reason[] } | 'unknown' {
  const last = before.at(-1);
  if (!after) return last ? { verdict: 'BROKEN', reasons: [{ field: '', message: 'the fact is not declared any more' }] } : 'unknown';
  const known = last && readerOf(last.schema, select);
  const next = readerOf(after, select);
  if (!known && !next) return 'unknown';
  const replay = next ? before.flatMap((version) => unreadable(next, version.schema)) : [];
  const forward = known ? judge(known, after) : { verdict: 'SAFE' as const, reasons: [] };
  return replay.length > 0 ? { verdict: 'BROKEN', reasons: distinct([...forward.reasons, ...replay]) } : forward;
}

function judge(reader: AvroNode, writer: AvroNode): { verdict: Verdict; reasons: Reason[] } {
  const broken = unreadable(reader, writer);
  if (broken.length > 0) return { verdict: 'BROKEN', reasons: broken };
  const defaulted = readingFaults(withoutDefaults(reader) as AvroNode, writer);
  if (defaulted.length === 0) return { verdict: 'SAFE', reasons: [] };
  return { verdict: 'DEGRADED', reasons: defaulted.map(({ path }) => ({ field: path, message: 'would come from a default' })) };
}

function unreadable(reader: AvroNode, writer: AvroNode): Reason[] {
  return readingFaults(reader, writer).map(({ path, message }) => ({ field: path, message }));
}

function distinct(reasons: readonly Reason[]): Reason[] {
  return [...new Map(reasons.map((reason) => [reason.field, reason])).values()];
}

/** Undefined when the schema has not all of what is selected. */
function readerOf(schema: AvroNode, select: Selection['select']): AvroNode | undefined {
  try {
    return readerSchema(selectFields(schema, select === '*' ? allFields(schema) : select, { file: '', path: '' }));
  } catch (error) {
    if ((error as FactlineError).code === 'contract.unknown-field') return undefined;
    throw error;
  }
}

function withoutDefaults(schema: AvroJson): AvroJson {
  if (typeof schema === 'string') return schema;
  if (Array.isArray(schema)) return schema.map(withoutDefaults);
  const { default: _dropped, ...out } = schema;
  if (out.fields) out.fields = out.fields.map((field) => withoutDefaults(field as AvroNode) as AvroField);
  if (out.items !== undefined) out.items = withoutDefaults(out.items);
  if (out.values !== undefined) out.values = withoutDefaults(out.values);
  if (typeof out.type === 'object') out.type = withoutDefaults(out.type);
  return out as AvroNode;
}
