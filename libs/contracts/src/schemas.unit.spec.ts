import { readSchemas } from './schemas.js';
import { tree } from './check/shop.spec.support.js';

const TOPIC = 'name: shop.order\nowner: shop\nkeyField: orderId\npartitions: 6\nkind: facts\n';
const schemaOf = (type: string) => `{"type": "record", "name": "OrderPlaced", "namespace": "shop", "fields": [{"name": "meta", "type": "factline.Meta"}, {"name": "orderId", "type": "string"}, {"name": "deep", "type": ${type}}]}`;
const nested = (levels: number) => `${'{"type": "array", "items": '.repeat(levels)}"string"${'}'.repeat(levels)}`;
const read = (schema: string) => readSchemas(tree('working tree', { 'schemas/shop/topic.yaml': TOPIC, 'schemas/shop/OrderPlaced.avsc': schema }), 'schemas');

it.each<[string, string, string]>([
  ['nested as deep as a stack', schemaOf(nested(3_000)), 'schema.too-deep'],
  ['nested deeper than any stack', schemaOf(nested(100_000)), 'schema.too-deep'],
  ['as large as an attack', schemaOf(`["null"${', "string"'.repeat(100_000)}]`), 'schema.too-large'],
  ['that has a name and defines none', '{"name": "shop.Labels", "type": "map", "values": "string"}', 'schema.invalid'],
])('a schema %s is refused with its file', async (_what, text, code) => {
  await expect(read(text)).rejects.toMatchObject({ code, kind: 'configuration', details: { file: 'shop/OrderPlaced.avsc' } });
});

it('control: what is nested as people nest is read', async () => {
  expect((await read(schemaOf(nested(20)))).facts.has('shop.OrderPlaced')).toBe(true);
});
