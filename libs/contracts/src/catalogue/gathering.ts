import { type FieldRow, fieldRows } from '../check/field-rows.js';
import { type Base, type Landscape, selectOf, statedIn } from '../check/landscape.js';
import { RelatedFields } from '../check/related-fields.js';
import type { Contract } from '../contract-file.js';
import type { DeclaredFact, DeclaredSchemas } from '../schemas.js';
import { allFields } from '../selection.js';

/** What a catalogue is made of. */
export interface CatalogueSources {
  readonly schemas: DeclaredSchemas;
  /** As the working tree declares them, checked against the schemas. */
  readonly contracts: readonly Contract[];
  /** What runs where: of each app the commit, and schemas and contracts as they are there. */
  readonly environments: readonly Environment[];
}

export interface Environment extends Base {
  readonly commits: ReadonlyMap<string, string>;
}

/** One app's reading of one fact. */
export interface Reading {
  readonly app: string;
  readonly purpose: string;
  readonly grants: readonly string[];
  /** Absent: only something deployed reads it. */
  readonly declared?: readonly string[];
  /** By environment. */
  readonly deployed: Map<string, readonly string[]>;
}

/** One fact, from the working tree or, when only something deployed knows it, from there. */
export interface Gathered {
  readonly fact: DeclaredFact;
  readonly declared: boolean;
  readonly rows: readonly FieldRow[];
  readonly readings: Map<string, Reading>;
  /** The fields that its producer writes, by environment. */
  readonly written: Map<string, ReadonlySet<string>>;
  /** Fields that something deployed writes or reads, and that are not declared any more. */
  readonly gone: Map<string, FieldRow>;
}

/** Every fact that is declared, or that something deployed states or reads. Linear in what is declared and deployed: each is looked at once. */
export function gather({ schemas, contracts, environments }: CatalogueSources): ReadonlyMap<string, Gathered> {
  const found = new Map([...schemas.facts].map(([name, fact]) => [name, gathered(fact, true)]));
  for (const { app, consumes } of contracts) {
    for (const { fact, select, purpose, grants } of consumes) found.get(fact.factName)!.readings.set(app, { app, purpose, grants, declared: select, deployed: new Map() });
  }
  for (const { name, landscapes } of environments) {
    for (const landscape of landscapes) {
      addWritten(found, name, landscape);
      addRead(found, name, landscape);
    }
  }
  return found;
}

function gathered(fact: DeclaredFact, declared: boolean): Gathered {
  return { fact, declared, rows: fieldRows(fact.schema), readings: new Map(), written: new Map(), gone: new Map() };
}

function known(found: Map<string, Gathered>, fact: DeclaredFact): Gathered {
  const existing = found.get(fact.factName) ?? gathered(fact, false);
  found.set(fact.factName, existing);
  return existing;
}

function addWritten(found: Map<string, Gathered>, environment: string, landscape: Landscape): void {
  for (const name of landscape.schemas.facts.keys()) {
    const fact = statedIn(landscape, name);
    if (!fact) continue;
    const subject = known(found, fact);
    const rows = fieldRows(fact.schema);
    subject.written.set(environment, new Set(rows.map(({ path }) => path)));
    addGone(subject, rows);
  }
}

function addRead(found: Map<string, Gathered>, environment: string, { contracts, schemas }: Landscape): void {
  for (const { app, consumes } of contracts) {
    for (const entry of consumes) {
      const fact = schemas.facts.get(entry.fact);
      if (!fact) continue; // it was deployed with a contract that nothing could be read with
      const subject = known(found, fact);
      const select = selectOf(entry);
      const fields = select === '*' ? allFields(fact.schema) : select;
      const reading = subject.readings.get(app) ?? { app, purpose: entry.purpose, grants: entry.grants.map(({ tag }) => tag), deployed: new Map<string, readonly string[]>() };
      reading.deployed.set(environment, fields);
      subject.readings.set(app, reading);
      const read = new RelatedFields(fields, (field) => field);
      addGone(subject, fieldRows(fact.schema).filter(({ path }) => read.has(path)));
    }
  }
}

function addGone(subject: Gathered, rows: readonly FieldRow[]): void {
  const here = new Set(subject.rows.map(({ path }) => path));
  for (const row of rows) if (!here.has(row.path)) subject.gone.set(row.path, row);
}
