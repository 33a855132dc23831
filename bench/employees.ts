import type { Fact, FactDefinition } from 'factline/contracts';
import { EmployeeCreated, EmployeeMoved, EmployeePersonalDetailsChanged, EmployeeTerminated } from '../apps/hr/src/contracts.generated.js';

/** The population of all benchmarks: what happens to employee `key` at each sequence is decided by the two numbers alone. */
export interface Population {
  keys: number;
  /** Facts of each key. */
  each: number;
}

type Happening =
  | { kind: 'created'; name: string; salaryCents: number; currency: string; location: string }
  | { kind: 'moved'; location: string; salaryCents: number | null; currency: string | null }
  | { kind: 'renamed'; name: string }
  | { kind: 'terminated' };

export interface ExpectedRow {
  employee_id: string;
  name: string;
  salary_cents: number;
  currency: string;
  location: string;
}

export const PRODUCED: readonly FactDefinition[] = [EmployeeCreated, EmployeeMoved, EmployeePersonalDetailsChanged, EmployeeTerminated];

const LOCATIONS = ['BER', 'PAR', 'AMS', 'LIS', 'OSL', 'VIE', 'ROM'];
const NAMES = ['Ada Lovelace', 'Søren "Lind"', 'Grace Hopper', 'O\\Neil\tMay', 'Katherine Johnson'];
/** Every 40th employee leaves with the last fact of the population: rebuilds and batches have to delete, too. */
const LEAVES_EVERY = 40;
const RENAMED_EVERY = 5;

export function keyName(key: number): string {
  return `e-${key}`;
}

export function leaves(key: number): boolean {
  return key % LEAVES_EVERY === 7;
}

function happening(key: number, sequence: number, { each }: Population): Happening {
  const location = LOCATIONS[(key + sequence) % LOCATIONS.length]!;
  const name = NAMES[(key + sequence) % NAMES.length]!;
  const salaryCents = 4_000_000 + key + sequence * 1_000;
  if (sequence === 1) return { kind: 'created', name, salaryCents, currency: key % 2 === 0 ? 'EUR' : 'USD', location };
  if (sequence === each && leaves(key)) return { kind: 'terminated' };
  if (sequence % RENAMED_EVERY === 0) return { kind: 'renamed', name };
  const raise = sequence % 2 === 0;
  return { kind: 'moved', location, salaryCents: raise ? salaryCents : null, currency: raise ? 'EUR' : null };
}

/** The fact types with their topic replaced by one of this run. */
export function definitionsOn(topic: string, partitions: number): ReadonlyMap<string, FactDefinition> {
  return new Map(
    PRODUCED.map(({ factName, keyField, schema, compatibility, topic: declared }) => [
      factName,
      { factName, keyField, schema, ...(compatibility && { compatibility }), topic: { ...declared, name: topic, partitions } },
    ]),
  );
}

/** Makes the fact of a key with that number; what it says does not depend on anything but the two numbers. */
export function factMaker(topic: string, partitions: number, population: Population): (key: number, sequence: number) => Fact {
  const on = definitionsOn(topic, partitions);
  return (key, sequence) => {
    const fact = madeFrom(keyName(key), key, happening(key, sequence, population));
    return { ...fact, type: on.get(fact.type.factName)! };
  };
}

function madeFrom(id: string, key: number, happened: Happening): Fact {
  const email = `${id}@example.org`;
  switch (happened.kind) {
    case 'created': {
      const { name, salaryCents, currency, location } = happened;
      return EmployeeCreated(id, { name, email, birthDate: 3_000 + (key % 9_000), salaryCents, currency, location, jobTitle: 'Engineer', startedOn: 20_000 });
    }
    case 'moved': {
      const { location, salaryCents, currency } = happened;
      return EmployeeMoved(id, { location, jobTitle: null, salaryCents, currency });
    }
    case 'renamed':
      return EmployeePersonalDetailsChanged(id, { name: happened.name, email });
    case 'terminated':
      return EmployeeTerminated(id, { lastDay: 20_500, reason: 'RESIGNED' });
  }
}

/** The row that facts 1 to `sequences` of a key must leave, folded here once more and independently of the product; undefined: no row. */
export function expectedRow(key: number, sequences: number, population: Population): ExpectedRow | undefined {
  let row: ExpectedRow | undefined;
  for (let sequence = 1; sequence <= sequences; sequence++) {
    const happened = happening(key, sequence, population);
    if (happened.kind === 'created') {
      const { name, salaryCents, currency, location } = happened;
      row = { employee_id: keyName(key), name, salary_cents: salaryCents, currency, location };
    } else if (happened.kind === 'terminated') {
      row = undefined;
    } else if (row && happened.kind === 'renamed') {
      row.name = happened.name;
    } else if (row && happened.kind === 'moved') {
      row.location = happened.location;
      row.salary_cents = happened.salaryCents ?? row.salary_cents;
      row.currency = happened.currency ?? row.currency;
    }
  }
  return row;
}
