import { grouped } from 'factline/kernel';
import { bundle } from '../bundle.js';
import { fingerprintOf } from '../canonical.js';
import { type FieldRow, fieldRows } from '../check/field-rows.js';
import type { History } from '../lock/history.js';
import { normalForm } from '../lock/normal-form.js';
import type { Contract } from '../contract-file.js';
import { type Deprecation, soundDeprecation } from '../evolve/annotation.js';
import type { CompatibilityLevel, TopicDeclaration } from '../facts.js';
import { levelOf } from '../levels.js';
import { META_NAME } from '../meta.js';
import { RelatedFields } from '../check/related-fields.js';
import { exampleOf } from './example.js';
import { type CatalogueSources, type Environment, type Gathered, gather } from './gathering.js';
import { sorted } from '../sorted.js';
import { refuseInvalid } from './validated.js';
import { type FactVersion, versionsOf } from './versions.js';

/** Everything that the catalogue says, as one JSON document: catalogue.json. `version` counts changes of this format that remove or rename something. */
export interface Catalogue {
  readonly version: 1;
  /** Environments that were asked for, by name. */
  readonly environments: readonly string[];
  readonly apps: readonly CatalogueApp[];
  readonly topics: readonly (TopicDeclaration & { readonly facts: readonly string[] })[];
  readonly facts: readonly CatalogueFact[];
  /** Fields of `factline.Meta`, the first field of every fact. */
  readonly meta: readonly FieldRow[];
}

export interface CatalogueApp {
  readonly name: string;
  readonly owner: string;
  /** False: it is only deployed. */
  readonly declared: boolean;
  readonly produces: readonly string[];
  readonly consumes: readonly string[];
  /** Commits by environment. */
  readonly deployed: Readonly<Record<string, string>>;
}

export interface CatalogueFact {
  readonly name: string;
  readonly doc?: string;
  readonly topic: string;
  /** The app that states it. */
  readonly producer: string;
  /** Below the folder of the schemas. */
  readonly file: string;
  /** False: only something deployed states or reads it. */
  readonly declared: boolean;
  readonly deprecated?: Deprecation;
  /** Of all its fields. */
  readonly tags: readonly string[];
  readonly compatibility: CompatibilityLevel;
  /** Of the writer's schema, as in the lock file. */
  readonly fingerprint: string;
  readonly fields: readonly CatalogueField[];
  readonly readers: readonly CatalogueReader[];
  /** Oldest first; without a lock file or a registry only what is declared. */
  readonly versions: readonly FactVersion[];
  /** In Avro's JSON encoding; absent where there is no small value. */
  readonly example?: unknown;
}

export interface CatalogueField extends FieldRow {
  /** False: only something deployed writes or reads it. */
  readonly declared: boolean;
  /** Environments whose producer writes it. */
  readonly writtenIn: readonly string[];
  /** Who selects it, whole or in part. */
  readonly readBy: readonly { readonly app: string; readonly declared: boolean; readonly environments: readonly string[] }[];
}

export interface CatalogueReader {
  readonly app: string;
  readonly purpose: string;
  readonly grants: readonly string[];
  /** As declared; absent: only something deployed reads the fact. */
  readonly fields?: readonly string[];
  /** By environment. */
  readonly deployed: Readonly<Record<string, readonly string[]>>;
}

/**
 * Joins schemas, contracts, what is deployed and what was registered. The same input gives the same graph.
 * @throws FactlineError (configuration) with the file of a schema that Avro refuses.
 */
export function catalogueOf(sources: CatalogueSources, history?: History): Catalogue {
  const { schemas, contracts, environments } = sources;
  const facts = sorted([...gather(sources).values()], ({ fact }) => fact.factName).map((gathered) => factOf(gathered, environments, history));
  const byTopic = grouped(facts, ({ topic }) => topic);
  return {
    version: 1,
    environments: environments.map(({ name }) => name),
    apps: appsOf(contracts, environments, facts),
    topics: [...schemas.topics.values()].map((topic) => ({ ...topic, facts: (byTopic.get(topic.name) ?? []).map(({ name }) => name) })),
    facts,
    meta: fieldRows(bundle(schemas.definitions.get(META_NAME)!, schemas.definitions)),
  };
}

function factOf({ fact, declared, rows, readings, written, gone }: Gathered, environments: readonly Environment[], history: History | undefined): CatalogueFact {
  const { factName, schema, file, topic } = fact;
  refuseInvalid(schema, file);
  const example = exampleOf(schema);
  const deprecated = soundDeprecation(schema);
  const fields = [...rows.map((row) => ({ row, declared })), ...[...gone.values()].map((row) => ({ row, declared: false }))];
  const readers = sorted(readings.values(), ({ app }) => app);
  const reads = readers.map(({ app, declared: select, deployed }) => ({ app, here: selected(select ?? []), there: [...deployed].map(([name, fields]) => ({ name, read: selected(fields) })) }));
  const readBy = (path: string) =>
    reads
      .map(({ app, here, there }) => ({ app, declared: here.has(path), environments: there.filter(({ read }) => read.has(path)).map(({ name }) => name) }))
      .filter((reader) => reader.declared || reader.environments.length > 0);
  return {
    name: factName,
    ...(schema.doc && { doc: schema.doc }),
    topic: topic.name,
    producer: topic.owner,
    file,
    declared,
    ...(deprecated && { deprecated }),
    tags: [...new Set(rows.flatMap(({ tags }) => tags ?? []))].toSorted(),
    compatibility: levelOf(fact),
    fingerprint: fingerprintOf(normalForm(schema)),
    fields: fields.map(({ row, declared: here }) => ({
      ...row,
      declared: here,
      writtenIn: environments.filter(({ name }) => written.get(name)?.has(row.path)).map(({ name }) => name),
      readBy: readBy(row.path),
    })),
    readers: readers.map(({ app, purpose, grants, declared: select, deployed }) => ({ app, purpose, grants, ...(select && { fields: select }), deployed: Object.fromEntries(deployed) })),
    versions: versionsOf(history?.subjects.get(factName), declared ? schema : undefined),
    ...(example !== undefined && { example }),
  };
}

function selected(fields: readonly string[]): RelatedFields<string> {
  return new RelatedFields(fields, (field) => field);
}

function appsOf(contracts: readonly Contract[], environments: readonly Environment[], facts: readonly CatalogueFact[]): CatalogueApp[] {
  const deployed = environments.flatMap(({ landscapes }) => landscapes.flatMap((landscape) => landscape.contracts));
  const produced = grouped([...deployed.map((raw) => ({ app: raw.app, names: raw.produces.map(({ name }) => name) })), ...contracts.map(({ app, produces }) => ({ app, names: produces.map(({ factName }) => factName) }))], ({ app }) => app);
  const consumed = grouped(facts.flatMap(({ name, readers }) => readers.map(({ app }) => ({ app, name }))), ({ app }) => app);
  const owners = new Map([...deployed, ...contracts].map(({ app, owner }) => [app, owner]));
  const declared = new Set(contracts.map(({ app }) => app));
  return sorted(owners, ([app]) => app).map(([name, owner]) => ({
    name,
    owner,
    declared: declared.has(name),
    produces: [...new Set((produced.get(name) ?? []).flatMap(({ names }) => names))].toSorted(),
    consumes: (consumed.get(name) ?? []).map((reading) => reading.name),
    deployed: Object.fromEntries(environments.flatMap(({ name: environment, commits }) => (commits.has(name) ? [[environment, commits.get(name)!]] : []))),
  }));
}
