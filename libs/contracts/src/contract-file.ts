import type { AvroNode } from './avro-json.js';
import { type FileTree, workingTree } from './trees/tree.js';
import { type Location, declarationError, suggestion } from './declaration-error.js';
import { type RawConsumption, type RawContract, declaredContracts, parseRaw } from './raw-contract.js';
import type { DeclaredFact, DeclaredSchemas } from './schemas.js';
import { allFields, selectFields } from './selection.js';

/** What one app reads of a fact, and why. */
export interface Consumption {
  readonly fact: DeclaredFact;
  /** Field paths as declared; `*` is written out. */
  readonly select: readonly string[];
  readonly purpose: string;
  /** Tags that may be read for this purpose. Nothing here holds fields against them: `factline contracts check` does. */
  readonly grants: readonly string[];
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
 * Reads what an app declares it produces and consumes. A selected field whose tag is not granted is no fault here, nor in generated code: only the check refuses it,
 * so that a tag which is added to a field does not keep an app from starting.
 * @throws FactlineError (configuration, with `details.file` and `details.path`) `declaration.unreadable`, `contract.invalid`, `contract.unknown-fact`, `contract.unknown-field`,
 * `contract.duplicate`, `contract.foreign-topic`, `contract.foreign-command`, `contract.wildcard`, `contract.selection-conflict`.
 */
export async function loadContract(file: string, schemas: DeclaredSchemas): Promise<Contract> {
  return parseContract(await workingTree('').read(file), file, schemas); // '' leaves the path as it was given, absolute or not
}

/** Every apps/<app>/contracts.yaml of a tree, sorted by file, checked against schemas. @throws FactlineError as `loadContract` does. */
export async function readContracts(tree: FileTree, appsFolder: string, schemas: DeclaredSchemas): Promise<Contract[]> {
  return (await declaredContracts(tree, appsFolder)).map((raw) => resolved(raw, schemas));
}

export function parseContract(text: string, file: string, schemas: DeclaredSchemas): Contract {
  return resolved(parseRaw(text, file), schemas);
}

function resolved(raw: RawContract, schemas: DeclaredSchemas): Contract {
  const { file, app, owner } = raw;
  return { file, app, owner, produces: raw.produces.map(({ name, path }) => produced(name, app, { file, path }, schemas)), consumes: raw.consumes.map((entry) => consumed(entry, raw, schemas)) };
}

function produced(name: string, app: string, at: Location, schemas: DeclaredSchemas): DeclaredFact {
  const fact = known(name, at, schemas);
  if (fact.topic.owner !== app && fact.topic.kind !== 'commands') {
    throw declarationError('contract.foreign-topic', at, `${name} belongs to the topic ${fact.topic.name}, which '${fact.topic.owner}' owns, not '${app}'.`, 'Each topic has one producer: state a fact of your own, or ask the owner.', { factName: name, owner: fact.topic.owner });
  }
  return fact;
}

function consumed({ fact: name, select: declared, purpose, grants, path }: RawConsumption, { app, file }: RawContract, schemas: DeclaredSchemas): Consumption {
  const fact = known(name, { file, path: `${path}.fact` }, schemas);
  if (fact.topic.kind === 'commands' && fact.topic.owner !== app) {
    throw declarationError('contract.foreign-command', { file, path: `${path}.fact` }, `${name} is a command of the queue ${fact.topic.name}, which '${fact.topic.owner}' handles, not '${app}'.`, 'A command has one handler: its owner. Consume the facts that the owner states about it.', { factName: name, owner: fact.topic.owner });
  }
  const select = declared === '*' ? allFields(fact.schema) : declared.map(({ field }) => field);
  return { fact, select, purpose, grants: grants.map(({ tag }) => tag), selected: selectFields(fact.schema, select, { file, path: `${path}.select` }) };
}

function known(name: string, at: Location, schemas: DeclaredSchemas): DeclaredFact {
  const fact = schemas.facts.get(name);
  if (fact) return fact;
  const type = schemas.definitions.get(name);
  if (type) throw declarationError('contract.unknown-fact', at, `'${name}' is a type of ${type.file}, but no fact.`, 'A fact is the record of a file of its own, in a folder with a topic.yaml.', { factName: name });
  throw declarationError('contract.unknown-fact', at, `there is no fact '${name}'.`, suggestion(name, schemas.facts.keys(), 'Declare it under schemas/ first.'), { factName: name });
}
