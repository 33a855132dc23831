import { AvroSchemaParser } from '@asyncapi/avro-schema-parser';
import { Parser } from '@asyncapi/parser';
import { FIELDS } from '../check/shop.spec.support.js';
import { asyncApi } from './asyncapi.js';
import { invented, shop, sourcesOf } from './sources.spec.support.js';

/** The judge: the official parser, which asks the official JSON Schema of AsyncAPI 3.0 and of its Kafka bindings, and rules on top of it. */
const parser = new Parser();
parser.registerSchemaParser(AvroSchemaParser());

const INFORMATION = 2;

/** What it says that is a warning or worse. That there is a later AsyncAPI than 3.0 is information. */
async function faults(document: object): Promise<string[]> {
  const { diagnostics } = await parser.parse(JSON.stringify(document));
  return diagnostics.filter(({ severity }) => severity < INFORMATION).map(({ message, path }) => `${path.join('/')}: ${String(message)}`);
}

it('the official parser takes the document of each app', async () => {
  const settings = { 'schemas/shop/topic.yaml': "name: shop.order\nowner: shop\nkeyField: orderId\npartitions: 6\nkind: facts\nheaders: cloudevents\nsettings:\n  retention.ms: '-1'\n  cleanup.policy: delete\n  message.timestamp.type: LogAppendTime\n" };
  const both = { 'apps/shop/contracts.yaml': 'app: shop\nowner: sales\nproduces: [shop.OrderPlaced]\nconsumes:\n  - fact: shop.OrderPlaced\n    select: [orderId]\n    purpose: own read model\n' };
  const fields = {
    ...FIELDS,
    price: { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 },
    labels: { type: 'map', values: 'string' },
    email: { field: { type: 'string', 'confluent:tags': ['PII'], deprecated: { effective: '2026-11-21', removal: '2027-02-01' } } },
    category: { type: 'record', name: 'Category', fields: [{ name: 'parent', type: ['null', 'Category'], default: null }] },
  };
  const { contracts } = await sourcesOf(shop(fields, { mailer: ['email', 'category'], archive: '*' }, { ...settings, ...both }));
  for (const contract of [...contracts, ...(await sourcesOf(invented({ facts: 4, apps: 2, fields: 3 }))).contracts]) {
    const document = asyncApi(contract);
    expect([contract.app, await faults(document)]).toEqual([contract.app, []]);
    const parsed = (await parser.parse(JSON.stringify(document))).document!;
    expect(parsed.allMessages().all().map((message) => String(message.name())).toSorted()).toEqual([...contract.produces, ...contract.consumes.map(({ fact }) => fact)].map(({ factName }) => factName).toSorted());
  }
});

it('control: it refuses what is wrong, but for Avro, of which it takes anything', async () => {
  const { contracts } = await sourcesOf(shop());
  const text = JSON.stringify(asyncApi(contracts.find(({ app }) => app === 'shop')!));
  const changed = (from: string, to: string) => {
    expect(text).toContain(from);
    return JSON.parse(text.replace(from, to)) as object;
  };
  expect(await faults(changed('"partitions":6', '"partitions":0'))).toContain('channels/shop.order/bindings/kafka/partitions: "partitions" property must be >= 1');
  expect(await faults(changed('"action":"send"', '"action":"publish"'))).not.toEqual([]);
  expect(await faults(changed('"#/components/messages/shop.OrderPlaced"', '"#/components/messages/shop.Nothing"'))).not.toEqual([]);
  expect(await faults(changed('{"name":"email","type":"string"}', '{"name":"email","type":"nonsense"}'))).toEqual([]); // why schemas are read before
});
