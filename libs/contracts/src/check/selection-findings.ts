import type { FactlineError } from 'factline/kernel';
import type { AvroNode } from '../avro-json.js';
import type { RawConsumption } from '../raw-contract.js';
import { selectFields } from '../selection.js';
import { type Finding, findingAt } from './finding.js';
import { type Landscape, selectOf } from './landscape.js';
import type { Readings } from './readings.js';
import type { Subject } from './subjects.js';
import { TaggedFields } from './tagged.js';

/**
 * Entries of the working tree that nothing can be generated from: for facts and fields that neither it nor any version before it has (what was there is a removal, not
 * a typo), and for what is selected twice.
 */
export function selectionFindings({ factName, now: is, versions, consumptions }: Subject, now: Landscape, readings: Readings): Finding[] {
  const schemas = [...(is ? [is.schema] : []), ...versions.filter(({ last }) => last).map(({ schema }) => schema)];
  return consumptions.filter(({ landscape }) => landscape === now).flatMap(({ file, entry }) => {
    const at = (field: string, path: string) => ({ fact: factName, field, place: now.places.inFile(file, path) });
    if (schemas.length === 0) {
      const type = now.schemas.definitions.get(factName);
      const what = type ? `'${factName}' is a type of ${type.file}, but no fact: a fact lies in a folder with a topic.yaml.` : `There is no fact '${factName}'.`;
      return [findingAt('selects-unknown', at('', entry.path), what, { against: [now.name] })];
    }
    if (entry.select === '*' || schemas.some((schema) => readings.has(schema, selectOf(entry)))) return [];
    const fields = schemas.map((schema) => new TaggedFields(schema));
    const unknown = entry.select.filter(({ field }) => !fields.some((known) => known.has(field)));
    if (unknown.length === 0) return refusals(entry, schemas).map(({ path, message }) => findingAt('selection-refused', at('', path), message, { against: [now.name] }));
    return unknown.map(({ field, path }) => findingAt('selects-unknown', at(field, path), `${factName} has no field '${field}'.`, { against: [now.name] }));
  });
}

/** Why nothing can be generated from a selection though all of its fields are there; of the first schema that says so. */
function refusals({ select, path }: RawConsumption, schemas: readonly AvroNode[]): { path: string; message: string }[] {
  if (select === '*') return [];
  for (const schema of schemas) {
    try {
      selectFields(schema, select.map(({ field }) => field), { file: '', path: `${path}.select` });
    } catch (error) {
      const { code, details } = error as FactlineError;
      const field = String(details['field']);
      if (code === 'contract.duplicate') return [{ path: String(details['path']), message: `'${field}' is selected twice.` }];
      if (code === 'contract.selection-conflict') return [{ path: `${path}.select`, message: `'${field}' and another field have the type ${String(details['type'])}, but other parts of it are selected.` }];
      if (code !== 'contract.unknown-field') throw error;
    }
  }
  return [];
}
