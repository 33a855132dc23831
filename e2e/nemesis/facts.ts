import avro from 'avsc';
import type { OnTopic } from './history.js';

const ID_AT = 1;
const AVRO_AT = 5;

export interface ReadFact {
  id: string;
  name: string;
  sequence: number;
  /** The salary it states; null when it states none. */
  value: number | null;
  /** Id of the fact that caused it, or of the request. */
  cause: string;
}

/** Reads facts as a stranger would: Confluent wire format, the writer's schema from the registry, a general Avro library. Nothing of the product decodes here. */
export class FactReader {
  readonly #types = new Map<number, Promise<avro.Type>>();

  constructor(private readonly registryUrl: string) {}

  /** undefined for bytes that are no fact. */
  async read(value: Buffer): Promise<ReadFact | undefined> {
    if (value.length <= AVRO_AT || value[0] !== 0) return undefined;
    const id = value.readInt32BE(ID_AT);
    const type = this.#types.get(id) ?? this.#typeOf(id);
    this.#types.set(id, type);
    const known = await type;
    const { meta, salaryCents = null } = known.fromBuffer(value.subarray(AVRO_AT)) as { meta: { id: Buffer; sequence: number; causationId: string }; salaryCents?: number | null };
    return { id: meta.id.toString('hex'), name: known.name!, sequence: meta.sequence, value: salaryCents, cause: meta.causationId.replaceAll('-', '') };
  }

  async onTopic(type: OnTopic['type'], partition: number, { offset, key, value }: { offset: number; key: Buffer; value: Buffer | null }): Promise<OnTopic> {
    const fact = value ? await this.read(value) : undefined;
    const { id, name, sequence, value: salary } = fact ?? { id: '', name: '', sequence: 0, value: null };
    return { type, partition, offset, key: key.toString(), id, name, sequence, value: salary };
  }

  async #typeOf(id: number): Promise<avro.Type> {
    const answer = await fetch(`${this.registryUrl}/schemas/ids/${id}`);
    if (!answer.ok) throw new Error(`The registry answered ${answer.status} for schema ${id}.`);
    const { schema } = (await answer.json()) as { schema: string };
    return avro.Type.forSchema(JSON.parse(schema) as avro.Schema);
  }
}
