import type { AvroNode } from '../avro-json.js';
import type { CompatibilityLevel } from '../facts.js';
import { bindsOldReaders, isTransitive, readsOldFacts } from '../levels.js';
import type { Readings } from './readings.js';
import type { RuleId } from './rules.js';

/** A schema as it was before, and what to call the moments at which it was so. */
export interface Version {
  readonly names: readonly string[];
  readonly schema: AvroNode;
  /** Whether it is the last one of some base: what levels that are not transitive compare with. */
  readonly last: boolean;
}

export interface WireChange {
  readonly rule: RuleId;
  readonly path: string;
  readonly message: string;
  /** Versions that cannot be read with the new schema, or cannot read it. */
  readonly against: string[];
}

/**
 * What the level forbids between a schema and the versions before it: `BACKWARD` has the new schema read the old facts, `FORWARD` the old schemas read the new
 * facts, `FULL` both; without `_TRANSITIVE` the last versions count alone.
 */
export function changesOnTheWire(schema: AvroNode, versions: readonly Version[], level: CompatibilityLevel, readings: Readings): WireChange[] {
  const found = new Map<string, WireChange>();
  const note = (rule: RuleId, path: string, message: string, { names }: Version) => {
    const key = `${rule} ${path}`;
    const change = found.get(key);
    if (!change) found.set(key, { rule, path, message, against: [...names] });
    else change.against.push(...names.filter((name) => !change.against.includes(name)));
  };
  for (const version of isTransitive(level) ? versions : versions.filter(({ last }) => last)) {
    for (const direction of directionsOf(level)) {
      const [reader, writer] = direction === 'backward' ? [schema, version.schema] : [version.schema, schema];
      for (const { rule, path, message, readerType } of readings.faults(reader, writer)) {
        if (rule !== 'field-without-default') note(rule, path, message, version);
        else if (direction === 'backward') note(rule, path, `It is new (${readerType}) and has no default.`, version);
        else note('field-removed', path, `It was ${readerType} without a default, and is gone.`, version);
      }
    }
  }
  return [...found.values()];
}

function directionsOf(level: CompatibilityLevel): ('backward' | 'forward')[] {
  return [...(readsOldFacts(level) ? (['backward'] as const) : []), ...(bindsOldReaders(level) ? (['forward'] as const) : [])];
}
