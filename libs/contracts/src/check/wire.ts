import type { AvroNode } from '../avro-json.js';
import type { CompatibilityLevel } from '../facts.js';
import { readingFaults } from './reading.js';
import type { RuleId } from './rules.js';

/** A schema as it was at some moment, and what to call that moment. */
export interface Version {
  readonly name: string;
  readonly schema: AvroNode;
}

export interface WireChange {
  readonly rule: RuleId;
  readonly path: string;
  readonly message: string;
  /** Versions that cannot be read with the new schema, or cannot read it. */
  readonly against: string[];
}

/**
 * What the level forbids between a schema and the versions before it, oldest first: `BACKWARD` has the new schema read the old facts, `FORWARD` the old schemas
 * read the new facts, `FULL` both; without `_TRANSITIVE` the last version counts alone.
 */
export function changesOnTheWire(schema: AvroNode, versions: readonly Version[], level: CompatibilityLevel): WireChange[] {
  const found = new Map<string, WireChange>();
  const note = (rule: RuleId, path: string, message: string, version: Version) => {
    const key = `${rule} ${path}`;
    const change = found.get(key);
    if (!change) found.set(key, { rule, path, message, against: [version.name] });
    else if (!change.against.includes(version.name)) change.against.push(version.name);
  };
  for (const version of level.endsWith('_TRANSITIVE') ? versions : versions.slice(-1)) {
    for (const direction of directionsOf(level)) {
      const [reader, writer] = direction === 'backward' ? [schema, version.schema] : [version.schema, schema];
      for (const { rule, path, message, readerType } of readingFaults(reader, writer)) {
        if (rule !== 'field-without-default') note(rule, path, message, version);
        else if (direction === 'backward') note(rule, path, `It is new (${readerType}) and has no default.`, version);
        else note('field-removed', path, `It was ${readerType} without a default, and is gone.`, version);
      }
    }
  }
  return [...found.values()];
}

function directionsOf(level: CompatibilityLevel): ('backward' | 'forward')[] {
  if (level === 'NONE') return [];
  if (level.startsWith('BACKWARD')) return ['backward'];
  return level.startsWith('FORWARD') ? ['forward'] : ['backward', 'forward'];
}
