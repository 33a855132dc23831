import { deepStrictEqual } from 'node:assert/strict';
import type { FactMeta, ReceivedFact, SelectedFact } from 'factline/contracts';
import { formatId, newId } from 'factline/kernel';
import { type Projection, foldHistory } from 'factline/projections';
import type { Fixture } from './every-fixture.js';
import { GIVEN_STEP_MICROS } from './limits.js';
import { takesAll } from './over-fixtures.js';

/** A fact made up for a spec; its key is in the data, as it is on the wire. */
export interface GivenFact {
  key: string;
  fact: Unnumbered;
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
      const dated = facts.map(({ fact: { name, key, data, meta } }, i) => ({ name, key, data, meta: { ...meta, occurredAt: (i + 1) * GIVEN_STEP_MICROS } }));
      const rows = () => ways(dated).map((history) => [...foldHistory(projection, history).values()]);
      return {
        thenRows(...expected: Row[]): void {
          for (const found of rows()) deepStrictEqual(sorted(found, projection.key), sorted(expected, projection.key));
        },
        thenNoRows(): void {
          for (const found of rows()) deepStrictEqual(found, []);
        },
      };
    },

    /**
     * `specFor(payees).over(await everyFixture(payees.facts))`: folds each fixture alone, and after each fixture that leaves another row. Each time the fold must
     * answer, with no row or one that fits the columns, and the same one in all three ways. Whether it is the right row, `given` says.
     * @throws FactlineError `testing.fixtures-refused` naming each fixture that fails, `testing.fixtures-too-many` (more than 100,000 pairs, FIXTURE_PAIRS_MAX),
     * `testing.fixture-not-folded`: a fact that the projection does not read.
     */
    over(fixtures: readonly Fixture[]): void {
      takesAll(projection, fixtures, (facts) => {
        const [once, ...others] = ways(facts).map((history) => [...foldHistory(projection, history).values()]);
        for (const other of others) deepStrictEqual(other, once);
        return once![0];
      });
    },
  };
}

/** The sequence is given by the place in the history. */
type Unnumbered = Omit<ReceivedFact, 'meta'> & { meta: Omit<FactMeta, 'sequence'> };

function ways(given: readonly Unnumbered[]): ReceivedFact[][] {
  const next = new Map<string, number>();
  const once = given.map(({ name, key, data, meta }) => {
    const sequence = (next.get(key) ?? 0) + 1;
    next.set(key, sequence);
    return { name, key, data, meta: { ...meta, sequence } };
  });
  return [once, once.flatMap((fact) => [fact, fact]), [...once, ...once]];
}

function sorted(rows: readonly object[], key: string): object[] {
  const keyOf = (row: object) => (row as Record<string, string>)[key]!;
  return rows.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}
