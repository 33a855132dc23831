import { formatId } from 'factline/kernel';
import type { AvroNode } from './avro-json.js';
import { CloudEvents, FactEncoder, type TopicDeclaration, defineFact, factIdOf, withSequence } from './index.js';
import { META_SCHEMA } from './meta.js';

const topic: TopicDeclaration = { name: 'shop.order', owner: 'shop', keyField: 'orderId', partitions: 1, kind: 'facts', settings: {}, headers: 'cloudevents' };
const AT = new Date('2026-11-21T17:18:01.123Z');
const SCHEMA_ID = 300;

function schemaOf(attributes: object = {}, ...fields: object[]): AvroNode {
  return { type: 'record', name: 'OrderPaid', namespace: 'shop', ...attributes, fields: [{ name: 'meta', type: META_SCHEMA }, { name: 'orderId', type: 'string' }, ...fields] } as unknown as AvroNode;
}

function written(schema: object, occurredAt: Date = AT, sequence = 1): Buffer {
  const OrderPaid = defineFact<{ orderId: string }, 'orderId'>({ factName: 'shop.OrderPaid', topic, keyField: 'orderId', schema });
  return withSequence(new FactEncoder().encode(OrderPaid('o-1', {}, { occurredAt }), SCHEMA_ID).value, sequence);
}

/** As texts. */
function headersOf(value: Buffer, schema: object, of: TopicDeclaration = topic): Record<string, string> | undefined {
  const events = new CloudEvents(of);
  expect(events.unlearnt([value, value])).toEqual([SCHEMA_ID]);
  expect(events.headersOf(value)).toBeUndefined();
  events.learn(SCHEMA_ID, { id: SCHEMA_ID, subject: 'shop.OrderPaid', schema });
  expect(events.unlearnt([value])).toEqual([]);
  const headers = events.headersOf(value);
  return headers && Object.fromEntries(Object.entries(headers).map(([name, bytes]) => [name, bytes.toString()]));
}

describe('the headers of a fact', () => {
  it('are the attributes of CloudEvents 1.0 that it has, from its own bytes and its schema', () => {
    const value = written(schemaOf());
    expect(headersOf(value, schemaOf())).toEqual({
      ce_id: formatId(factIdOf(value)),
      ce_source: 'urn:factline:app:shop',
      ce_specversion: '1.0',
      ce_type: 'shop.OrderPaid',
      ce_time: '2026-11-21T17:18:01.123000Z',
      ce_dataschema: 'urn:factline:schema:shop.OrderPaid:300',
      'content-type': 'application/vnd.apache.avro',
    });
  });

  it.each<[string, number, number, string | undefined]>([
    ['with microseconds', 1_795_281_481_123_456, 1, '2026-11-21T17:18:01.123456Z'],
    ['before 1970', -1, 1, '1969-12-31T23:59:59.999999Z'],
    ['behind a long sequence', 1_795_281_481_000_007, 2 ** 40, '2026-11-21T17:18:01.000007Z'],
    ['as early as it can be', -(2 ** 53 - 1), 1, '1684-07-28T00:12:25.259009Z'],
    ['as late as it can be', 2 ** 53 - 1, 1, '2255-06-05T23:47:34.740991Z'],
    ['unless it is later', 2 ** 53, 1, undefined],
  ])('say its time %s', (_what, microseconds, sequence, expected) => {
    expect(headersOf(at(microseconds, sequence), schemaOf())!['ce_time']).toBe(expected);
  });

  it('say that it is deprecated, since when and until when, and where to read more if that is an address', () => {
    const deprecated = { effective: '2026-11-21', removal: '2027-02-01', alternative: 'shop.OrderSettled' };
    const headers = (documentation: object) => headersOf(written(schemaOf()), schemaOf({ deprecated: { ...deprecated, ...documentation } }))!;
    expect(headers({})).toMatchObject({ ce_deprecated: 'true', ce_deprecationfrom: '2026-11-21T00:00:00Z', ce_deprecationsunset: '2027-02-01T00:00:00Z' });
    expect(headers({ documentation: 'https://shop.example/moved' })).toMatchObject({ ce_deprecationmigration: 'https://shop.example/moved' });
    expect(headers({ documentation: 'Ask the shop.' })).not.toHaveProperty('ce_deprecationmigration');
    expect(headersOf(written(schemaOf()), schemaOf({ deprecated: { removal: 'soon' } }))).not.toHaveProperty('ce_deprecated');
  });

  it('say that it is restricted when anything in it is tagged, however deep', () => {
    const address = { type: 'record', name: 'Address', fields: [{ name: 'street', type: ['null', 'string'], default: null, 'confluent:tags': ['PII.home'] }] };
    const tagged = schemaOf({}, { name: 'note', type: ['null', 'string'], default: null, 'confluent:tags': ['PII'] }, { name: 'addresses', type: { type: 'array', items: address }, default: [] });
    expect(headersOf(written(tagged), tagged)).toMatchObject({ ce_dataclassification: 'restricted', ce_datacategory: 'PII,PII.home' });
    expect(headersOf(written(schemaOf()), schemaOf({ 'confluent:tags': ['secret'] }))).toMatchObject({ ce_datacategory: 'secret' });
  });

  it('hold a source that is a URI, whatever the owner is called', () => {
    expect(headersOf(written(schemaOf()), schemaOf(), { ...topic, owner: 'Ärger & co' })!['ce_source']).toBe('urn:factline:app:%C3%84rger%20%26%20co');
  });

  it('are names and values that CloudEvents allows: lower-case letters and digits, at most 20 of them, in UTF-8 without control characters', () => {
    const schema = schemaOf({ 'confluent:tags': ['PII'], deprecated: { effective: '2026-11-21', removal: '2027-02-01', documentation: 'https://shop.example/moved' } });
    const headers = Object.entries(headersOf(written(schema), schema)!);
    expect(headers).toHaveLength(13);
    for (const [name, text] of headers) {
      expect(name).toMatch(/^(ce_[a-z0-9]{1,20}|content-type)$/);
      expect(text).toMatch(/^[\x20-\x7e]+$/);
    }
  });

  it('are none when nobody knows its schema: half of them would be no event', () => {
    const events = new CloudEvents(topic);
    const value = written(schemaOf());
    events.learn(SCHEMA_ID, undefined);
    expect(events.unlearnt([value])).toEqual([]);
    expect(events.headersOf(value)).toBeUndefined();
  });
});

/** A value as the encoder makes it, with a time that `Date` cannot hold. */
function at(microseconds: number, sequence: number): Buffer {
  const marker = written(schemaOf(), new Date(0), sequence);
  const end = marker.findIndex((byte, place) => place > 20 && byte < 0x80) + 1;
  const bytes: number[] = [];
  for (let rest = microseconds >= 0 ? BigInt(microseconds) * 2n : -BigInt(microseconds) * 2n - 1n; ; rest >>= 7n) {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    if (rest <= 0x7fn) break;
  }
  return Buffer.concat([marker.subarray(0, end), Buffer.from(bytes), marker.subarray(end + 1)]);
}
