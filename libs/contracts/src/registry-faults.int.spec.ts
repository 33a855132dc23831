import { randomUUID } from 'node:crypto';
import { until } from 'factline/testing';
import { type Fault, FakeRegistry, faults, page, pretends, refusal } from './fake-registry.spec.support.js';
import { REGISTRY_NEGATIVE_MS } from './limits.js';
import { SchemaRegistry } from './index.js';

let fake: FakeRegistry;

beforeEach(async () => {
  fake = await FakeRegistry.start();
});

afterEach(() => fake.stop());

function schemaOf(...fields: object[]): object {
  return { type: 'record', name: 'A', namespace: 'x', fields: [{ name: 'id', type: 'string' }, ...fields] };
}

const A = schemaOf();
const noted = schemaOf({ name: 'note', type: ['null', 'string'], default: null });

/** A client that has asked nothing yet, and an id it may ask for. */
async function client(timeout = 10_000): Promise<{ registry: SchemaRegistry; id: number }> {
  const id = await new SchemaRegistry({ url: fake.url }).register('x.A', A);
  fake.requests.length = 0;
  return { registry: new SchemaRegistry({ url: fake.url, timeout }), id };
}

describe('a registry that', () => {
  it.each<[string, Fault]>([
    ['hangs', faults.hangs],
    ['hangs after the first byte', faults.hangsInside],
    ['resets connections', faults.resets],
    ['answers 500', refusal(500, 50001)],
    ['answers 500 with a page', page(500)],
    ['answers 503 with a page', page(503)],
    ['resets connections inside an answer', faults.resetsInside],
    ['cuts its answers', faults.truncates],
    ['redirects to itself', faults.redirects],
    ['has a proxy that answers 200 with a page', page(200)],
    ['answers 200 with something else', pretends({ id: 'seven', schema: {}, compatibilityLevel: 'FULL' })],
  ])('D4: %s is unavailable, in time, and not afterwards', async (_what, fault) => {
    const { registry, id } = await client(1_000);
    fake.breaks('', fault);
    const unavailable = { code: 'registry.unavailable', kind: 'unavailable', retry: true };
    await expect(registry.byId(id)).rejects.toMatchObject(unavailable);
    await expect(registry.register('x.A', noted)).rejects.toMatchObject(unavailable);
    expect(fake.requests.length).toBeLessThan(50); // a loop has an end
    fake.heal();
    expect(await registry.byId(id)).toMatchObject({ name: 'x.A' });
    expect(await registry.byId(await registry.register('x.A', noted))).toMatchObject({ fields: [{ name: 'id' }, { name: 'note' }] });
  });

  it.each([
    [401, 'registry.unauthorized', 'configuration'],
    [403, 'registry.unauthorized', 'configuration'],
    [404, 'registry.schema-unknown', 'not-found'],
    [422, 'registry.refused', 'invalid'],
  ])('answers %d: %s', async (status, code, kind) => {
    fake.breaks('GET /schemas', refusal(status, status * 100));
    await expect(new SchemaRegistry({ url: fake.url }).byId(1)).rejects.toMatchObject({ code, kind });
  });

  it('is asked nothing about what avsc cannot read', async () => {
    const { registry } = await client();
    await expect(registry.register('x.A', schemaOf({ name: 'n', type: 'nonsense' }))).rejects.toMatchObject({ code: 'registry.refused', kind: 'invalid' });
    expect(fake.requests).toEqual([]);
    await registry.register('x.A', noted);
    expect(fake.requests).toEqual(['GET /config/x.A', 'POST /subjects/x.A/versions']);
  });

  it('refuses connections is unavailable, not invalid', async () => {
    const nobody = new SchemaRegistry({ url: 'http://127.0.0.1:1' });
    await expect(nobody.byId(1)).rejects.toMatchObject({ code: 'registry.unavailable' });
    await expect(nobody.register('x.A', A)).rejects.toMatchObject({ code: 'registry.unavailable' });
  });

  it('D4: is asked once by many at once, with the credentials', async () => {
    const { id } = await client();
    fake.authorizations.clear();
    const registry = new SchemaRegistry({ url: `${fake.url}/`, auth: { username: 'u', password: 'p' } });
    await Promise.all(Array.from({ length: 20 }, () => registry.byId(id)));
    expect(fake.requests).toEqual([`GET /schemas/ids/${id}`]);
    expect([...fake.authorizations]).toEqual([`Basic ${Buffer.from('u:p').toString('base64')}`]);
  });

  it.each<[string, Fault]>([
    ['loses its answer', faults.resetsInside],
    ['cuts its answer', faults.truncates],
    ['redirects to its list of versions', faults.redirects],
    ['answers with a page', page(200)],
    ['answers without an id', pretends({})],
  ])('%s when it registers gives one id, to the next try', async (_what, fault) => {
    const { registry } = await client();
    fake.breaks('POST /subjects/x.A/versions', fault);
    await expect(registry.register('x.A', noted)).rejects.toMatchObject({ code: 'registry.unavailable' });
    fake.heal();
    const id = await registry.register('x.A', noted);
    expect(fake.subjects.versions('x.A', false)).toEqual([1, 2]);
    expect(fake.subjects.version('x.A', '2', false)).toMatchObject({ id });
  });
});

