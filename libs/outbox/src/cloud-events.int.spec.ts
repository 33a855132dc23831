import { SchemaRegistry as KafkajsRegistry } from '@kafkajs/confluent-schema-registry';
import { type Fact, FactDecoder, RegisteredSchemas, SchemaRegistry, type TopicDeclaration, defineFact } from 'factline/contracts';
import { type Logger, formatId, newId, silentLogger } from 'factline/kernel';
import { type FactLog, type LogRecord, kafkaLog } from 'factline/log';
import { schemaMemory } from 'factline/store';
import { selectInSpec } from 'factline/testing';
import { type TestDatabase, changed, jobs, schemaIds, testDatabase } from './database.spec.support.js';
import { FactOutbox, Relay, watermarkTopic } from './index.js';
import { SEND_BYTES } from './limits.js';
import { RecordingLog } from './recording-log.spec.support.js';

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const registryUrl = process.env['FACTLINE_REGISTRY_URL'] ?? '';
const suffix = formatId(newId()).replaceAll('-', '');
const asked: TopicDeclaration = { ...jobs, name: `spec.job-${suffix}`, headers: 'cloudevents' };
const silent: TopicDeclaration = { ...jobs, name: `spec.silent-${suffix}` };

/** Facts of another namespace in each run, so that the registry has none of them. */
const factName = `spec_${suffix}.JobChanged`;
const example = changed('example').type;
const schema = {
  ...(example.schema as { fields: object[] }),
  namespace: `spec_${suffix}`,
  deprecated: { effective: '2026-11-21', removal: '2027-02-01' },
  fields: [...(example.schema as { fields: object[] }).fields.slice(0, -1), { name: 'note', type: 'string', 'confluent:tags': ['PII'] }],
};
const JobChanged = defineFact<{ jobId: string; note: string }, 'jobId'>({ factName, topic: asked, keyField: 'jobId', schema });
const on = (fact: Fact, topic: TopicDeclaration): Fact => ({ ...fact, type: { ...fact.type, topic } });

let database: TestDatabase;
const relays: Relay[] = [];

beforeAll(async () => {
  database = await testDatabase();
});
beforeEach(async () => {
  await database.reset();
  await database.store.query('truncate factline.schema');
});
afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.stop()));
});
afterAll(() => database.drop());

function relayOn(log: FactLog, topics: readonly TopicDeclaration[], logger: Logger = silentLogger): Relay {
  const relay = new Relay({ store: database.store, log, app: 'spec', topics, logger });
  relays.push(relay);
  return relay;
}

/** As a receiver reads it that knows the Kafka binding of CloudEvents 1.0.2, section 3: binary mode, unless the content type says otherwise. */
function eventOf({ headers = {} }: Pick<LogRecord, 'headers'>): Record<string, string> {
  const texts = Object.entries(headers).map(([name, bytes]) => [name, bytes.toString('utf8')] as const);
  const attributes = Object.fromEntries(texts.flatMap(([name, text]) => (name.startsWith('ce_') ? [[name.slice('ce_'.length), text]] : name === 'content-type' ? [['datacontenttype', text]] : [])));
  const missing = ['id', 'source', 'specversion', 'type'].filter((name) => !attributes[name]);
  if (missing.length > 0) throw new Error(`no event: it has no ${missing.join(', ')}`);
  expect(attributes['datacontenttype']).not.toMatch(/^application\/cloudevents/i);
  return attributes;
}

describe('in Kafka', () => {
  let log: FactLog;

  beforeAll(async () => {
    log = kafkaLog({ brokers: (process.env['FACTLINE_KAFKA'] ?? '').split(','), clientId: 'outbox-spec' });
    await log.createTopics([asked, silent, watermarkTopic].map(({ name, partitions }) => ({ name, partitions })));
  });
  afterAll(async () => {
    await log.deleteTopics([asked.name, silent.name]);
    await log.close();
  });

  async function recordsOf(topic: string): Promise<LogRecord[]> {
    const [state] = await log.describe([topic]);
    const read: LogRecord[] = [];
    await log.read({ topic, ranges: state!.partitions.map(({ start, end }, partition) => ({ partition, from: start, to: end })), batch: ({ records }) => void read.push(...records) });
    return read;
  }

  it('a fact is an event for who looks at headers alone, and its schema is found by its dataschema; to us it is the fact that it was', async () => {
    const schemas = new RegisteredSchemas({ registry: new SchemaRegistry({ url: registryUrl }), memory: schemaMemory(database.store), produces: [JobChanged] });
    await schemas.start();
    const outbox = new FactOutbox({ store: database.store, schemaIds: schemas, traceparent: () => TRACEPARENT });
    const occurredAt = new Date('2026-11-21T17:18:01.123Z');
    const fact = JobChanged('j-1', { note: 'hello' }, { occurredAt });
    const stated = await database.store.transaction((tx) => outbox.addMany(tx, [fact, on(fact, silent)]));
    await relayOn(log, [asked, silent]).runOnce();

    const [record] = await recordsOf(asked.name);
    const id = schemas.idOf(JobChanged);
    const event = eventOf(record!);
    expect(event).toEqual({
      id: stated[0]!.id,
      source: 'urn:factline:app:spec',
      specversion: '1.0',
      type: factName,
      time: '2026-11-21T17:18:01.123000Z',
      dataschema: `urn:factline:schema:${factName}:${id}`,
      datacontenttype: 'application/vnd.apache.avro',
      deprecated: 'true',
      deprecationfrom: '2026-11-21T00:00:00Z',
      deprecationsunset: '2027-02-01T00:00:00Z',
      dataclassification: 'restricted',
      datacategory: 'PII',
    });
    expect(record!.headers!['traceparent']!.toString()).toBe(TRACEPARENT);

    const [, subject, schemaId] = /^urn:factline:schema:(.+):(\d+)$/.exec(event['dataschema']!)!;
    const foreign = await new KafkajsRegistry({ host: registryUrl }).getSchema(Number(schemaId));
    expect([subject, (foreign as { name?: string }).name]).toEqual([factName, factName]);
    expect(foreign.fromBuffer(record!.value!.subarray(5))).toMatchObject({ jobId: 'j-1', note: 'hello' }); // behind what makes it no strict binary mode

    const decoder = new FactDecoder([selectInSpec<{ note: string }>({ factName, topic: asked.name, schema: { ...schema, fields: schema.fields.slice(-1) }, fingerprint: 'spec' })], schemas);
    await decoder.prepare(decoder.unprepared([record!.value]));
    expect(decoder.decode(record!.key, record!.value)).toMatchObject({ name: factName, key: 'j-1', data: { note: 'hello' } });

    // control: a topic that asked for nothing
    const [plain] = await recordsOf(silent.name);
    expect(Object.keys(plain!.headers!)).toEqual(['traceparent']);
    expect(() => eventOf(plain!)).toThrow('no event: it has no id, source, specversion, type');
  });
});

