import { type Clock, type Logger, silentLogger } from 'factline/kernel';
import { selectInSpec, until } from 'factline/testing';
import { type Fault, FakeRegistry, faults, page, pretends, refusal } from './fake-registry.spec.support.js';
import { REGISTRY_NEGATIVE_MS } from './limits.js';
import { META_SCHEMA } from './meta.js';
import { FactDecoder, FactEncoder, RegisteredSchemas, type RememberedSchema, SchemaRegistry, defineFact } from './index.js';

let fake: FakeRegistry;

beforeEach(async () => {
  fake = await FakeRegistry.start();
});

afterEach(() => fake.stop());

/** A memory that outlives the processes of an app. */
class Memory {
  readonly entries = new Map<number, RememberedSchema>();
  async all(): Promise<RememberedSchema[]> {
    return [...this.entries.values()];
  }
  async remember(entry: RememberedSchema): Promise<void> {
    this.entries.set(entry.id, entry);
  }
}

describe('an app that remembers its schemas', () => {
  const topic = { name: 'x', owner: 'x', keyField: 'id', partitions: 1, kind: 'facts', settings: {} } as const;
  const factSchema = (...fields: object[]) => ({ type: 'record', name: 'A', namespace: 'x', fields: [{ name: 'meta', type: META_SCHEMA }, { name: 'id', type: 'string' }, ...fields] });
  const Happened = defineFact<{ id: string }, 'id'>({ factName: 'x.A', topic, keyField: 'id', schema: factSchema() });
  const selected = selectInSpec<{ id: string }>({ factName: 'x.A', topic: 'x', schema: { type: 'record', name: 'A', namespace: 'x', fields: [{ name: 'id', type: 'string' }] }, fingerprint: 'spec' });
  let memory: Memory;
  let now: number;
  let warnings: unknown[][];

  beforeEach(() => {
    memory = new Memory();
    now = 0;
    warnings = [];
  });

  /** A new process of the app. */
  function app({ produces = [Happened], timeout = 10_000 } = {}): RegisteredSchemas {
    const clock: Clock = { now: () => now, monotonic: () => now };
    const log: Logger = { ...silentLogger, warn: (...args: unknown[]) => void warnings.push(args) };
    return new RegisteredSchemas({ registry: new SchemaRegistry({ url: fake.url, timeout }), memory, produces, verifyTimeout: 1_000, clock, log });
  }

  async function startedOnce(): Promise<number> {
    const schemas = app();
    await schemas.start();
    fake.requests.length = 0;
    return schemas.idOf(Happened);
  }

  it.each<[string, Fault]>([
    ['hangs', faults.hangs],
    ['hangs after the first byte', faults.hangsInside],
    ['resets connections', faults.resets],
    ['answers 503 with a page', page(503)],
    ['resets connections inside an answer', faults.resetsInside],
    ['cuts its answers', faults.truncates],
  ])('D1: starts and reads while the registry %s, and asks again after 30 s', async (_what, fault) => {
    const id = await startedOnce();
    fake.breaks('', fault);
    const schemas = app({ timeout: 50 });
    await schemas.start();
    expect(schemas.idOf(Happened)).toBe(id);
    const reader = app({ produces: [], timeout: 50 });
    await reader.start();
    fake.requests.length = 0;
    for (let i = 0; i < 5; i++) expect(await reader.byId(id)).toEqual(Happened.schema);
    expect(fake.requests).toHaveLength(1);
    await until('the registry to be asked again', async () => {
      now += REGISTRY_NEGATIVE_MS;
      await reader.byId(id);
      return fake.requests.length === 2;
    }, 2_000);
    for (let i = 0; i < 5; i++) await reader.byId(id);
    expect(fake.requests).toHaveLength(2);
  });

  it('does not start without the registry when it remembers nothing, and does when it is back', async () => {
    fake.breaks('', faults.hangs);
    const schemas = app({ timeout: 1_000 });
    await expect(schemas.start()).rejects.toMatchObject({ code: 'registry.unavailable' });
    fake.heal();
    await schemas.start();
    expect(schemas.idOf(Happened)).toBe(1);
  });

  it('D15: halts when a restored registry gives its id to another schema: producer, reader and decoder', async () => {
    const id = await startedOnce();
    const value = new FactEncoder().encode(Happened('k', {}), id).value;
    const halt = { code: 'registry.id-reused', kind: 'integrity', retry: false, details: { schemaId: id, subject: 'x.A' } };
    fake.subjects.replace(id, factSchema({ name: 'other', type: 'long' }));
    const reader = app({ produces: [] });
    await reader.start();
    await expect(reader.byId(id)).rejects.toMatchObject(halt);
    await expect(new FactDecoder([selected], reader).prepare([id])).rejects.toMatchObject(halt);
    fake.breaks('POST /subjects/x.A/versions', pretends({ id }));
    const others = defineFact<{ id: string }, 'id'>({ ...Happened, factName: 'x.A', schema: factSchema({ name: 'other', type: 'long', default: 0 }) });
    await expect(app({ produces: [others] }).start()).rejects.toMatchObject(halt);

    fake.subjects.replace(id, { ...Happened.schema, doc: 'In other words.' }); // the control: rewording changes no bytes
    const calm = app({ produces: [] });
    await calm.start();
    const decoding = new FactDecoder([selected], calm);
    await decoding.prepare([id]);
    expect(decoding.decode('k', value)?.data).toEqual({ id: 'k' });
  });

  it('goes on with a warning when a restored registry does not know its id', async () => {
    const id = await startedOnce();
    fake.breaks('GET /schemas', refusal(404, 40403));
    const reader = app({ produces: [] });
    await reader.start();
    expect(await reader.byId(id)).toEqual(Happened.schema);
    expect(warnings).toMatchObject([[{ schemaId: id }, 'the remembered schema is used unconfirmed']]);
  });
});
