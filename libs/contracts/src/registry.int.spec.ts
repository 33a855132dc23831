import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import avro from 'avsc';
import { RegisteredSchemas, type RememberedSchema, SchemaRegistry, defineFact } from './index.js';
import { loadSchemas } from './schemas.js';

const url = process.env.FACTLINE_REGISTRY_URL ?? '';

/** A subject of this run alone: the registry is shared and never emptied. */
function factIn(namespace: string, ...fields: object[]): object {
  return { type: 'record', name: 'Happened', namespace, doc: 'Something happened.', fields: [{ name: 'id', type: 'string', doc: 'Key.' }, ...fields] };
}

function newNamespace(): string {
  return `int_${randomUUID().replaceAll('-', '')}`;
}

describe('the schema registry', () => {
  beforeAll(() => {
    if (url === '') throw new Error('FACTLINE_REGISTRY_URL is not set: start the stack and give the address of its registry.');
  });

  it('gives one id per schema, also to five at once, and the schema back', async () => {
    const namespace = newNamespace();
    const schema = factIn(namespace);
    const registries = Array.from({ length: 5 }, () => new SchemaRegistry({ url }));
    const ids = await Promise.all(registries.map((registry) => registry.register(`${namespace}.Happened`, schema)));
    expect(new Set(ids).size).toBe(1);
    expect(await registries[1]!.register(`${namespace}.Happened`, schema)).toBe(ids[0]);
    expect(await registries[0]!.byId(ids[0]!)).toMatchObject({ name: `${namespace}.Happened`, fields: [{ name: 'id', type: 'string' }] });
  });

  it('holds a schema that says everything itself, though its types lie in several files: there is no reference to resolve', async () => {
    const namespace = newNamespace();
    const { schema } = (await loadSchemas('schemas')).facts.get('hr.EmployeeCreated')!;
    const ours = JSON.parse(JSON.stringify(schema).replaceAll(/"hr([".])/g, `"${namespace}$1`)) as object;
    await new SchemaRegistry({ url }).register(`${namespace}.EmployeeCreated`, ours);
    const held = (await (await fetch(`${url}/subjects/${namespace}.EmployeeCreated/versions/latest`)).json()) as { schema: string; references?: unknown[] };
    expect(held.references ?? []).toEqual([]);
    expect(avro.Type.forSchema(JSON.parse(held.schema) as never).name).toBe(`${namespace}.EmployeeCreated`);
    const written = JSON.parse(await readFile('schemas/hr/employee/EmployeeCreated.avsc', 'utf8')) as never;
    expect(() => avro.Type.forSchema(written)).toThrow('undefined type'); // control: as it is written it refers to others
  });

  it('D11: enforces FULL_TRANSITIVE from the first version on', async () => {
    const namespace = newNamespace();
    const subject = `${namespace}.Happened`;
    const registry = new SchemaRegistry({ url });
    const one = await registry.register(subject, factIn(namespace));
    const two = await registry.register(subject, factIn(namespace, { name: 'note', type: ['null', 'string'], default: null }));
    expect(two).not.toBe(one);
    await expect(registry.register(subject, factIn(namespace, { name: 'required', type: 'string' }))).rejects.toMatchObject({
      code: 'registry.incompatible',
      kind: 'conflict',
      message: expect.stringMatching(/required|READER_FIELD_MISSING_DEFAULT_VALUE/),
    });
  });

  it('leaves a level alone that somebody set', async () => {
    const namespace = newNamespace();
    const subject = `${namespace}.Happened`;
    const registry = new SchemaRegistry({ url });
    await registry.register(subject, factIn(namespace), 'BACKWARD');
    await registry.register(subject, factIn(namespace, { name: 'note', type: 'string', default: '' }));
    await expect(registry.register(subject, factIn(namespace))).resolves.toEqual(expect.any(Number)); // forbidden by nothing: BACKWARD allows the removal
  });

  it('does not know an id that was never given', async () => {
    await expect(new SchemaRegistry({ url }).byId(2_000_000_000)).rejects.toMatchObject({ code: 'registry.schema-unknown', kind: 'not-found' });
  });

  it('refuses what is no schema', async () => {
    const namespace = newNamespace();
    await expect(new SchemaRegistry({ url }).register(`${namespace}.X`, { type: 'record', name: 'X', namespace, fields: [{ name: 'a', type: 'nonsense' }] })).rejects.toMatchObject({ code: 'registry.refused', kind: 'invalid' });
  });

  it('may be gone at the second start', async () => {
    const namespace = newNamespace();
    const topic = { name: namespace, owner: 'x', keyField: 'id', partitions: 1, kind: 'facts', settings: {} } as const;
    const type = defineFact<{ id: string }, 'id'>({ factName: `${namespace}.Happened`, topic, keyField: 'id', schema: factIn(namespace) });
    const remembered = new Map<number, RememberedSchema>();
    const memory = { all: async () => [...remembered.values()], remember: async (entry: RememberedSchema) => void remembered.set(entry.id, entry) };
    const first = new RegisteredSchemas({ registry: new SchemaRegistry({ url }), memory, produces: [type] });
    await first.start();
    const second = new RegisteredSchemas({ registry: new SchemaRegistry({ url: 'http://127.0.0.1:1', timeout: '1s' }), memory, produces: [type] });
    await second.start();
    expect(second.idOf(type)).toBe(first.idOf(type));
    expect(await second.byId(first.idOf(type))).toEqual(type.schema);
  });
});
