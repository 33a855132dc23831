import { isDay } from '../day.js';
import { type Location, declarationError, suggestion } from '../declaration-error.js';

/**
 * What `deprecated` of a field or a fact says, in the words of xRegistry 1.0: from `effective` on it should not be read by new software, from `removal` on by none.
 * Dates are days in UTC: `2027-02-01`.
 */
export interface Deprecation {
  readonly effective: string;
  readonly removal: string;
  /** What to read instead. Of a field: a path from the record that holds it, or from the fact. Of a fact: a fact. */
  readonly alternative?: string;
  /** Where to read more, or a sentence. */
  readonly documentation?: string;
}

/** `at` is the key of the annotation in question; empty for the whole. */
export interface AnnotationFault {
  readonly at: string;
  readonly message: string;
}

/** What may carry the annotation: a field or a record as it is written. */
interface Annotated {
  readonly [attribute: string]: unknown;
}

const KEYS: readonly (keyof Deprecation)[] = ['effective', 'removal', 'alternative', 'documentation'];

/** All that is wrong with an annotation by itself; whether its alternative exists is not asked here. */
export function annotationFaults({ deprecated }: Annotated): AnnotationFault[] {
  if (deprecated === undefined) return [];
  if (typeof deprecated !== 'object' || deprecated === null || Array.isArray(deprecated)) return [{ at: '', message: 'It must be an object with effective and removal.' }];
  const written = deprecated as Record<string, unknown>;
  const faults: AnnotationFault[] = Object.keys(written)
    .filter((key) => !KEYS.includes(key as keyof Deprecation))
    .map((key) => ({ at: key, message: `'${key}' is not part of it. ${suggestion(key, KEYS, `Known: ${KEYS.join(', ')}.`)}` }));
  for (const key of ['effective', 'removal'] as const) {
    if (!isDay(written[key])) faults.push({ at: key in written ? key : '', message: `${key} must be a day such as 2027-02-01.` });
  }
  for (const key of ['alternative', 'documentation'] as const) {
    if (key in written && (typeof written[key] !== 'string' || written[key].trim() === '')) faults.push({ at: key, message: `${key} must be text.` });
  }
  const { effective, removal } = written;
  if (isDay(effective) && isDay(removal) && removal <= effective) faults.push({ at: 'removal', message: `removal, ${removal}, must be after effective, ${effective}.` });
  return faults;
}

/** The annotation, if there is one and nothing is wrong with it. */
export function soundDeprecation(annotated: Annotated): Deprecation | undefined {
  return annotated.deprecated === undefined || annotationFaults(annotated).length > 0 ? undefined : (annotated.deprecated as Deprecation);
}

/** The annotation, if there is one. @throws FactlineError `schema.deprecation-invalid` (configuration) with file and path. */
export function deprecationOf(annotated: Annotated, at: Location): Deprecation | undefined {
  const [fault] = annotationFaults(annotated);
  if (fault) {
    const path = fault.at === '' ? `${at.path}.deprecated` : `${at.path}.deprecated.${fault.at}`;
    throw declarationError('schema.deprecation-invalid', { file: at.file, path }, fault.message, 'Write "deprecated": {"effective": "2026-11-21", "removal": "2027-02-01", "alternative": "<field>"}.');
  }
  return annotated.deprecated as Deprecation | undefined;
}

/** A sentence for people: since when, until when, what instead. */
export function deprecationText({ effective, removal, alternative, documentation }: Deprecation): string {
  return [`since ${effective}, to be removed from ${removal} on${alternative === undefined ? '' : `; use ${alternative} instead`}.`, documentation ?? ''].join(' ').trim();
}
