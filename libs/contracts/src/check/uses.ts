import { sorted } from '../sorted.js';
import type { Place } from './finding.js';
import { type Landscape, consumptionsOf, selectionsOf } from './landscape.js';

/** That an app uses a field, and why it says so. */
export interface Use {
  readonly app: string;
  readonly owner: string;
  readonly fact: string;
  /** What it selects: the field itself, a part of it, what encloses it, or `*`. */
  readonly selects: string;
  readonly purpose: string;
  /** Where the contract was read: `working tree`, `prod 4f1c2a9`. */
  readonly tree: string;
  readonly place: Place;
}

/** Who selects a field of a fact, or a part of it, or all that it is in; an empty field is the fact itself. Sorted by app, then as the landscapes are given. */
export function usesOf(fact: string, field: string, landscapes: readonly Landscape[]): Use[] {
  const found = landscapes.flatMap((landscape) =>
    (consumptionsOf(landscape).get(fact) ?? []).flatMap(({ app, file, entry }): Use[] => {
      const { owner } = landscape.contracts.find((contract) => contract.app === app)!;
      return selectionsOf(entry, field).map(({ field: selects, path }) => ({ app, owner, fact, selects, purpose: entry.purpose, tree: landscape.name, place: landscape.places.inFile(file, path) }));
    }),
  );
  return sorted(found, ({ app }) => app);
}
