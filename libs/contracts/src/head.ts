import { formatId } from 'factline/kernel';
import { Cursor } from './cursor.js';
import type { FactMeta } from './facts.js';
import { SEQUENCE_OFFSET, factIdOf, schemaIdOf, undecodable } from './wire.js';

/** What stands at the begin of every fact, whatever its type: the first fields of `factline.Meta`. */
export interface FactHead extends Omit<FactMeta, 'actor'> {
  /** Of the writer's schema, in the registry. */
  schemaId: number;
}

/**
 * Reads the begin of a fact without its schema: `meta` is the first field of every record, and its own first fields never change.
 * @throws FactlineError `fact.undecodable` for bytes that do not begin so.
 */
export function headOf(value: Buffer | null): FactHead {
  const schemaId = schemaIdOf(value);
  const cursor = new Cursor(value!, SEQUENCE_OFFSET, (reason, what) => undecodable(reason, what));
  const [sequence, occurredAt] = [cursor.long(), cursor.long()];
  return { schemaId, id: formatId(factIdOf(value)), sequence, occurredAt, correlationId: cursor.text().toString(), causationId: cursor.text().toString() };
}
