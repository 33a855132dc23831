import type { Definition } from '../bundle.js';
import { META_FIELD, META_NAME } from '../meta.js';
import { SETTINGS_FILE } from '../settings.js';
import { type Finding, type Place, findingAt } from './finding.js';
import type { Landscape } from './landscape.js';
import { RULES } from './rules.js';
import type { StyleRule } from './rules/style.js';
import { Exceptions } from './style/exceptions.js';
import { fieldFaults } from './style/field-rules.js';
import { typeFaults } from './style/type-rules.js';
import { writtenIn } from './style/written.js';

/** A fault and whom it concerns; its place costs reading the file, which what is excepted does not need. */
interface StyleFault {
  readonly rule: StyleRule;
  readonly fact: string;
  readonly field: string;
  readonly message: string;
  place(): Place;
}

/**
 * How schemas and contracts are written, by the rules of rules/style.ts, at the levels and with the exceptions of contracts.config.yaml. All of it is looked at, changed or not.
 *
 * Each fault once: a type that others use is judged in its own file, with its full name as `fact`; a type that is written inside another one belongs to that one.
 * `factline.Meta` and the field of a fact that holds it are the product's and are not judged. Takes time in the size of the files. Whether words are English past tenses, money or times
 * is guessed by lists; nothing is promised about other languages.
 */
export function styleFindings(now: Landscape): Finding[] {
  const { style, ignore } = now.schemas.settings;
  const exceptions = new Exceptions(ignore);
  const faults = [...schemaFaults(now), ...wildcards(now)].filter(({ rule, fact, field }) => !exceptions.cover(rule, fact, field));
  const unused = exceptions.unused().map(({ rule, fact, field = '', path }): StyleFault => ({
    rule: 'exception-unused',
    fact,
    field,
    message: `Nothing here breaks ${rule}.`,
    place: () => now.places.inSchemas(SETTINGS_FILE, path),
  }));
  return [...faults, ...unused].flatMap(({ rule, fact, field, message, place }) => {
    const severity = style[rule] ?? RULES[rule].severity;
    return severity === 'off' ? [] : [findingAt(rule, { fact, field, place: place() }, message, { severity })];
  });
}

function schemaFaults(now: Landscape): StyleFault[] {
  const roots = [...now.schemas.definitions.values()].filter(({ path, fullName }) => path === '$' && fullName !== META_NAME);
  return roots.flatMap((root) => faultsIn(root, now));
}

function faultsIn(root: Definition, { schemas, places }: Landscape): StyleFault[] {
  const { fullName: fact, file } = root;
  const declared = schemas.facts.get(fact);
  const { types, fields } = writtenIn(root);
  const found = [...types.map((type) => ({ site: type, faults: typeFaults(type, file, declared?.topic) })), ...fields.map((field) => ({ site: field, faults: fieldFaults(field) }))];
  return found
    .filter(({ site: { field } }) => !(declared && (field === META_FIELD || field.startsWith(`${META_FIELD}.`))))
    .flatMap(({ site: { field }, faults }) => faults.map(({ rule, path, message }) => ({ rule, fact, field, message, place: () => places.inSchemas(file, path) })));
}

function wildcards({ contracts, places }: Landscape): StyleFault[] {
  return contracts.flatMap(({ app, file, consumes }) =>
    consumes
      .filter(({ select }) => select === '*')
      .map(({ fact, reason, path }): StyleFault => ({
        rule: 'wildcard-select',
        fact,
        field: '',
        message: `${app} selects every field, also those to come.${reason === undefined ? '' : ` Its reason: ${reason}`}`,
        place: () => places.inFile(file, `${path}.select`),
      })),
  );
}
