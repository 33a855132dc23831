import type { AvroNode } from '../avro-json.js';
import { fingerprintOf } from '../canonical.js';
import type { RegisteredSubject } from './history.js';
import { normalForm } from './normal-form.js';

/** A schema that facts on a topic may be written with, in our words. */
export interface WriterVersion {
  /** Absent: what is declared and not registered. */
  readonly version?: number;
  /** In the registry. */
  readonly id?: number;
  readonly schema: AvroNode;
  readonly fingerprint: string;
}

/** Every registered version, oldest first, and at the end what is declared when that is another schema. */
export function writersOf(subject: RegisteredSubject | undefined, declared: AvroNode | undefined): WriterVersion[] {
  const known = (subject?.versions ?? []).map(({ version, id, schema }) => ({ version, id, ...inOurWords(schema) }));
  const now = declared && inOurWords(declared);
  return now && now.fingerprint !== known.at(-1)?.fingerprint ? [...known, now] : known;
}

/** Registries and people write one schema in many ways. */
function inOurWords(written: AvroNode): { schema: AvroNode; fingerprint: string } {
  const schema = normalForm(written);
  return { schema, fingerprint: fingerprintOf(schema) };
}