describe('"no such id"', () => {
  const { now } = performance;

  afterEach(() => {
    performance.now = now;
  });

  it('D3: is believed for 30 s, what failed otherwise is asked again', async () => {
    const began = performance.now();
    const at = (ms: number) => void (performance.now = () => began + ms);
    const registry = new SchemaRegistry({ url: fake.url });
    const asked = async (times: number) => {
      fake.requests.length = 0;
      for (let i = 0; i < times; i++) await expect(registry.byId(7)).rejects.toMatchObject({ code: expect.stringMatching(/^registry/) as unknown });
      return fake.requests.length;
    };
    fake.breaks('GET /schemas', refusal(500, 50001));
    expect(await asked(3)).toBe(3);
    fake.heal();
    at(0);
    expect(await asked(3)).toBe(1);
    at(REGISTRY_NEGATIVE_MS - 1);
    expect(await asked(3)).toBe(0);
    at(REGISTRY_NEGATIVE_MS + 1);
    await until('the id to be asked for again', async () => (await asked(1)) === 1); // the cache looks at the clock once in a millisecond
    expect(await asked(3)).toBe(0);
  });
});

describe('a subject without a level', () => {
  it('is given one before its first version, by the credentials of the app', async () => {
    const registry = new SchemaRegistry({ url: fake.url, auth: { username: 'u', password: 'p' } });
    await registry.register('x.A', A);
    expect(fake.requests.findIndex((each) => each === 'PUT /config/x.A')).toBeLessThan(fake.requests.indexOf('POST /subjects/x.A/versions'));
    expect(fake.subjects.levelOf('x.A', false)).toBe('FULL_TRANSITIVE');
    expect(fake.authorizations.size).toBe(1);
    await expect(registry.register('x.A', schemaOf({ name: 'more', type: 'int' }))).rejects.toMatchObject({ code: 'registry.incompatible', kind: 'conflict' });
    expect(fake.subjects.register('x.unprotected', JSON.stringify(A))).toBeDefined(); // the control: without a level it takes anything
    expect(fake.subjects.register('x.unprotected', JSON.stringify(schemaOf({ name: 'more', type: 'int' })))).toBeDefined();
  });

  it('that gets one from another app at the same time keeps it', async () => {
    fake.breaks('PUT /config/x.A', (response, answer) => {
      fake.subjects.setLevel('x.A', 'BACKWARD');
      return refusal(409, 0)(response, answer);
    });
    await new SchemaRegistry({ url: fake.url }).register('x.A', A);
    expect(fake.subjects.levelOf('x.A', false)).toBe('BACKWARD');
  });
});

describe.each([
  ['the registry of the stack', () => process.env['FACTLINE_REGISTRY_URL'] ?? ''],
  ['the fake', () => fake.url],
])('two apps that register at once at %s', (_where, url) => {
  const namespaced = (schema: object, namespace: string) => ({ ...schema, namespace });

  it('D16: the same first schema get one id; two next versions that fit each other get an id each, of their own schema', async () => {
    const namespace = `race_${randomUUID().replaceAll('-', '')}`;
    const apps = [0, 1].map(() => new SchemaRegistry({ url: url() }));
    const [one, other] = await Promise.all(apps.map((app) => app.register(`${namespace}.A`, namespaced(A, namespace))));
    expect(one).toBe(other);
    const nexts = ['left', 'right'].map((name) => namespaced(schemaOf({ name, type: ['null', 'int'], default: null }), namespace));
    const ids = await Promise.all(apps.map((app, at) => app.register(`${namespace}.A`, nexts[at]!)));
    expect(new Set([one, ...ids]).size).toBe(3);
    const read = await Promise.all(ids.map((id) => new SchemaRegistry({ url: url() }).byId(id)));
    expect(read).toMatchObject(['left', 'right'].map((name) => ({ fields: [{ name: 'id' }, { name }] })));
  });

  it('two next versions that do not fit each other: one gets an id, the other learns why not', async () => {
    const namespace = `race_${randomUUID().replaceAll('-', '')}`;
    await new SchemaRegistry({ url: url() }).register(`${namespace}.A`, namespaced(A, namespace));
    const nexts = [schemaOf({ name: 'n', type: 'int', default: 0 }), schemaOf({ name: 'n', type: 'string', default: '' })];
    const settled = await Promise.allSettled(nexts.map((next) => new SchemaRegistry({ url: url() }).register(`${namespace}.A`, namespaced(next, namespace))));
    expect(settled.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(settled.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'registry.incompatible' } });
  });
});
