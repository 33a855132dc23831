import { type AnnotationFault, type Deprecation, annotationFaults, deprecationText, soundDeprecation } from '../evolve/annotation.js';
import { type FactField, FactFields } from '../fact-fields.js';
import { META_FIELD } from '../meta.js';
import type { DeclaredFact } from '../schemas.js';
import { type Finding, findingAt, plain } from './finding.js';
import { type Consumption, type Landscape, consumptionsOf } from './landscape.js';
import { removalFindings } from './removals.js';
import type { Severity } from './rules.js';

/**
 * The clock of deprecations: annotations that cannot be right, apps that select what is deprecated, and removals that come too early. Linear in schemas and selections.
 *
 * A selection of something deprecated is told (info) before its `effective` day, a warning from then on, an error from its `removal` day on. A removal is fine from
 * that day on, when nobody selects the field any more, neither now nor at a base. Selections are judged as they are declared now.
 * @param before what a removal is seen against; whoever is declared there may still run.
 * @param today `2026-11-21`, in UTC.
 */
export function deprecationFindings(now: Landscape, before: readonly Landscape[], today: string): Finding[] {
  return [...invalid(now), ...selected(now, today), ...removalFindings(now, before, today)];
}

/** Where the alternative of a field is: beside it, or else from the fact. Undefined when it is nowhere, or goes with the field. */
export function alternativeOf(fields: FactFields, { path }: FactField, alternative: string): string | undefined {
  const place = plain(path);
  const beside = place.slice(0, place.lastIndexOf('.') + 1) + alternative;
  const found = [beside, alternative].find((candidate) => fields.along(candidate).length === candidate.split('.').length);
  return found === place || found?.startsWith(`${place}.`) || found?.split('.')[0] === META_FIELD ? undefined : found;
}

function invalid(now: Landscape): Finding[] {
  const found = new Map<string, Finding>();
  for (const fact of now.schemas.facts.values()) {
    const fields = new FactFields(now.schemas, fact);
    /** What several facts share is said once, of the first of them. */
    const note = (field: string, file: string, jsonPath: string, message: string) => {
      const place = now.places.inSchemas(file, jsonPath);
      const key = `${place.file}:${place.line}:${place.column} ${message}`;
      if (!found.has(key)) found.set(key, findingAt('deprecation-invalid', { fact: fact.factName, field, place }, message));
    };
    for (const { at, message } of factFaults(fact, now)) note('', fact.file, pathTo('$', at), message);
    for (const field of fields.below()) {
      for (const { at, message } of fieldFaults(fields, field)) note(field.path, field.record.file, pathTo(field.jsonPath, at), message);
    }
  }
  return [...found.values()];
}

function factFaults({ factName, schema }: DeclaredFact, { schemas }: Landscape): AnnotationFault[] {
  const alternative = soundDeprecation(schema)?.alternative;
  if (alternative === undefined || (alternative !== factName && schemas.facts.has(alternative))) return annotationFaults(schema);
  return [{ at: 'alternative', message: `The alternative must be another fact, and '${alternative}' is none.` }];
}

function pathTo(jsonPath: string, at: string): string {
  return at === '' ? `${jsonPath}.deprecated` : `${jsonPath}.deprecated.${at}`;
}

function fieldFaults(fields: FactFields, found: FactField): AnnotationFault[] {
  const { field, path } = found;
  if (field.deprecated === undefined) return [];
  const { keyField, name } = fields.fact.topic;
  if (path === META_FIELD || path === keyField) return [{ at: '', message: `${path} cannot be deprecated: ${path === META_FIELD ? 'every fact has it' : `it is the key of the topic ${name}`}.` }];
  const alternative = soundDeprecation(field)?.alternative;
  if (alternative === undefined || alternativeOf(fields, found, alternative) !== undefined) return annotationFaults(field);
  return [{ at: 'alternative', message: `The alternative must be another field of ${fields.fact.factName}, and '${alternative}' is none.` }];
}

function selected(now: Landscape, today: string): Finding[] {
  return [...consumptionsOf(now)].flatMap(([factName, consumptions]) => {
    const fact = now.schemas.facts.get(factName);
    if (!fact) return [];
    const fields = new FactFields(now.schemas, fact);
    const whole = soundDeprecation(fact.schema);
    const anyField = [...fields.below()].some(({ field }) => field.deprecated !== undefined);
    return consumptions.flatMap((consumption) => [
      ...(whole ? [finding(now, consumption, '', `${consumption.entry.path}.fact`, whole, today)] : []),
      ...(anyField ? selectedFields(now, consumption, fields, today) : []),
    ]);
  });
}

/** Each deprecated field that an entry reads: on the way to what it names, at it, and below it. What lies below several selections is said at the first. */
function selectedFields(now: Landscape, consumption: Consumption, fields: FactFields, today: string): Finding[] {
  const { select, path } = consumption.entry;
  const said = new Set<string>();
  const findings = (read: Iterable<FactField>, at: string) =>
    [...read].flatMap((found) => {
      const { path: field } = found;
      const deprecation = soundDeprecation(found.field);
      const key = `${at} ${field}`;
      if (!deprecation || said.has(key)) return [];
      said.add(key);
      const { alternative } = deprecation;
      return [finding(now, consumption, field, at, alternative === undefined ? deprecation : { ...deprecation, alternative: alternativeOf(fields, found, alternative) ?? alternative }, today)];
    });
  if (select === '*') return findings(fields.below(), `${path}.select`);
  const below = new Set<string>();
  return select.flatMap(({ field, path: at }) => {
    const along = fields.along(field);
    const last = along.at(-1);
    if (!last || along.length < field.split('.').length) return [];
    const inside = [...fields.below(last)].filter(({ record, field: { name } }) => !below.has(`${record.fullName}.${name}`));
    for (const { record, field: { name } } of inside) below.add(`${record.fullName}.${name}`);
    return findings([...along, ...inside], at);
  });
}

function finding(now: Landscape, { app, file, entry }: Consumption, field: string, at: string, deprecation: Deprecation, today: string): Finding {
  const message = `${app} ${field === '' ? 'reads the fact' : `selects ${field}`}, which is deprecated ${deprecationText(deprecation)}`;
  const found = findingAt('selects-deprecated', { fact: entry.fact, field, place: now.places.inFile(file, at) }, message, { severity: severityOn(today, deprecation) });
  return deprecation.alternative === undefined ? { ...found, advice: `Stop selecting it before ${deprecation.removal}: nothing replaces it.` } : found;
}

function severityOn(today: string, { effective, removal }: Deprecation): Severity {
  if (today < effective) return 'info';
  return today < removal ? 'warning' : 'error';
}
