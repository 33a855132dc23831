import avro from 'avsc';
import { topicRecords } from 'factline/testing';
import type { Estate } from './estate.js';

/** One record of a topic as any Kafka client sees it. */
export interface StatedFact {
  partition: number;
  offset: number;
  key: string;
  /** `hr.EmployeeMoved` */
  name: string;
  id: string;
  sequence: number;
  correlationId: string;
  /** Milliseconds since 1970. */
  occurredAt: number;
  data: Record<string, unknown>;
}

export const EMPLOYEE_TOPIC = 'hr.employee';

/**
 * Reads the facts of one spec's employees from the topic, in order per partition, as a stranger would: the Confluent wire format, the writer's schema from the
 * registry, and a general Avro library. Nothing of the product decodes here.
 */
export async function statedFacts({ world, prefix }: Pick<Estate, 'world' | 'prefix'>, topic: string = EMPLOYEE_TOPIC): Promise<StatedFact[]> {
  const log = world.log();
  const records = (await topicRecords(log, topic)).map((record) => ({ ...record, key: record.key.toString() })).filter(({ key }) => key.startsWith(prefix));
  await log.close();
  const types = new Map<number, avro.Type>();
  const facts: StatedFact[] = [];
  for (const { value, ...place } of records) {
    const id = value.readInt32BE(1);
    const type = types.get(id) ?? (await writerType(world.registryUrl, id));
    types.set(id, type);
    const { meta, ...data } = type.fromBuffer(value.subarray(5)) as { meta: { id: Buffer; sequence: number; correlationId: string; occurredAt: number } };
    facts.push({ ...place, name: type.name!, id: meta.id.toString('hex'), sequence: meta.sequence, correlationId: meta.correlationId, occurredAt: meta.occurredAt / 1_000, data });
  }
  return facts;
}

async function writerType(registryUrl: string, id: number): Promise<avro.Type> {
  const answer = await fetch(`${registryUrl}/schemas/ids/${id}`);
  const { schema } = (await answer.json()) as { schema: string };
  return avro.Type.forSchema(JSON.parse(schema) as avro.Schema);
}

/** Facts by key, each key's in the order of the topic. */
export function byKey(facts: readonly StatedFact[]): Map<string, StatedFact[]> {
  const keys = new Map<string, StatedFact[]>();
  for (const fact of facts) keys.set(fact.key, [...(keys.get(fact.key) ?? []), fact]);
  return keys;
}

/**
 * What the topic may look like for one key: 1, 2, 3 ..., where a crash may have repeated a stretch with the same ids. @returns the facts without repetitions;
 * throws where a number is missing, comes too early, or stands for two facts.
 */
export function withoutRepetitions(facts: readonly StatedFact[]): StatedFact[] {
  const once: StatedFact[] = [];
  for (const fact of facts) {
    const known = once[fact.sequence - 1];
    if (!known && fact.sequence !== once.length + 1) throw new Error(`${fact.key}: number ${fact.sequence} at offset ${fact.offset} follows number ${once.length}`);
    if (known && known.id !== fact.id) throw new Error(`${fact.key}: number ${fact.sequence} stands for two facts, at offsets ${known.offset} and ${fact.offset}`);
    if (!known) once.push(fact);
  }
  return once;
}
