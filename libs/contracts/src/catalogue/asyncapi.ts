import { grouped } from 'factline/kernel';
import type { AvroNode } from '../avro-json.js';
import { fingerprintOf } from '../canonical.js';
import { fieldRows } from '../check/field-rows.js';
import { AVRO, constantHeaders, dataSchema } from '../cloud-events.js';
import type { Consumption, Contract } from '../contract-file.js';
import { soundDeprecation } from '../evolve/annotation.js';
import type { TopicDeclaration } from '../facts.js';
import type { DeclaredFact } from '../schemas.js';
import { readerSchema } from '../selection.js';
import { exampleOf } from './example.js';
import { GENERATOR } from './frame.js';
import { sorted } from '../sorted.js';
import { refuseInvalid } from './validated.js';

type Json = Record<string, unknown>;

/** The Avro version that tools for AsyncAPI know; schemas of 1.12 say the same in it. */
const AVRO_SCHEMA = `${AVRO}+json;version=1.9.0`;
const BINDING = '0.5.0';

/**
 * The AsyncAPI 3.0 document of one app (https://www.asyncapi.com/docs/reference/specification/v3.0.0, Kafka bindings 0.5.0): a channel a topic, a message a fact, an
 * operation a fact it produces (`send`, with the writer's schema) or consumes (`receive`, with the reader's schema of its selection). Schemas are written out whole.
 * The version is the fingerprint of the rest, so two documents of one version say the same. Servers are not in it: addresses belong to deployments.
 * The same contract gives the same bytes. @throws FactlineError (configuration) with the file of a schema that Avro refuses.
 */
export function asyncApi({ app, owner, produces, consumes }: Contract): Json {
  const own = new Set(produces);
  const facts = sorted([...produces.map(sent), ...consumes.map((consumption) => received(consumption, own.has(consumption.fact)))], ({ id }) => id);
  const channels = sorted([...grouped(facts, ({ topic }) => topic.name)], ([name]) => name);
  const rest = {
    defaultContentType: AVRO,
    channels: Object.fromEntries(channels.map(([name, entries]) => [name, channel(entries[0]!.topic, entries)])),
    operations: Object.fromEntries(facts.map(({ action, factName, operation }) => [`${action}.${factName}`, operation])),
    components: { messages: Object.fromEntries(facts.map(({ id, message }) => [id, message])) },
  };
  const info = { title: app, version: fingerprintOf({ app, owner, ...rest }), description: `What the app ${app} states and reads.`, 'x-owner': owner, 'x-generator': GENERATOR };
  return { asyncapi: '3.0.0', info, ...rest };
}

interface Entry {
  readonly action: 'send' | 'receive';
  readonly factName: string;
  /** Of the message. */
  readonly id: string;
  readonly topic: TopicDeclaration;
  readonly message: Json;
  readonly operation: Json;
}

function sent(fact: DeclaredFact): Entry {
  const { factName, topic, schema, file } = fact;
  refuseInvalid(schema, file);
  return { action: 'send', factName, id: factName, topic, message: message(fact, schema), operation: operation('send', topic, factName, {}) };
}

/** An app that reads what it states has two messages: what it writes, and what it selects. A name of Avro holds no dash. */
function received({ fact, selected, select, purpose }: Consumption, alsoSent: boolean): Entry {
  const { factName, topic, file } = fact;
  refuseInvalid(selected, file);
  const id = alsoSent ? `${factName}-selection` : factName;
  const extra = { 'x-selection': select, 'x-fingerprint': fingerprintOf(readerSchema(selected)) };
  return { action: 'receive', factName, id, topic, message: { ...message(fact, selected), ...extra }, operation: operation('receive', topic, id, { description: purpose }) };
}

function operation(action: Entry['action'], topic: TopicDeclaration, messageId: string, extra: Json): Json {
  const to = `#/channels/${topic.name}`;
  return { action, channel: { $ref: to }, ...extra, messages: [{ $ref: `${to}/messages/${messageId}` }] };
}

function channel({ name, owner, kind, keyField, partitions, settings }: TopicDeclaration, facts: readonly Entry[]): Json {
  return {
    address: name,
    description: `One record a fact, in order per ${keyField}, the key. Owned by ${owner}.`,
    messages: Object.fromEntries(facts.map(({ id }) => [id, { $ref: `#/components/messages/${id}` }])),
    bindings: { kafka: { partitions, topicConfiguration: Object.fromEntries(sorted(Object.entries(settings), ([key]) => key).map(([key, value]) => [key, setting(key, value)])), bindingVersion: BINDING } },
    'x-kind': kind,
    'x-owner': owner,
  };
}

const NUMBERS = new Set(['retention.ms', 'retention.bytes', 'delete.retention.ms', 'max.message.bytes']);

/** As the binding types it; of other settings it says nothing, and they stay text, as brokers take them. */
function setting(key: string, value: string): unknown {
  if (key === 'cleanup.policy') return value.split(',').map((policy) => policy.trim());
  return NUMBERS.has(key) && /^-?\d+$/.test(value) ? Number(value) : value;
}

function message(fact: DeclaredFact, schema: AvroNode): Json {
  const { factName, topic: { keyField } } = fact;
  const tags = [...new Set(fieldRows(schema).flatMap((row) => row.tags ?? []))].toSorted();
  const example = exampleOf(schema);
  const deprecated = soundDeprecation(schema);
  return {
    name: factName,
    title: schema.name,
    ...(schema.doc && { summary: schema.doc }),
    contentType: AVRO,
    headers: headersOf(fact),
    payload: { schemaFormat: AVRO_SCHEMA, schema },
    ...(tags.length > 0 && { tags: tags.map((name) => ({ name })) }),
    bindings: {
      kafka: {
        key: { type: 'string', minLength: 1, description: `${keyField} of the fact.` },
        schemaIdLocation: 'payload',
        schemaIdPayloadEncoding: 'confluent',
        schemaLookupStrategy: 'RecordNameStrategy',
        bindingVersion: BINDING,
      },
    },
    ...(example !== undefined && { examples: [{ name: 'example', summary: "Avro's JSON encoding.", payload: example }] }),
    ...(deprecated && { 'x-deprecated': deprecated }),
  };
}

/** The only header that a relay writes by itself, when the request that stated the fact had one. */
const TRACEPARENT = { traceparent: { type: 'string', description: 'W3C Trace Context of the request that stated the fact, when it was traced.' } };

/** None is required: records from before a topic asked for them have none. */
function headersOf({ topic, factName, schema }: DeclaredFact): Json {
  if (topic.headers === undefined) return { type: 'object', properties: TRACEPARENT };
  const constant = Object.entries(constantHeaders(topic, factName, schema)).map(([name, text]) => [name, { type: 'string', const: text }]);
  const cloudEvents = {
    ce_id: { type: 'string', format: 'uuid', description: 'meta.id of the fact.' },
    ...Object.fromEntries(constant),
    ce_dataschema: { type: 'string', description: `${dataSchema(factName, '<schema id>')}: the id that the value begins with, of the registry.` },
    ce_time: { type: 'string', format: 'date-time', description: 'meta.occurredAt of the fact, in microseconds.' },
  };
  const description = 'CloudEvents 1.0, as of the Kafka binding in binary mode, except that five bytes come before the Avro of the value: 0 and the schema id.';
  return { type: 'object', description, properties: { ...TRACEPARENT, ...cloudEvents } };
}
