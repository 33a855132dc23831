import { parseId } from 'factline/kernel';
import type { Store } from 'factline/store';
import { STATED_FACTS } from './limits.js';

/** A fact as the outbox still holds it. Delivered ones stay until their slot is emptied: minutes under load, longer otherwise. */
export interface StatedFact {
  readonly topic: string;
  readonly key: string;
  readonly sequence: number;
  readonly statedAt: Date;
  /** Whether the relay has stored that the log has it; false: it waits, or was sent a moment ago. */
  readonly delivered: boolean;
  /** Whether its trace was sampled. */
  readonly traced: boolean;
  /** As it was encoded, with sequence 0. */
  readonly value: Buffer;
}

interface Row {
  topic: string;
  key: string;
  sequence: string;
  created_at: Date;
  delivered: boolean;
  traced: boolean;
  value: Buffer;
}

/*
 * Neither ids nor correlation ids have an index, which every stated fact would pay for: this reads the slots, 300,000 rows in 0.1 s by id and 0.2 s by text. In the value the
 * fact's id has a fixed place; the correlation id is looked for anywhere, and the reader compares where it was found.
 */
const STATED = `select topic, key, sequence, created_at, pg_visible_in_snapshot(xid, (select previous from factline.relay)) as delivered, traceparent is not null as traced, value
  from factline.outbox`;

/** The fact of an id; undefined when the outbox does not hold it (any more). */
export async function statedFact(store: Store, factId: string): Promise<StatedFact | undefined> {
  const { rows } = await store.query<Row>(`${STATED} where substring(value from 6 for 16) = $1 limit 1`, [parseId(factId)]);
  return rows.map(fromRow)[0];
}

/** Facts stated since a time whose bytes contain a text, oldest first, 1,000 at most: those of a correlation id, and a few that only mention it. */
export async function statedFactsWith(store: Store, text: string, since: Date): Promise<StatedFact[]> {
  const { rows } = await store.query<Row>(`${STATED} where created_at >= $2 and position($1::bytea in value) > 0 order by id limit ${STATED_FACTS}`, [Buffer.from(text), since]);
  return rows.map(fromRow);
}

function fromRow({ topic, key, sequence, created_at: statedAt, delivered, traced, value }: Row): StatedFact {
  return { topic, key, sequence: Number(sequence), statedAt, delivered, traced, value };
}
