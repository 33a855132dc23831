import { FIELDS } from '../check/shop.spec.support.js';
import type { AvroNode } from '../avro-json.js';
import { fingerprintOf } from '../canonical.js';
import type { Contract } from '../contract-file.js';
import { readerSchema } from '../selection.js';
import { asyncApi } from './asyncapi.js';
import { shop, sourcesOf } from './sources.spec.support.js';

const SETTINGS = { 'schemas/shop/topic.yaml': "name: shop.order\nowner: shop\nkeyField: orderId\npartitions: 6\nkind: facts\nsettings:\n  retention.ms: '-1'\n  message.timestamp.type: LogAppendTime\n  cleanup.policy: compact, delete\n" };
const email = { field: { type: 'string', doc: 'Where to.', 'confluent:tags': ['PII'] } };

async function contracts(extra: Record<string, string> = {}, apps?: Record<string, readonly string[] | '*'>): Promise<Map<string, Contract>> {
  const sources = await sourcesOf(shop({ ...FIELDS, email }, apps, { ...SETTINGS, ...extra }));
  return new Map(sources.contracts.map((contract) => [contract.app, contract]));
}

describe('an AsyncAPI document', () => {
  it('says what its producer sends: the topic, the key, the headers and the whole writer schema', async () => {
    const document = asyncApi((await contracts()).get('shop')!);
    expect(document).toMatchObject({
      asyncapi: '3.0.0',
      info: { title: 'shop', 'x-owner': 'sales', version: expect.stringMatching(/^[0-9a-f]{16}$/) as string },
      channels: {
        'shop.order': {
          address: 'shop.order',
          messages: { 'shop.OrderPlaced': { $ref: '#/components/messages/shop.OrderPlaced' } },
          bindings: { kafka: { partitions: 6, topicConfiguration: { 'cleanup.policy': ['compact', 'delete'], 'message.timestamp.type': 'LogAppendTime', 'retention.ms': -1 }, bindingVersion: '0.5.0' } },
        },
      },
      operations: { 'send.shop.OrderPlaced': { action: 'send', channel: { $ref: '#/channels/shop.order' }, messages: [{ $ref: '#/channels/shop.order/messages/shop.OrderPlaced' }] } },
    });
    expect(document['servers']).toBeUndefined();
    expect(messageIn(document, 'shop.OrderPlaced')).toMatchObject({
      name: 'shop.OrderPlaced',
      title: 'OrderPlaced',
      contentType: 'application/vnd.apache.avro',
      headers: { type: 'object', properties: { traceparent: { type: 'string' } } },
      payload: { schemaFormat: 'application/vnd.apache.avro+json;version=1.9.0' },
      tags: [{ name: 'PII' }],
      bindings: { kafka: { key: { type: 'string' }, schemaIdLocation: 'payload', schemaIdPayloadEncoding: 'confluent', schemaLookupStrategy: 'RecordNameStrategy', bindingVersion: '0.5.0' } },
    });
    expect(fieldsOf(document, 'shop.OrderPlaced')).toEqual(['meta', ...Object.keys(FIELDS)]);
  });

  it('says what a consumer receives: its selection, and why', async () => {
    const contract = (await contracts()).get('mailer')!;
    const document = asyncApi(contract);
    expect(document['operations']).toMatchObject({ 'receive.shop.OrderPlaced': { action: 'receive', description: 'testing' } });
    expect(fieldsOf(document, 'shop.OrderPlaced')).toEqual(['orderId', 'email']);
    expect(messageIn(document, 'shop.OrderPlaced')).toMatchObject({
      'x-selection': ['orderId', 'email'],
      'x-fingerprint': fingerprintOf(readerSchema(contract.consumes[0]!.selected)),
      examples: [{ payload: { orderId: 'order id', email: 'email' } }],
    });
    expect(messageIn(asyncApi((await contracts()).get('billing')!), 'shop.OrderPlaced')).not.toHaveProperty('tags'); // it selects nothing personal
  });

  it('keeps what an app writes apart from what it reads of its own', async () => {
    const both = { 'apps/shop/contracts.yaml': 'app: shop\nowner: sales\nproduces: [shop.OrderPlaced]\nconsumes:\n  - fact: shop.OrderPlaced\n    select: [orderId]\n    purpose: own read model\n' };
    const document = asyncApi((await contracts(both)).get('shop')!);
    expect(Object.keys(document['operations'] as object)).toEqual(['send.shop.OrderPlaced', 'receive.shop.OrderPlaced']);
    expect(fieldsOf(document, 'shop.OrderPlaced')).toHaveLength(1 + Object.keys(FIELDS).length);
    expect(fieldsOf(document, 'shop.OrderPlaced-selection')).toEqual(['orderId']);
  });

  it('has one version as long as it says the same', async () => {
    const version = async (apps?: Record<string, readonly string[]>) => (asyncApi((await contracts({}, apps)).get('mailer')!)['info'] as { version: string }).version;
    expect(await version({ mailer: ['orderId'] })).toBe(await version({ mailer: ['orderId'], board: ['status'] }));
    expect(await version({ mailer: ['orderId'] })).not.toBe(await version({ mailer: ['email'] }));
  });

  it('lists the headers that the topic asks for: of each what is the same in every record, whoever reads which part of it', async () => {
    const cloudEvents = { 'schemas/shop/topic.yaml': `${SETTINGS['schemas/shop/topic.yaml']}headers: cloudevents\n` };
    for (const app of ['shop', 'billing']) {
      const { properties, ...rest } = messageIn(asyncApi((await contracts(cloudEvents)).get(app)!), 'shop.OrderPlaced')['headers'] as { properties: Record<string, object> };
      expect(rest).not.toHaveProperty('required');
      expect(properties).toMatchObject({
        traceparent: { type: 'string' },
        ce_type: { const: 'shop.OrderPlaced' },
        ce_source: { const: 'urn:factline:app:shop' },
        ce_specversion: { const: '1.0' },
        ce_id: { format: 'uuid' },
        ce_time: { format: 'date-time' },
        ce_dataschema: { description: expect.stringContaining('urn:factline:schema:shop.OrderPlaced:<schema id>') as string },
        ce_dataclassification: { const: 'restricted' },
        ce_datacategory: { const: 'PII' },
        'content-type': { const: 'application/vnd.apache.avro' },
      });
    }
    expect(messageIn(asyncApi((await contracts()).get('shop')!), 'shop.OrderPlaced')['headers']).toEqual({ type: 'object', properties: { traceparent: expect.anything() as object } });
  });

  it('is not made of a schema that Avro refuses', async () => {
    const contract = (await contracts()).get('shop')!;
    const fact = contract.produces[0]!;
    const broken = { ...fact, schema: { ...fact.schema, fields: [{ name: 'orderId', type: 'nonsense' }] } };
    expect(() => asyncApi({ ...contract, produces: [broken] })).toThrow(expect.objectContaining({ code: 'schema.unknown-type', message: expect.stringContaining('shop/OrderPlaced.avsc') as string }));
  });
});

function messageIn(document: Record<string, unknown>, id: string): Record<string, unknown> {
  return (document['components'] as { messages: Record<string, Record<string, unknown>> }).messages[id]!;
}

function fieldsOf(document: Record<string, unknown>, id: string): string[] {
  return (messageIn(document, id)['payload'] as { schema: AvroNode }).schema.fields!.map(({ name }) => name);
}
