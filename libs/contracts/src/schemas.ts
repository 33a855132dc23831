import { posix } from 'node:path';
import { FactlineError, messageOf } from 'factline/kernel';
import { type AvroNode, eachDefinition, fullNameOf, isNamed } from './avro-json.js';
import { type Definition, bundle } from './bundle.js';
import { checkSize } from './compatibility/json-size.js';
import { type FileTree, workingTree } from './trees/tree.js';
import { declarationError } from './declaration-error.js';
import type { CompatibilityLevel, TopicDeclaration } from './facts.js';
import { META_FIELD, META_NAME, META_SCHEMA } from './meta.js';
import { type ContractSettings, SETTINGS_FILE, compatibilityOf, parseSettings } from './settings.js';
import { sorted } from './sorted.js';
import { parseTopic } from './topics.js';
import { validSchema } from './valid-schemas.js';

/** A fact type as declared under schemas/. */
export interface DeclaredFact {
  readonly factName: string;
  readonly file: string;
  readonly topic: TopicDeclaration;
  /** Self-contained writer schema. */
  readonly schema: AvroNode;
  /** Absent: FULL_TRANSITIVE. */
  readonly compatibility?: CompatibilityLevel;
}

export interface DeclaredSchemas {
  /** By full record name, sorted. */
  readonly facts: ReadonlyMap<string, DeclaredFact>;
  /** By topic name, sorted. */
  readonly topics: ReadonlyMap<string, TopicDeclaration>;
  /** Every named type by full name, shared ones included, as it is written: where it stands, and what stands there. */
  readonly definitions: ReadonlyMap<string, Definition>;
  /** contracts.config.yaml. */
  readonly settings: ContractSettings;
}

/**
 * Reads every .avsc and topic.yaml below a folder, and its contracts.config.yaml. A folder with a topic.yaml holds the facts of that topic, one record a file;
 * any other folder holds shared types.
 * @throws FactlineError (configuration, with `details.file` and `details.path`) `declaration.unreadable`, `schema.invalid`, `schema.unknown-type`, `schema.duplicate-type`,
 * `schema.cycle`, `schema.too-deep`, `schema.too-large`, `schema.meta-missing`, `schema.key-field`, `schema.topic-missing`, `topic.invalid`, `topic.duplicate`, `settings.invalid`.
 */
export function loadSchemas(folder: string): Promise<DeclaredSchemas> {
  return readSchemas(workingTree(folder), '');
}

/** The same from a folder of any tree; `file` is below that folder. A tree without the folder declares nothing. @throws FactlineError as `loadSchemas` does. */
export async function readSchemas(tree: FileTree, folder: string): Promise<DeclaredSchemas> {
  const listed = (await tree.list(folder)).map((file) => posix.relative(folder, file));
  const files = listed.filter((file) => file.endsWith('.avsc') || file.endsWith('topic.yaml') || file === SETTINGS_FILE);
  const texts = await Promise.all(files.map((file) => tree.read(posix.join(folder, file))));
  const textOf = new Map(files.map((file, at) => [file, texts[at]!]));
  const topicByFolder = readTopics(textOf);
  const roots: Definition[] = [];
  const definitions = new Map<string, Definition>();
  for (const [file, text] of textOf) {
    if (!file.endsWith('.avsc')) continue;
    const schema = parseSchema(text, file);
    index(schema, file, definitions);
    roots.push(definitions.get(fullNameOf(schema, undefined)!)!);
  }
  if (!definitions.has(META_NAME)) index(structuredClone(META_SCHEMA) as unknown as AvroNode, 'factline/Meta.avsc (built in)', definitions);
  const declared = roots.flatMap((root) => declaredFact(root, topicByFolder.get(posix.dirname(root.file)), definitions) ?? []);
  const settings = parseSettings(textOf.get(SETTINGS_FILE), { facts: declared.map(({ factName }) => factName), types: roots.map(({ fullName }) => fullName) });
  const facts = declared.map((fact) => ({ ...fact, ...compatibilityOf(fact.factName, settings) }));
  const topics = [...topicByFolder.values()];
  return {
    facts: new Map(sorted(facts, ({ factName }) => factName).map((fact) => [fact.factName, fact])),
    topics: new Map(sorted(topics, ({ name }) => name).map((topic) => [topic.name, topic])),
    definitions,
    settings,
  };
}

