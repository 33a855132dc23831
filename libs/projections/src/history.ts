import type { ReceivedFact } from 'factline/contracts';
import { newId } from 'factline/kernel';
import { assertRow, columnsOf } from './encode.js';
import { Folder, type KeyState } from './fold.js';
import type { Projection } from './projection.js';

/**
 * Folds a history given as facts, in memory, by the rules of the real thing: duplicates are dropped by sequence, a missing fact is an error, and so is a row that
 * does not fit the columns at the end. For specs and for independent checks; nothing is encoded or stored.
 * @throws FactlineError (integrity) `fact.sequence-gap`, `projection.fold-failed`, `projection.row-invalid`.
 */
export function foldHistory<Row extends object>(projection: Projection<Row>, facts: readonly ReceivedFact[]): Map<string, Row> {
  const folder = new Folder(projection, { decode: (_key, value) => facts[value!.readUInt32BE(1)] });
  const states = new Map<string, KeyState>();
  facts.forEach((fact, index) => {
    const state = states.get(fact.key) ?? { row: null, sequence: 0, seen: 0 };
    states.set(fact.key, state);
    const record = { offset: index, key: Buffer.from(fact.key), value: envelope(index, fact.meta.sequence), timestamp: 0 };
    folder.fold(state, fact.key, record, { topic: 'history', partition: 0, fromZero: true });
  });
  const rows = [...states].flatMap(([key, { row }]) => (row === null ? [] : [[key, row as Row] as const]));
  const columns = columnsOf(projection);
  for (const [key, row] of rows) assertRow(projection, columns, key, row);
  return new Map(rows);
}

/** Where the folder finds a sequence: 0x00, four bytes that say which fact, its id, the zig-zag number. */
function envelope(index: number, sequence: number): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(index, 1);
  const digits: number[] = [];
  let rest = sequence * 2;
  do {
    digits.push((rest % 128) + (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.concat([head, newId(), Buffer.from(digits)]);
}
