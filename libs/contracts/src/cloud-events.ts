import { formatId } from 'factline/kernel';
import type { AvroNode } from './avro-json.js';
import { TaggedFields } from './check/tagged.js';
import { exactLong } from './cursor.js';
import { soundDeprecation } from './evolve/annotation.js';
import type { TopicDeclaration } from './facts.js';
import type { RememberedSchema } from './registered-schemas.js';
import { SEQUENCE_OFFSET, factIdOf, schemaIdOf } from './wire.js';

/** Values by header name. */
export type HeaderTexts = Readonly<Record<string, string>>;
type Headers = Record<string, Buffer>;

export const AVRO = 'application/vnd.apache.avro';

/**
 * The CloudEvents headers of one topic's facts, for consumers of other teams: names and values of CloudEvents 1.0.2 and of its Kafka binding's binary mode
 * (https://github.com/cloudevents/spec), from the record's own bytes and its writer schema; no payload is decoded.
 *
 * Not strict binary mode: `data` would be bare Avro there, and the value here keeps Confluent's five bytes (0 and the schema id) in front of it.
 * Each schema has to be learnt before its facts; a fact whose schema is not known gets no headers, since half of them would be no event.
 */
export class CloudEvents {
  readonly #bySchema = new Map<number, Headers | undefined>();

  constructor(private readonly topic: TopicDeclaration) {}

  /** Schema ids in these values that were not learnt, each once. @throws FactlineError `fact.undecodable` for a value that is no fact. */
  unlearnt(values: Iterable<Buffer>): number[] {
    const ids = new Set<number>();
    for (const value of values) {
      const id = schemaIdOf(value);
      if (!this.#bySchema.has(id)) ids.add(id);
    }
    return [...ids];
  }

  /** What is the same for all facts of a schema is made here, once; undefined: nobody knows this id. */
  learn(id: number, written: RememberedSchema | undefined): void {
    const texts = written && { ...constantHeaders(this.topic, written.subject, written.schema as AvroNode), ce_dataschema: dataSchema(written.subject, String(id)) };
    this.#bySchema.set(id, texts && Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)])));
  }

  /** undefined when the schema is not known. A time beyond 2^53 microseconds, which no encoder here writes, is left out. */
  headersOf(value: Buffer): Headers | undefined {
    const constant = this.#bySchema.get(schemaIdOf(value));
    if (!constant) return undefined;
    const headers: Headers = { ce_id: Buffer.from(formatId(factIdOf(value)), 'latin1'), ...constant };
    const occurredAt = occurredAtOf(value);
    if (occurredAt !== undefined) headers['ce_time'] = Buffer.from(timeText(occurredAt), 'latin1');
    return headers;
  }
}

/** Headers that follow from the declaration alone. */
export function constantHeaders({ owner }: TopicDeclaration, factName: string, schema: AvroNode): HeaderTexts {
  return {
    ce_specversion: '1.0',
    ce_type: factName,
    ce_source: `urn:factline:app:${encodeURIComponent(owner)}`,
    'content-type': AVRO,
    ...deprecationHeaders(schema),
    ...classificationHeaders(schema),
  };
}

/** The id is the registry's own. No address: that would name a host, and perhaps who may ask it, and it would not outlive a move. */
export function dataSchema(factName: string, id: string): string {
  return `urn:factline:schema:${factName}:${id}`;
}

/** CloudEvents extension "Deprecation": times, where the annotation has days; they begin at midnight UTC. */
function deprecationHeaders(schema: AvroNode): HeaderTexts {
  const deprecated = soundDeprecation(schema);
  if (!deprecated) return {};
  const { effective, removal, documentation = '' } = deprecated;
  return {
    ce_deprecated: 'true',
    ce_deprecationfrom: `${effective}T00:00:00Z`,
    ce_deprecationsunset: `${removal}T00:00:00Z`,
    ...(/^https?:\/\/\S+$/.test(documentation) && { ce_deprecationmigration: documentation }),
  };
}

/**
 * CloudEvents extension "Data Classification". Its consumers have to refuse a level that they do not know, and it recommends four; `restricted` is the one that
 * says what a tag says here: whoever reads it needs a grant. Which tags these are is the category.
 */
function classificationHeaders(schema: AvroNode): HeaderTexts {
  const tags = new TaggedFields(schema).all();
  return tags.length === 0 ? {} : { ce_dataclassification: 'restricted', ce_datacategory: tags.join(',') };
}

/** Microseconds since 1970, behind a sequence of any length; undefined beyond 2^53. */
function occurredAtOf(value: Buffer): number | undefined {
  let at = SEQUENCE_OFFSET;
  while (value[at]! >= 0x80) at++;
  return exactLong(value, at + 1);
}

/** As RFC 3339 writes it. 2^53 microseconds are 285 years, so the year has four digits, as `Date` writes it then. */
function timeText(microseconds: number): string {
  const milliseconds = Math.floor(microseconds / 1_000);
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${String(microseconds - milliseconds * 1_000).padStart(3, '0')}Z`;
}