function readTopics(textOf: ReadonlyMap<string, string>): Map<string, TopicDeclaration> {
  const found = new Map<string, TopicDeclaration>();
  const fileOf = new Map<string, string>();
  for (const [file, text] of textOf) {
    if (!file.endsWith('topic.yaml')) continue;
    const topic = parseTopic(text, file);
    const other = fileOf.get(topic.name);
    if (other) throw declarationError('topic.duplicate', { file, path: '$.name' }, `the topic '${topic.name}' is declared in ${other} already.`, 'One folder per topic.');
    fileOf.set(topic.name, file);
    found.set(posix.dirname(file), topic);
  }
  return found;
}

function parseSchema(text: string, file: string): AvroNode {
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch (error) {
    throw declarationError('declaration.unreadable', { file }, `it is not JSON: ${messageOf(error)}`, 'Correct the syntax; comments and trailing commas are not JSON.', {}, error);
  }
  refuseTooLarge(schema, file);
  if (typeof schema !== 'object' || schema === null || typeof (schema as AvroNode).name !== 'string' || !isNamed(schema as AvroNode)) {
    throw declarationError('schema.invalid', { file, path: '$' }, 'it must define one named type (record, enum or fixed).', 'One named type a file.');
  }
  return schema as AvroNode;
}

/** Whoever reads it goes down by recursion. */
function refuseTooLarge(schema: unknown, file: string): void {
  try {
    checkSize(schema, 'writer');
  } catch (error) {
    if (!(error instanceof FactlineError)) throw error;
    throw declarationError(error.code, { file }, error.message, error.advice ?? 'Nest less.', {}, error);
  }
}

function index(schema: AvroNode, file: string, definitions: Map<string, Definition>): void {
  eachDefinition(schema, (fullName, node, path) => {
    const other = definitions.get(fullName);
    if (other) throw declarationError('schema.duplicate-type', { file, path }, `'${fullName}' is defined in ${other.file} already.`, 'Refer to it by its name.', { type: fullName });
    definitions.set(fullName, { fullName, file, path, node });
  });
}

function declaredFact(root: Definition, topic: TopicDeclaration | undefined, definitions: ReadonlyMap<string, Definition>): DeclaredFact | undefined {
  const { file, fullName: factName } = root;
  let schema = bundle(root, definitions);
  try {
    schema = validSchema(schema);
  } catch (error) {
    throw declarationError('schema.invalid', { file, path: '$' }, `it is not a valid Avro schema: ${messageOf(error)}.`, 'See the Avro specification; a union may hold one type of a kind only.', {}, error);
  }
  if (schema.type !== 'record') return undefined;
  const first = schema.fields?.[0];
  const hasMeta = first?.name === META_FIELD && isMeta(first.type);
  if (!topic) {
    if (!hasMeta) return undefined;
    throw declarationError('schema.topic-missing', { file }, `${factName} is a fact, but its folder has no topic.yaml.`, `Add ${posix.dirname(file)}/topic.yaml, or remove '${META_FIELD}' if it is a shared type.`);
  }
  if (!hasMeta) {
    throw declarationError('schema.meta-missing', { file, path: '$.fields[0]' }, `the first field of a fact must be '${META_FIELD}' of type ${META_NAME}.`, `Write {"name": "${META_FIELD}", "type": "${META_NAME}"} first; shared types belong into a folder without topic.yaml.`);
  }
  checkKeyField(schema, file, topic.keyField);
  return { factName, file, topic, schema };
}

function isMeta(type: unknown): boolean {
  return typeof type === 'object' && type !== null && fullNameOf(type as AvroNode, undefined) === META_NAME;
}

function checkKeyField(schema: AvroNode, file: string, keyField: string): void {
  const at = schema.fields!.findIndex((field) => field.name === keyField);
  if (at >= 0 && schema.fields![at]!.type === 'string') return;
  const problem = at < 0 ? `the key field '${keyField}' of topic.yaml is missing` : `the key field '${keyField}' must be a string`;
  throw declarationError('schema.key-field', { file, path: at < 0 ? '$.fields' : `$.fields[${at}].type` }, `${problem}.`, `Add {"name": "${keyField}", "type": "string"}.`, { keyField });
}
