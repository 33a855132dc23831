import { type Clock, FactlineError } from 'factline/kernel';
import { RegisteredSchemas, type RememberedSchema, defineFact } from './index.js';

function schemaOf(...fields: object[]): object {
  return { type: 'record', name: 'Happened', namespace: 'x', fields: [{ name: 'id', type: 'string' }, ...fields] };
}
const topic = { name: 'x', owner: 'x', keyField: 'id', partitions: 1, kind: 'facts', settings: {} } as const;
const Happened = defineFact<{ id: string }, 'id'>({ factName: 'x.Happened', topic, keyField: 'id', schema: schemaOf() });

class FakeRegistry {
  up = true;
  readonly schemas = new Map<number, object>();
  asked = 0;

  async register(_subject: string, schema: object): Promise<number> {
    this.#answer();
    for (const [id, known] of this.schemas) if (JSON.stringify(known) === JSON.stringify(schema)) return id;
    const id = this.schemas.size + 1;
    this.schemas.set(id, schema);
    return id;
  }

  async byId(id: number): Promise<object> {
    this.#answer();
    const schema = this.schemas.get(id);
    if (!schema) throw new FactlineError({ code: 'registry.schema-unknown', kind: 'not-found', message: 'unknown' });
    return schema;
  }

  #answer(): void {
    this.asked++;
    if (!this.up) throw new FactlineError({ code: 'registry.unavailable', kind: 'unavailable', message: 'down' });
  }
}

class FakeMemory {
  readonly entries = new Map<number, RememberedSchema>();
  async all(): Promise<RememberedSchema[]> {
    return [...this.entries.values()];
  }
  async remember(entry: RememberedSchema): Promise<void> {
    this.entries.set(entry.id, entry);
  }
}

describe('the schemas an app works with', () => {
  it('are registered once and remembered', async () => {
    const [registry, memory] = [new FakeRegistry(), new FakeMemory()];
    const schemas = new RegisteredSchemas({ registry, memory, produces: [Happened] });
    expect(() => schemas.idOf(Happened)).toThrow(expect.objectContaining({ code: 'registry.not-started' }));
    await Promise.all([schemas.start(), schemas.start()]);
    expect(schemas.idOf(Happened)).toBe(1);
    expect(registry.asked).toBe(1);
    expect([...memory.entries.values()]).toEqual([{ id: 1, subject: 'x.Happened', schema: Happened.schema }]);
  });

  it('are enough to start and to read with the registry down, also after a doc was reworded', async () => {
    const [registry, memory] = [new FakeRegistry(), new FakeMemory()];
    await new RegisteredSchemas({ registry, memory, produces: [Happened] }).start();
    registry.up = false;
    const reworded = defineFact<{ id: string }, 'id'>({ ...Happened, factName: Happened.factName, schema: { ...Happened.schema, doc: 'In other words.' } });
    for (const type of [Happened, reworded]) {
      const again = new RegisteredSchemas({ registry, memory, produces: [type] });
      await again.start();
      expect(again.idOf(type)).toBe(1);
      expect(await again.byId(1)).toEqual(Happened.schema);
    }
  });

  it('cannot be made up: down and not remembered fails, and a later start succeeds', async () => {
    const [registry, memory] = [new FakeRegistry(), new FakeMemory()];
    memory.entries.set(9, { id: 9, subject: 'x.Happened', schema: schemaOf({ name: 'other', type: 'long' }) });
    registry.up = false;
    const schemas = new RegisteredSchemas({ registry, memory, produces: [Happened] });
    await expect(schemas.start()).rejects.toMatchObject({ code: 'registry.unavailable' });
    registry.up = true;
    await schemas.start();
    expect(schemas.idOf(Happened)).toBe(1);
  });

  it('stop the app when the registry gives an old id to another schema', async () => {
    const [registry, memory] = [new FakeRegistry(), new FakeMemory()];
    memory.entries.set(1, { id: 1, subject: 'x.Happened', schema: schemaOf({ name: 'other', type: 'long' }) });
    await expect(new RegisteredSchemas({ registry, memory, produces: [Happened] }).start()).rejects.toMatchObject({ code: 'registry.id-reused', kind: 'integrity' });
    const reader = new RegisteredSchemas({ registry, memory });
    await reader.start();
    await expect(reader.byId(1)).rejects.toMatchObject({ code: 'registry.id-reused' });
  });

  it('are those of a newer process of this app, as that one remembered them: a registry gives back no tags', async () => {
    const [registry, memory] = [new FakeRegistry(), new FakeMemory()];
    const older = new RegisteredSchemas({ registry, memory });
    await older.start();
    const tagged = schemaOf({ name: 'note', type: ['null', 'string'], default: null, 'confluent:tags': ['PII'] });
    await new RegisteredSchemas({ registry, memory, produces: [defineFact<{ id: string }, 'id'>({ ...Happened, factName: Happened.factName, schema: tagged })] }).start();
    registry.schemas.set(1, schemaOf({ name: 'note', type: ['null', 'string'], default: null }));
    await older.byId(1);
    expect([...memory.entries.values()]).toEqual([{ id: 1, subject: 'x.Happened', schema: tagged }]);
  });

  it('are confirmed once, and a silent registry is not asked again for 30 s', async () => {
    const [registry, memory] = [new FakeRegistry(), new FakeMemory()];
    let now = 0;
    const clock: Clock = { now: () => now, monotonic: () => now };
    memory.entries.set(1, { id: 1, subject: 'x.Happened', schema: schemaOf() });
    memory.entries.set(2, { id: 2, subject: 'x.Happened', schema: schemaOf({ name: 'a', type: 'int' }) });
    const reader = new RegisteredSchemas({ registry, memory, clock });
    await reader.start();
    registry.up = false;
    for (const id of [1, 2, 1]) await reader.byId(id);
    expect(registry.asked).toBe(1);
    now = 30_000;
    registry.up = true;
    registry.schemas.set(1, schemaOf());
    for (let i = 0; i < 3; i++) await reader.byId(1);
    expect(registry.asked).toBe(2);
  });
});
