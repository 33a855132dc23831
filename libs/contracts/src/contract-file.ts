import { readFile } from 'node:fs/promises';
import { declarationError, suggestion } from './declaration-error.js';
import type { DeclaredFact, DeclaredSchemas } from './schemas.js';
import { allFields, selectFields } from './selection.js';
import { onlyKeys, parseYaml } from './topics.js';
import type { AvroNode } from './avro-json.js';

/** What one app reads of a fact, and why. */
export interface Consumption {
  readonly fact: DeclaredFact;
  /** Field paths as declared; `*` is written out. */
  readonly select: readonly string[];
  readonly purpose: string;
  /** The selected part of the writer schema, documentation included. */
  readonly selected: AvroNode;
}

/** apps/<app>/contracts.yaml, checked against schemas/. */
export interface Contract {
  readonly file: string;
  readonly app: string;
  readonly owner: string;
  readonly produces: readonly DeclaredFact[];
  readonly consumes: readonly Consumption[];
}

/**
 * Reads what an app declares it produces and consumes.
 * @throws FactlineError (configuration, with `details.file` and `details.path`) `declaration.unreadable`, `contract.invalid`, `contract.unknown-fact`, `contract.unknown-field`,
 * `contract.duplicate`, `contract.foreign-topic`, `contract.wildcard`, `contract.selection-conflict`.
 */
export async function loadContract(file: string, schemas: DeclaredSchemas): Promise<Contract> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw declarationError('declaration.unreadable', { file }, 'the contract cannot be read.', 'Write a contracts.yaml into the folder of the app.', {}, error);
  }
  return parseContract(text, file, schemas);
}

export function parseContract(text: string, file: string, schemas: DeclaredSchemas): Contract {
  const found = parseYaml(text, file);
  onlyKeys(found, ['app', 'owner', 'produces', 'consumes'], { file, path: '$' }, 'contract.invalid');
  const app = asText(found.app, file, '$.app');
  const owner = asText(found.owner, file, '$.owner');
  const produces = asList(found.produces, file, '$.produces').map((entry, at) => produced(asText(entry, file, `$.produces[${at}]`), app, { file, path: `$.produces[${at}]` }, schemas));
  refuseDuplicates(produces, file, '$.produces');
  const consumes = asList(found.consumes, file, '$.consumes').map((entry, at) => consumed(entry, { file, path: `$.consumes[${at}]` }, schemas));
  refuseDuplicates(consumes.map((consumption) => consumption.fact), file, '$.consumes');
  return { file, app, owner, produces, consumes };
}

interface Place {
  file: string;
  path: string;
}

function produced(name: string, app: string, at: Place, schemas: DeclaredSchemas): DeclaredFact {
  const fact = known(name, at, schemas);
  if (fact.topic.owner !== app) {
    throw declarationError('contract.foreign-topic', at, `${name} belongs to the topic ${fact.topic.name}, which '${fact.topic.owner}' owns, not '${app}'.`, 'Each topic has one producer: state a fact of your own, or ask the owner.', { factName: name, owner: fact.topic.owner });
  }
  return fact;
}

function consumed(entry: unknown, at: Place, schemas: DeclaredSchemas): Consumption {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) throw wrong(at, 'must hold fact, select and purpose');
  const declared = entry as Record<string, unknown>;
  onlyKeys(declared, ['fact', 'select', 'purpose', 'reason'], at, 'contract.invalid');
  const fact = known(asText(declared.fact, at.file, `${at.path}.fact`), { file: at.file, path: `${at.path}.fact` }, schemas);
  const purpose = asText(declared.purpose, at.file, `${at.path}.purpose`);
  const place = { file: at.file, path: `${at.path}.select` };
  const select = selection(declared, fact, place);
  return { fact, select, purpose, selected: selectFields(fact.schema, select, place) };
}

function selection(declared: Record<string, unknown>, fact: DeclaredFact, at: Place): string[] {
  if (declared.select !== '*') {
    const select = asList(declared.select, at.file, at.path).map((path, index) => asText(path, at.file, `${at.path}[${index}]`));
    if (select.length === 0) throw wrong(at, 'must name at least one field');
    if (!select.includes('*')) return select;
  }
  if (typeof declared.reason !== 'string' || declared.reason.trim() === '') {
    throw declarationError('contract.wildcard', at, `'*' selects every field of ${fact.factName}, personal data included.`, 'Name the fields that are used, or add a reason: why all of them are needed.', { factName: fact.factName });
  }
  return allFields(fact.schema);
}

function known(name: string, at: Place, schemas: DeclaredSchemas): DeclaredFact {
  const fact = schemas.facts.get(name);
  if (!fact) throw declarationError('contract.unknown-fact', at, `there is no fact '${name}'.`, suggestion(name, schemas.facts.keys(), 'Declare it under schemas/ first.'), { factName: name });
  return fact;
}

function refuseDuplicates(facts: readonly DeclaredFact[], file: string, path: string): void {
  facts.forEach((fact, at) => {
    if (facts.indexOf(fact) === at) return;
    throw declarationError('contract.duplicate', { file, path: `${path}[${at}]` }, `${fact.factName} is listed twice.`, 'Keep one entry per fact.', { factName: fact.factName });
  });
}

function asText(value: unknown, file: string, path: string): string {
  if (typeof value !== 'string' || value.trim() === '') throw wrong({ file, path }, 'must be text');
  return value;
}

function asList(value: unknown, file: string, path: string): unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrong({ file, path }, 'must be a list');
  return value;
}

function wrong(at: Place, expectation: string): Error {
  return declarationError('contract.invalid', at, `it ${expectation}.`, 'Each contract holds app, owner, produces: [names] and consumes: [{fact, select, purpose}].');
}
