import { posix } from 'node:path';
import { FactlineError } from 'factline/kernel';
import type { Landscape } from '../check/landscape.js';
import { suggestion } from '../declaration-error.js';
import { META_FIELD } from '../meta.js';
import type { DeclaredFact } from '../schemas.js';
import { type FactField, FactFields } from '../fact-fields.js';

/** Folders below the root, without '/' at the end. */
export interface Folders {
  readonly schemas: string;
  readonly apps: string;
}

/** What a command was told to change: a fact, or a field of it. */
export interface Target {
  readonly fact: DeclaredFact;
  readonly fields: FactFields;
  readonly field: FactField | undefined;
}

/** Takes `hr.EmployeeCreated.address.street` apart. @throws FactlineError (not-found) `evolve.unknown-fact`, `evolve.unknown-field`. */
export function targetOf({ schemas }: Landscape, name: string): Target {
  const fact = [...schemas.facts.values()].findLast(({ factName }) => name === factName || name.startsWith(`${factName}.`));
  if (!fact) throw unknownFact(name, schemas.facts.keys());
  const fields = new FactFields(schemas, fact);
  const path = name.slice(fact.factName.length + 1);
  return { fact, fields, field: path === '' ? undefined : fieldOf(fields, path) };
}

/** @throws FactlineError `evolve.unknown-field` with the nearest name. */
export function fieldOf(fields: FactFields, path: string): FactField {
  const steps = path.split('.');
  const along = fields.along(path);
  const last = along.at(-1);
  if (last && along.length === steps.length) return last;
  const around = last ? fields.recordsIn(last) : [fields.root];
  const names = around.flatMap((record) => fields.fieldsOf(record)).map(({ field }) => field.name);
  const place = steps.slice(0, along.length).join('.');
  const known = names.length > 0 ? `It has: ${names.join(', ')}.` : `'${place}' is not a record.`;
  throw new FactlineError({
    code: 'evolve.unknown-field',
    kind: 'not-found',
    message: `${fields.fact.factName} has no field '${path}'.`,
    advice: suggestion(steps[along.length]!, names, known),
    details: { factName: fields.fact.factName, field: path },
  });
}

export function unknownFact(name: string, known: Iterable<string>): FactlineError {
  return new FactlineError({ code: 'evolve.unknown-fact', kind: 'not-found', message: `There is no fact '${name}'.`, advice: suggestion(name, known, 'Write <fact>.<field>, as in hr.EmployeeCreated.email.'), details: { name } });
}

/** Identity and key are what every consumer and the platform rely on. @throws FactlineError `evolve.not-evolvable`. */
export function refuseFixed({ fact, field }: Target): void {
  const path = field?.path.split('.')[0];
  if (path !== META_FIELD && field?.path !== fact.topic.keyField) return;
  const why = path === META_FIELD ? 'every fact begins with it, and the platform reads it' : `it is the key of the topic ${fact.topic.name}`;
  throw new FactlineError({ code: 'evolve.not-evolvable', kind: 'invalid', message: `${fact.factName}.${field!.path} stays as it is: ${why}.`, advice: 'A fact with another key is another fact: contracts new-major.', details: { factName: fact.factName, field: field!.path } });
}

/** The file of a declaration, below the root. */
export function fileOf({ schemas }: Folders, file: string): string {
  return posix.join(schemas, file);
}
