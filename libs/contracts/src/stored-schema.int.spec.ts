import { randomBytes } from 'node:crypto';
import { FakeRegistry, pretends, refusal } from './fake-registry.spec.support.js';
import { SchemaRegistry } from './index.js';

const url = process.env['FACTLINE_REGISTRY_URL'] ?? '';

/** What our client never does: a schema that names types of other subjects. */
async function registerRaw(subject: string, schema: object, references: readonly string[]): Promise<number> {
  const body = { schema: JSON.stringify(schema), references: references.map((name) => ({ name, subject: name, version: 1 })) };
  const response = await fetch(`${url}/subjects/${subject}/versions`, { method: 'POST', headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' }, body: JSON.stringify(body) });
  expect(response.status).toBe(200);
  return ((await response.json()) as { id: number }).id;
}

describe('a schema that refers to other subjects', () => {
  it('is read with what they define, also where two of them refer to the same', async () => {
    const namespace = `refers_${randomBytes(6).toString('hex')}`;
    const record = (name: string, ...types: string[]) => ({ type: 'record', name, namespace, fields: types.map((type) => ({ name: type.toLowerCase(), type: `${namespace}.${type}` })) });
    const named = (...names: string[]) => names.map((name) => `${namespace}.${name}`);
    const money = { type: 'record', name: 'Money', namespace, fields: [{ name: 'cents', type: 'long' }] };
    await registerRaw(`${namespace}.Money`, money, []);
    await registerRaw(`${namespace}.Price`, record('Price', 'Money'), named('Money'));
    await registerRaw(`${namespace}.Tax`, record('Tax', 'Money'), named('Money'));
    const id = await registerRaw(`${namespace}.Order`, record('Order', 'Price', 'Tax'), named('Price', 'Tax'));
    expect(await new SchemaRegistry({ url }).stored(id)).toMatchObject({ references: true });
    expect(await new SchemaRegistry({ url }).byId(id)).toEqual({
      type: 'record',
      name: `${namespace}.Order`,
      fields: [
        { name: 'price', type: { type: 'record', name: `${namespace}.Price`, fields: [{ name: 'money', type: { type: 'record', name: `${namespace}.Money`, fields: [{ name: 'cents', type: 'long' }] } }] } },
        { name: 'tax', type: { type: 'record', name: `${namespace}.Tax`, fields: [{ name: 'money', type: `${namespace}.Money` }] } },
      ],
    });
  });

  it('fails as its parts do, and asks for each once', async () => {
    const fake = await FakeRegistry.start();
    try {
      const schema = JSON.stringify({ type: 'record', name: 'A', fields: [{ name: 'b', type: 'B' }] });
      fake.breaks('GET /schemas/ids/', pretends({ schema, references: [{ name: 'B', subject: 'B', version: 1 }, { name: 'B', subject: 'B', version: 1 }] }));
      const byId = (id: number) => new SchemaRegistry({ url: fake.url }).byId(id);
      await expect(byId(1)).rejects.toMatchObject({ code: 'registry.schema-unknown' });
      fake.breaks('GET /subjects/B/', refusal(503, 503));
      await expect(byId(1)).rejects.toMatchObject({ code: 'registry.unavailable' });
      fake.breaks('GET /subjects/B/', pretends({ id: 2, schema: '{ "type": "nonsense" }' }));
      await expect(byId(1)).rejects.toMatchObject({ code: 'registry.refused' });
      fake.breaks('GET /subjects/B/', pretends({ id: 2, schema, references: [{ subject: 'B', version: 1 }] })); // a circle, which no registry takes
      await expect(byId(1)).rejects.toMatchObject({ code: 'registry.refused' });
      fake.breaks('GET /schemas/ids/', pretends({ schema, references: [{ subject: 'B' }] }));
      await expect(byId(1)).rejects.toMatchObject({ code: 'registry.unavailable' });
      fake.requests.length = 0;
      fake.heal();
      fake.breaks('GET /schemas/ids/', pretends({ schemaType: 'PROTOBUF', schema: 'message B {}', references: [{ subject: 'B', version: 1 }] }));
      await expect(byId(1)).rejects.toMatchObject({ code: 'registry.schema-unknown', message: expect.stringContaining('not an Avro schema') as string });
      expect(fake.requests).toEqual(['GET /schemas/ids/1']);
    } finally {
      await fake.stop();
    }
  });
});
