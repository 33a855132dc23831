import { randomUUID } from 'node:crypto';
import { COMPATIBILITY, SchemaRegistry as KafkajsRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { newId } from 'factline/kernel';
import { selectInSpec } from 'factline/testing';
import type { AvroNode } from './avro-json.js';
import { ROWS, orderIn, withBuffers, withHex } from './awkward-order.spec.support.js';
import { FactDecoder, FactEncoder, type ReceivedFact, RegisteredSchemas, SchemaRegistry, defineFact, withSequence } from './index.js';
import { askPython, pythonClient } from './python-client.spec.support.js';
import { allFields, readerSchema, selectFields } from './selection.js';

const url = process.env['FACTLINE_REGISTRY_URL'] ?? '';
const python = await pythonClient();
const folder = 'folder' in python ? python.folder : '';

if ('missing' in python) process.stdout.write(`skipped: Confluent's Python client is not asked: ${python.missing}\n`);
// skipped: where Python or its packages cannot be had there is nobody to ask
const withPython = folder === '' ? it.skip : it;

const namespace = `interop_${randomUUID().replaceAll('-', '')}`;
const schema = orderIn(namespace);
const factName = `${namespace}.OrderPaid`;
const topic = { name: namespace, owner: 'shop', keyField: 'orderId', partitions: 1, kind: 'facts', settings: {} } as const;
const OrderPaid = defineFact<Record<string, unknown> & { orderId: string }, 'orderId'>({ factName, topic, keyField: 'orderId', schema });
const META = { sequence: 7, occurredAt: 1_893_456_000_123_000, correlationId: 'c', causationId: 'd', actor: null };

const kafkajs = () => new KafkajsRegistry({ host: url, retry: { retries: 0 } });

/** As the relay sends them. */
async function written(facts: readonly object[] = ROWS): Promise<Buffer[]> {
  const id = await new SchemaRegistry({ url }).register(factName, schema);
  const context = { correlationId: META.correlationId, causationId: META.causationId, occurredAt: new Date(META.occurredAt / 1_000) };
  return facts.map((fact) => {
    const { orderId, ...data } = withBuffers(fact) as { orderId: string };
    return withSequence(new FactEncoder().encode(OrderPaid(orderId, data, context), id).value, META.sequence);
  });
}

/** Through a selection, as an app reads them. */
async function read(values: readonly Buffer[], select: readonly string[] = allFields(schema), fact: AvroNode = schema): Promise<(ReceivedFact | undefined)[]> {
  const reader = readerSchema(selectFields(fact, select, { file: 'contracts.yaml', path: '$' }));
  const memory = { all: async () => [], remember: async () => undefined };
  const schemas = new RegisteredSchemas({ registry: new SchemaRegistry({ url }), memory });
  const decoder = new FactDecoder([selectInSpec({ factName: `${fact.namespace}.${fact.name}`, topic: namespace, schema: reader, fingerprint: 'spec' })], schemas);
  await schemas.start();
  await decoder.prepare(decoder.unprepared(values));
  return values.map((value) => decoder.decode('key', value));
}

const rows = ROWS.map((row) => ({ meta: { ...META, id: { $bytes: Buffer.from(newId()).toString('hex') } }, ...row }));

/** Written by Python, with what it registers itself. */
async function byPython(values: readonly object[]): Promise<Buffer[]> {
  const meta = rows[0]!.meta;
  const answers = await askPython(folder, url, values.map((value) => ({ encode: { meta, ...value }, schema: JSON.stringify(schema), subject: factName })));
  expect(answers.map(({ error }) => error)).toEqual(values.map(() => undefined));
  return answers.map(({ hex }) => Buffer.from(hex!, 'hex'));
}

describe('what we write', () => {
  const asRead = ROWS.map((row) => ({ ...row, meta: { ...META, id: { $bytes: expect.stringMatching(/^[0-9a-f]{32}$/) as string } } }));

  it('is read by @kafkajs/confluent-schema-registry', async () => {
    const client = kafkajs();
    expect(withHex(await Promise.all((await written()).map((value) => client.decode(value))))).toEqual(asRead);
  });

  withPython("is read by Confluent's Python client", async () => {
    const questions = (await written()).map((value) => ({ decode: value.toString('hex') }));
    expect(await askPython(folder, url, questions)).toEqual(asRead.map((value) => ({ value })));
  });
});

describe('what is written by', () => {
  const holds = async (values: readonly Buffer[]) => {
    const whole = await read(values);
    expect(whole.map((fact) => withHex(fact!.data))).toEqual(ROWS);
    expect(whole.map((fact) => fact!.meta)).toEqual(rows.map(() => ({ ...META, id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string })));
    const part = await read(values, ['note', 'place.city', 'lines.counts']);
    expect(part.map((fact) => fact!.data)).toEqual(ROWS.map(({ note, place, lines }) => ({ note, place: { city: place.city }, lines: lines.map(({ counts }: { counts: object }) => ({ counts })) })));
  };

  it('@kafkajs/confluent-schema-registry is read through a selection', async () => {
    const client = kafkajs();
    await new SchemaRegistry({ url }).register(factName, schema);
    const { id } = await client.register({ type: SchemaType.AVRO, schema: JSON.stringify(schema) }, { subject: factName, compatibility: COMPATIBILITY.FULL_TRANSITIVE });
    await holds(await Promise.all(rows.map((row) => client.encode(id, withBuffers(row)))));
  });

  withPython("Confluent's Python client is read through a selection", async () => {
    await holds(await byPython(rows));
  });
});

describe('numbers at the edge', () => {
  const EDGES = [2 ** 53 - 1, 1 - 2 ** 53, -(2 ** 52) - 1];
  const edges = () => written(EDGES.map((total) => ({ ...ROWS[0]!, total })));

  it('that we write, kafkajs refuses or, below -2^52, reads as others of the other sign, which is avsc; we read them', async () => {
    const client = kafkajs();
    const outcome = async (value: Buffer) => ((await client.decode(value)) as { total: number }).total;
    const seen = await Promise.all((await edges()).map((value) => outcome(value).catch((error: Error) => error.message)));
    expect(seen).toEqual(['potential precision loss', 2 ** 53 - 2, 2 ** 52]);
    expect((await read(await edges(), ['total'])).map((fact) => fact!.data)).toEqual(EDGES.map((total) => ({ total })));
  });

  withPython('that we write, Python reads; beyond 2^53, which Python writes, we refuse where the number is selected', async () => {
    const answers = await askPython(folder, url, (await edges()).map((value) => ({ decode: value.toString('hex') })));
    expect(answers.map(({ value }) => (value as { total: number }).total)).toEqual(EDGES);
    const [beyond] = await byPython([{ ...ROWS[0]!, total: { $long: '9007199254740993' } }]);
    await expect(read([beyond!], ['total'])).rejects.toMatchObject({ code: 'fact.undecodable', kind: 'invalid', details: { reason: 'long-range' } });
    expect((await read([beyond!], ['note']))[0]!.data).toEqual({ note: '' });
  });
});

describe('records that are no facts of ours', () => {
  const bare = { type: 'record', name: 'OrderPaid', namespace: `foreign_${namespace}`, fields: [{ name: 'orderId', type: 'string' }, { name: 'total', type: 'long' }] };
  const late = { ...schema, namespace: `late_${namespace}`, fields: [...schema.fields!.slice(1), schema.fields![0]!] };

  it.each([
    ['without meta', bare, { orderId: 'an order of another team', total: 1 }],
    ['with meta in another place', late, withBuffers(rows[0])],
  ])('%s halt who selects them, with the fact and the schema, and are passed over by all others', async (_what, foreign, value) => {
    const name = `${foreign.namespace}.OrderPaid`;
    const client = kafkajs();
    const { id } = await client.register({ type: SchemaType.AVRO, schema: JSON.stringify(foreign) }, { subject: name, compatibility: COMPATIBILITY.NONE });
    const record = await client.encode(id, value);
    await expect(read([record], ['total'], { ...schema, namespace: foreign.namespace! })).rejects.toMatchObject({ code: 'fact.unreadable', kind: 'integrity', message: expect.stringContaining("its first field is not 'meta'") as string, details: { factName: name, schemaId: id } });
    expect(await read([record])).toEqual([undefined]);
  });

  it('in formats of other teams are refused with a reason', async () => {
    const [value] = await written();
    const refused = async (bytes: Buffer) => read([bytes]).then(() => 'read', (error: { code: string; details: { reason?: string } }) => `${error.code} ${error.details.reason}`);
    expect(await refused(Buffer.from('{"orderId":"1","total":1,"note":"JSON"}'))).toBe('fact.undecodable magic');
    expect(await refused(value!.subarray(5))).toBe('fact.undecodable magic'); // bare Avro, as of Confluent 8 with the id in the header __value_schema_id
    expect(await refused(value!.subarray(0, 20))).toBe('fact.undecodable short');
  });
});