describe('the relay', () => {
  const plain = { ...jobs, partitions: 1 };
  const topic: TopicDeclaration = { ...plain, headers: 'cloudevents' };
  const typesOf = (recording: RecordingLog) => recording.facts().map(({ key, headers }) => [key, headers?.['ce_type']?.toString(), Object.keys(headers ?? {}).length]);
  const state = (id: number, ...keys: readonly string[]) =>
    database.store.transaction((tx) => new FactOutbox({ store: database.store, schemaIds: { idOf: () => id } }).addMany(tx, keys.map((key) => changed(key))));
  const remember = (id: number, subject: string) => schemaMemory(database.store).remember({ id, subject, schema });

  it('knows what a newer process stated, from what that one remembered', async () => {
    const recording = new RecordingLog(1);
    const relay = relayOn(recording.log, [topic]);
    await remember(7, 'spec.JobChanged');
    await state(7, 'a');
    await relay.runOnce();
    await remember(8, 'spec.JobMoved');
    await state(8, 'b');
    await state(7, 'c');
    await relay.runOnce();
    expect(typesOf(recording).map(([key, type]) => `${key} ${type}`)).toEqual(['a spec.JobChanged', 'b spec.JobMoved', 'c spec.JobChanged']);
  });

  it('holds nothing back for a schema that nobody remembered: its facts have no such headers, and that is told once', async () => {
    const recording = new RecordingLog(1);
    const told: object[] = [];
    const relay = relayOn(recording.log, [topic], { ...silentLogger, warn: (fields) => void told.push(fields) });
    await remember(8, 'spec.JobMoved');
    await state(7, 'a', 'b');
    await state(8, 'a');
    await relay.runOnce();
    await state(7, 'a');
    await relay.runOnce();
    expect(typesOf(recording)).toEqual([['a', undefined, 0], ['b', undefined, 0], ['a', 'spec.JobMoved', 12], ['a', undefined, 0]]);
    expect(recording.byKey()).toEqual(new Map([['spec.job/a', [1, 2, 3]], ['spec.job/b', [1]]]));
    expect(told).toEqual([{ topic: 'spec.job', schemaId: 7 }]);
  });

  it('counts headers among the bytes of a send, which has to stay below what a broker takes', async () => {
    const sendsOf = async (of: TopicDeclaration): Promise<number[]> => {
      await database.reset();
      const recording = new RecordingLog(1);
      const sent: number[] = [];
      recording.beforeSend = async (name, _partition, records) => {
        if (name === of.name) sent.push(records.reduce((sum, { key, value, headers = {} }) => sum + key.length + value.length + Object.entries(headers).reduce((bytes, [header, text]) => bytes + header.length + text.length, 0), 0));
      };
      await remember(schemaIds.idOf(), 'spec.JobChanged');
      for (let round = 0; round < 3; round++) await state(schemaIds.idOf(), ...Array<string>(1_000).fill('one key'));
      await relayOn(recording.log, [of]).runOnce();
      expect(recording.byKey().get('spec.job/one key')).toEqual(Array.from({ length: 3_000 }, (_each, at) => at + 1));
      return sent;
    };
    const sends = await sendsOf(topic);
    expect(sends.length).toBeGreaterThan(1);
    expect(Math.max(...sends)).toBeLessThanOrEqual(SEND_BYTES);
    await relays.pop()!.stop();
    expect(await sendsOf(plain)).toHaveLength(1); // control
  });
});
