import type { Store } from 'factline/store';
import { consumeRaw } from './ceilings.js';
import { type ExpectedRow, type Population, expectedRow } from './employees.js';

/*
 * What makes a figure count: the result is right. Neither gate uses the product: topics are read with kafkajs and rows are folded once more in employees.ts.
 */

const SEQUENCE_OFFSET = 21; // behind the format byte, the schema id and the fact id

/** The zigzag number at its place in a fact. */
export function sequenceIn(value: Buffer): number {
  let at = SEQUENCE_OFFSET;
  let result = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = value[at++]!;
    result += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return result / 2;
  }
}

/** Reads a topic back: every key must hold 1, 2, 3 ... in this order, nothing twice, nothing missing. @returns what is wrong. */
export async function topicFaults(brokers: readonly string[], topic: string, expected: ReadonlyMap<string, number>): Promise<string[]> {
  const last = new Map<string, number>();
  const ids = new Set<string>();
  let doubled = 0;
  let disordered = 0;
  await consumeRaw(brokers, topic, ({ batch }) => {
    for (const { key, value } of batch.messages) {
      const name = key!.toString();
      const sequence = sequenceIn(value!);
      const before = last.get(name) ?? 0;
      const id = value!.toString('latin1', 5, SEQUENCE_OFFSET);
      if (ids.has(id) || sequence <= before) doubled++;
      else if (sequence !== before + 1) disordered++;
      ids.add(id);
      last.set(name, Math.max(before, sequence));
    }
  });
  let lost = 0;
  for (const [key, count] of expected) lost += Math.max(0, count - (last.get(key) ?? 0));
  const strangers = [...last.keys()].filter((key) => !expected.has(key)).length;
  const faults = { lost, doubled, 'out of order': disordered, 'keys of nobody': strangers };
  return Object.entries(faults).flatMap(([fault, count]) => (count > 0 ? [`${count} ${fault} in ${topic}`] : []));
}

/** Compares a table with the independent fold, row by row. `upTo` says how many facts of a key it must contain. @returns what is wrong. */
export async function tableFaults(store: Store, table: string, population: Population, upTo: (key: number) => number = () => population.each): Promise<string[]> {
  const { rows } = await store.query<ExpectedRow>(`select employee_id, name, salary_cents::double precision as salary_cents, currency, location from ${table}`);
  const found = new Map(rows.map((row) => [row.employee_id, row]));
  const faults: string[] = [];
  let expected = 0;
  for (let key = 0; key < population.keys; key++) {
    const row = expectedRow(key, upTo(key), population);
    if (!row) continue;
    expected++;
    const same = JSON.stringify(found.get(row.employee_id)) === JSON.stringify(row);
    if (!same) faults.push(`${table} ${row.employee_id} is ${JSON.stringify(found.get(row.employee_id))}, not ${JSON.stringify(row)}`);
  }
  if (rows.length !== expected) faults.unshift(`${table} has ${rows.length} rows, not ${expected}`);
  return faults;
}
