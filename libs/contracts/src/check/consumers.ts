import type { AvroNode } from '../avro-json.js';
import type { ConsumerVerdict, Verdict } from './finding.js';
import type { Readings, Select } from './readings.js';
import type { Version } from './wire.js';

type Reason = ConsumerVerdict['reasons'][number];

export interface Judged {
  readonly verdict: Verdict;
  /** Empty when SAFE. */
  readonly reasons: readonly Reason[];
}

const SAFE: Judged = { verdict: 'SAFE', reasons: [] };
const NOT_DECLARED: Judged = { verdict: 'BROKEN', reasons: [{ field: '', message: 'the fact is not declared any more' }] };

/**
 * What becomes of software that reads a selection of one version when facts are stated with another: DEGRADED when what it selects comes from a default.
 * @param stated undefined when the fact is not declared any more.
 */
export function forward(readings: Readings, select: Select, known: AvroNode, stated: AvroNode | undefined): Judged {
  if (!stated) return NOT_DECLARED;
  const broken = readings.faultsOfSelection(known, select, stated, { defaults: true });
  if (broken.length > 0) return { verdict: 'BROKEN', reasons: broken.map(reasonOf) };
  const defaulted = readings.faultsOfSelection(known, select, stated, { defaults: false });
  if (defaulted.length === 0) return SAFE;
  return { verdict: 'DEGRADED', reasons: defaulted.map(({ path }) => ({ field: path, message: 'would come from a default' })) };
}

/** Whether a selection of a schema reads everything that was stated before: a read model is rebuilt from all of it. */
export function replay(readings: Readings, select: Select, schema: AvroNode, versions: readonly Version[]): Judged {
  const faults = versions.flatMap((version) => readings.faultsOfSelection(schema, select, version.schema, { defaults: true }));
  return faults.length === 0 ? SAFE : { verdict: 'BROKEN', reasons: faults.map(reasonOf) };
}

/** The worse verdict, with the reasons of all that are not SAFE: one per field, the first. */
export function worstOf(judged: readonly Judged[]): Judged {
  const verdict = judged.reduce<Verdict>((worst, { verdict: other }) => (RANK[other] > RANK[worst] ? other : worst), 'SAFE');
  const reasons = new Map<string, Reason>();
  for (const reason of judged.toSorted((one, other) => RANK[other.verdict] - RANK[one.verdict]).flatMap((one) => one.reasons)) {
    if (!reasons.has(reason.field)) reasons.set(reason.field, reason);
  }
  return { verdict, reasons: [...reasons.values()] };
}

export const RANK: Readonly<Record<Verdict, number>> = { SAFE: 0, DEGRADED: 1, BROKEN: 2 };

function reasonOf({ path, message }: { path: string; message: string }): Reason {
  return { field: path, message };
}
