import { deepStrictEqual } from 'node:assert/strict';
import type { FactMeta, ReceivedFact, SelectedFact } from 'factline/contracts';
import { formatId, newId } from 'factline/kernel';
import { type Projection, foldHistory } from 'factline/projections';
import { GIVEN_STEP_MICROS } from './limits.js';

/** A fact made up for a spec; its key is in the data, as it is on the wire. */
export interface GivenFact {
  key: string;
  fact: Omit<ReceivedFact, 'meta'> & { meta: Omit<FactMeta, 'sequence'> };
}

/** `an(EmployeeCreated, 'e-1', { name: 'Ada' })`: the fields that matter to the spec; the others are absent, and a fold that needs them fails loudly. */
export function an<Data extends object>(type: SelectedFact<Data>, key: string, data: Partial<Data> = {}): GivenFact {
  const id = formatId(newId());
  return { key, fact: { name: type.factName, key, data, meta: { id, occurredAt: 0, correlationId: id, causationId: id } } };
}

/**
 * Given facts, then rows. Each expectation is checked three ways, because the read model must not depend on how it came about:
 * each fact once, each fact twice in a row, and the whole history delivered twice (as after a relay's crash).
 */
export function specFor<Row extends object>(projection: Projection<Row>) {
  return {
    given(...facts: GivenFact[]) {
      const rows = () => ways(facts).map((history) => [...foldHistory(projection, history).values()]);
      return {
        thenRows(...expected: Row[]): void {
          for (const found of rows()) deepStrictEqual(sorted(found, projection.key), sorted(expected, projection.key));
        },
        thenNoRows(): void {
          for (const found of rows()) deepStrictEqual(found, []);
        },
      };
    },
  };
}

function ways(given: readonly GivenFact[]): ReceivedFact[][] {
  const next = new Map<string, number>();
  const once = given.map(({ key, fact }, i) => {
    const sequence = (next.get(key) ?? 0) + 1;
    next.set(key, sequence);
    return { ...fact, meta: { ...fact.meta, sequence, occurredAt: (i + 1) * GIVEN_STEP_MICROS } };
  });
  return [once, once.flatMap((fact) => [fact, fact]), [...once, ...once]];
}

function sorted(rows: readonly object[], key: string): object[] {
  const keyOf = (row: object) => (row as Record<string, string>)[key]!;
  return rows.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}
