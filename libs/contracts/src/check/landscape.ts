import { grouped } from 'factline/kernel';
import { type RawConsumption, type RawContract, declaredContracts } from '../raw-contract.js';
import { type DeclaredFact, type DeclaredSchemas, readSchemas } from '../schemas.js';
import type { History } from '../lock/history.js';
import { Places } from './places.js';
import { RelatedFields } from './related-fields.js';
import type { FileTree } from '../trees/tree.js';

/** Schemas and contracts at one moment. */
export interface Landscape {
  /** `working tree`, `git 4f1c2a9`, `prod 4f1c2a9`. */
  readonly name: string;
  readonly schemas: DeclaredSchemas;
  readonly contracts: readonly RawContract[];
  readonly places: Places;
  /** The apps that run it, when it is a deployed commit: of other apps it says nothing. Absent: all. */
  readonly apps?: ReadonlySet<string>;
}

/** What a change is compared with. */
export interface Base {
  readonly name: string;
  /** What was declared: at a commit, or at each commit of which something is deployed. */
  readonly landscapes: readonly Landscape[];
  /** What was registered. */
  readonly history?: History;
}

/** An app's entry for a fact. */
export interface Consumption {
  readonly app: string;
  readonly file: string;
  readonly entry: RawConsumption;
}

/**
 * Reads schemas and contracts of a tree. Contracts are read as they stand: one that selects a field which is gone is something to report, not to refuse.
 * A tree without the folder of schemas holds nothing.
 * @throws FactlineError as `loadSchemas` does, and `contract.invalid`.
 */
export async function readLandscape(tree: FileTree, folders: { schemas: string; apps: string }): Promise<Landscape> {
  const texts = new Map<string, string>();
  const remembering: FileTree = {
    name: tree.name,
    list: (folder) => tree.list(folder),
    read: async (file) => {
      const text = await tree.read(file);
      texts.set(file, text);
      return text;
    },
  };
  const schemas = await readSchemas(remembering, folders.schemas);
  const contracts = await declaredContracts(remembering, folders.apps);
  return { name: tree.name, schemas, contracts, places: new Places(schemas, folders.schemas, texts) };
}

/** The same for some apps only: what they state and what they consume. */
export function restrictedTo(landscape: Landscape, name: string, apps: ReadonlySet<string>): Landscape {
  return { ...landscape, name, apps, contracts: landscape.contracts.filter(({ app }) => apps.has(app)) };
}

/** The fact as software of this landscape states it, if any does. */
export function statedIn({ schemas, apps }: Landscape, factName: string): DeclaredFact | undefined {
  const fact = schemas.facts.get(factName);
  return fact && (apps?.has(fact.topic.owner) ?? true) ? fact : undefined;
}

/** Who reads a fact, by its name. */
export function consumptionsOf({ contracts }: Landscape): ReadonlyMap<string, readonly Consumption[]> {
  return grouped(
    contracts.flatMap(({ app, file, consumes }) => consumes.map((entry) => ({ app, file, entry }))),
    ({ entry }) => entry.fact,
  );
}

const SELECTIONS = new WeakMap<RawConsumption, RelatedFields<Selected>>();

/** A selected field, and its JSON path in the file of the contract. */
export type Selected = Exclude<RawConsumption['select'], '*'>[number];

/** What an entry selects that speaks of a field: the field, parts of it, what it lies in, in the order of the file; of `*` the entry itself. */
export function selectionsOf(entry: RawConsumption, field: string): readonly Selected[] {
  if (entry.select === '*') return [{ field: '*', path: entry.path }];
  let selected = SELECTIONS.get(entry);
  if (!selected) SELECTIONS.set(entry, (selected = new RelatedFields(entry.select, (one) => one.field)));
  return selected.of(field);
}

/** What an entry selects, as field paths. */
export function selectOf({ select }: RawConsumption): readonly string[] | '*' {
  return select === '*' ? '*' : select.map(({ field }) => field);
}
