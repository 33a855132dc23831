import type { AvroNode } from '../avro-json.js';
import { type FactChange, changesBetween } from '../check/fact-changes.js';
import type { RegisteredSubject } from '../lock/history.js';
import { writersOf } from '../lock/writers.js';

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

/** Every registered version, oldest first, and at the end what is declared when that is another schema. */
export function versionsOf(subject: RegisteredSubject | undefined, declared: AvroNode | undefined): FactVersion[] {
  const all = writersOf(subject, declared);
  return all.map(({ schema, ...version }, at) => ({ ...version, changes: at === 0 ? [] : changesBetween(all[at - 1]!.schema, schema) }));
}
