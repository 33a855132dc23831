import { FakeRegistry, faults, pretends, refusal } from '../fake-registry.spec.support.js';
import { SchemaRegistry } from '../registry.js';
import type { DeclaredFact } from '../schemas.js';
import { type Declaration, factOf, factsOf, optional, ownNamespace } from './declared.spec.support.js';
import { type ApplyResult, applyPlan } from './apply.js';
import { registryHistory } from './registry-history.js';
import { planRegistry } from './plan.js';

const url = process.env['FACTLINE_REGISTRY_URL'] ?? '';
const required: Declaration = { fields: [{ name: 'amount', type: 'long' }] };
const noted: Declaration = { fields: [optional('note')] };

const apply = async (registry: SchemaRegistry, facts: readonly DeclaredFact[], lowerLevel = false): Promise<ApplyResult> => applyPlan(await planRegistry(facts, registry, { lowerLevel }), registry);
const refusals = async (registry: SchemaRegistry, fact: DeclaredFact): Promise<number> => (await planRegistry([fact], registry)).flatMap((planned) => planned.refusals).length;

describe('what is declared, into a real registry', () => {
  const registry = new SchemaRegistry({ url });

  it('is set, registered and then as declared: a second time there is nothing to do', async () => {
    const namespace = ownNamespace();
    const facts = await factsOf(namespace, { One: {}, Two: { level: 'BACKWARD_TRANSITIVE' } });
    const { done, left, stopped } = await apply(registry, facts);
    expect(done).toEqual([
      { subject: `${namespace}.One`, level: 'FULL_TRANSITIVE' },
      { subject: `${namespace}.One`, id: expect.any(Number) as number },
      { subject: `${namespace}.Two`, level: 'BACKWARD_TRANSITIVE' },
      { subject: `${namespace}.Two`, id: expect.any(Number) as number },
    ]);
    expect({ left, stopped }).toEqual({ left: [], stopped: undefined });
    expect(await apply(registry, facts)).toEqual({ done: [], left: [] });
    const { subjects } = await registryHistory(registry, { subjects: facts.map(({ factName }) => factName) });
    expect([...subjects].map(([name, { level, versions }]) => [name, level, versions.length])).toEqual([[`${namespace}.One`, 'FULL_TRANSITIVE', 1], [`${namespace}.Two`, 'BACKWARD_TRANSITIVE', 1]]);
  });

  it('gives one version to five that run at once', async () => {
    const namespace = ownNamespace();
    const facts = await factsOf(namespace, { One: {}, Two: {}, Three: {} });
    const results = await Promise.all(Array.from({ length: 5 }, () => apply(new SchemaRegistry({ url }), facts)));
    expect(results.map(({ left, stopped }) => ({ left, stopped }))).toEqual(results.map(() => ({ left: [], stopped: undefined })));
    const { subjects } = await registryHistory(registry, { subjects: facts.map(({ factName }) => factName) });
    expect([...subjects.values()].map(({ versions }) => versions.length)).toEqual([1, 1, 1]);
  });

  it('is not begun when anything of it is refused, and what is refused would be', async () => {
    const namespace = ownNamespace();
    await apply(registry, await factsOf(namespace, { One: {}, Two: {} }));
    const facts = await factsOf(namespace, { One: noted, Two: required });
    expect(await apply(registry, facts)).toEqual({ done: [], left: [`${namespace}.One`, `${namespace}.Two`] });
    expect((await registryHistory(registry, { subjects: [`${namespace}.One`] })).subjects.get(`${namespace}.One`)!.versions).toHaveLength(1);
    await expect(registry.register(`${namespace}.Two`, facts[1]!.schema)).rejects.toMatchObject({ code: 'registry.incompatible' }); // control: the plan was right
  });

  it('holds a new version to the level that it will have, whatever the registry enforces now', async () => {
    const namespace = ownNamespace();
    await apply(registry, [await factOf(namespace, { ...required, level: 'BACKWARD' })]);
    const [planned] = await planRegistry([await factOf(namespace)], registry);
    expect(planned).toMatchObject({ level: { from: 'BACKWARD', to: 'FULL_TRANSITIVE' }, refusals: [expect.stringContaining('amount') as string] });
    expect(await registry.accepts(planned!.fact.factName, planned!.fact.schema)).toBe(true); // control: BACKWARD, which is enforced, allows it
    expect(await refusals(registry, await factOf(namespace, { fields: [...required.fields!, optional('note')] }))).toBe(0);
  });

  it('registers nothing where the registry does not keep the level: NONE, under a level of all subjects', async () => {
    const fact = await factOf(ownNamespace(), { level: 'NONE' });
    const { left, stopped } = await apply(registry, [fact]);
    expect(left).toEqual([fact.factName]);
    expect(stopped!.error).toMatchObject({ code: 'registry.level-not-kept', message: expect.stringContaining('enforces FULL_TRANSITIVE') as string });
    expect(await registry.versions(fact.factName)).toEqual([]);
  });

  it('lowers a level when it is asked to, and not before', async () => {
    const namespace = ownNamespace();
    await apply(registry, [await factOf(namespace)]);
    const lower = await factOf(namespace, { ...required, level: 'FORWARD' });
    expect(await apply(registry, [lower])).toEqual({ done: [], left: [lower.factName] });
    expect(await registry.levels(lower.factName)).toEqual({ own: 'FULL_TRANSITIVE', enforced: 'FULL_TRANSITIVE' });
    expect((await apply(registry, [lower], true)).done).toEqual([{ subject: lower.factName, level: 'FORWARD' }, { subject: lower.factName, id: expect.any(Number) as number }]);
  });

  it('registers a fact before one that contains it', async () => {
    const namespace = ownNamespace();
    const facts = await factsOf(namespace, { Again: { fields: [{ name: 'first', type: `${namespace}.Zero` }] }, Zero: {} });
    expect((await planRegistry(facts, registry)).map(({ fact }) => fact.factName)).toEqual([`${namespace}.Zero`, `${namespace}.Again`]);
    expect((await apply(registry, facts)).left).toEqual([]);
  });
});

describe('a registry that', () => {
  let fake: FakeRegistry;
  let registry: SchemaRegistry;
  beforeEach(async () => {
    fake = await FakeRegistry.start('3.0');
    registry = new SchemaRegistry({ url: fake.url, timeout: 2_000 });
  });
  afterEach(() => fake.stop());

  const writes = () => fake.requests.filter((request) => /^(PUT|POST \/subjects|DELETE)/.test(request));
  const Happened = () => factOf('shop');

  it('enforces nothing is told the level first, and asked for it, before anything is registered', async () => {
    expect((await apply(registry, [await Happened()])).left).toEqual([]);
    expect(writes()).toEqual(['PUT /config/shop.Happened', 'POST /subjects/shop.Happened/versions']);
    const [set, read, registered] = ['PUT /config/', 'GET /config/', 'POST /subjects/'].map((request) => fake.requests.findLastIndex((each) => each.startsWith(request)));
    expect(set!).toBeLessThan(registered!);
    expect(fake.requests.slice(set, registered).some((each) => each.startsWith('GET /config/shop.Happened'))).toBe(true);
    expect(read).toBeGreaterThan(set!);
  });

  it('enforces nothing: control, who registers before the level is set gets a version through that the level forbids', async () => {
    const [one, two] = [await Happened(), await factOf('shop', required)];
    const register = (fact: DeclaredFact) => fetch(`${fake.url}/subjects/${fact.factName}/versions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ schema: JSON.stringify(fact.schema) }) });
    expect([(await register(one)).status, (await register(two)).status]).toEqual([200, 200]);
    await registry.setLevel(two.factName, 'FULL_TRANSITIVE'); // too late: both are there
    expect((await registryHistory(registry, { subjects: [two.factName] })).subjects.get(two.factName)!.versions).toHaveLength(2);
    const fresh = await factOf('store');
    await apply(registry, [fresh]);
    expect((await register({ ...two, factName: fresh.factName, schema: { ...two.schema, namespace: 'store' } })).status).toBe(409);
  });

  it('says yes and keeps another level gets nothing registered', async () => {
    fake.breaks('PUT /config/', pretends({ compatibility: 'FULL_TRANSITIVE' }));
    const { done, left, stopped } = await apply(registry, [await Happened()]);
    expect({ done, left }).toEqual({ done: [], left: ['shop.Happened'] });
    expect(stopped!.error).toMatchObject({ code: 'registry.level-not-kept', kind: 'conflict' });
    expect(writes().filter((request) => request.startsWith('POST'))).toEqual([]);
  });

  it('refuses what the check here allows is asked in the plan, so that the plan says it', async () => {
    await apply(registry, [await Happened()]);
    fake.breaks('POST /compatibility', pretends({ is_compatible: false }));
    fake.breaks('POST /subjects', refusal(409, 409));
    const [planned] = await planRegistry([await factOf('shop', noted)], registry);
    expect(planned).toMatchObject({ disagreement: expect.stringContaining('The registry refuses it') as string, refusals: ['The registry would refuse it.'] });
    expect(await applyPlan([planned!], registry)).toEqual({ done: [], left: ['shop.Happened'] });
  });

  it('refuses what the check here allows: control, a planner that does not ask it promises what then fails', async () => {
    await apply(registry, [await Happened()]);
    fake.breaks('POST /compatibility', pretends({ is_compatible: true })); // as if nobody had asked
    fake.breaks('POST /subjects', refusal(409, 409));
    const [planned] = await planRegistry([await factOf('shop', noted)], registry);
    expect(planned!.refusals).toEqual([]);
    expect((await applyPlan([planned!], registry)).stopped!.error).toMatchObject({ code: 'registry.incompatible', kind: 'conflict' });
  });

  it('stops answering between level and version leaves something that a second run finishes', async () => {
    const facts = await factsOf('shop', { One: {}, Two: {}, Three: {} });
    fake.breaks('POST /subjects/shop.Three', faults.resets); // sorted by name: One, Three, Two
    const { done, left, stopped } = await apply(registry, facts);
    expect(done).toEqual([{ subject: 'shop.One', level: 'FULL_TRANSITIVE' }, { subject: 'shop.One', id: 1 }, { subject: 'shop.Three', level: 'FULL_TRANSITIVE' }]);
    expect(left).toEqual(['shop.Three', 'shop.Two']);
    expect(stopped).toMatchObject({ subject: 'shop.Three', error: { code: 'registry.unavailable', retry: true } });
    fake.heal();
    expect((await apply(registry, facts)).done).toEqual([{ subject: 'shop.Three', id: 2 }, { subject: 'shop.Two', level: 'FULL_TRANSITIVE' }, { subject: 'shop.Two', id: 3 }]);
  });

  it('registers and does not say so leaves one version, also after the second run', async () => {
    fake.breaks('POST /subjects', faults.resetsInside);
    expect((await apply(registry, [await Happened()])).stopped!.error).toMatchObject({ code: 'registry.unavailable' });
    fake.heal();
    expect(await apply(registry, [await Happened()])).toEqual({ done: [], left: [] });
    expect(await registry.versions('shop.Happened')).toEqual([1]);
  });

  it('has another schema under the id that it gave is found out, from what it says and not from what was sent', async () => {
    fake.breaks('GET /schemas/ids/1', pretends({ schema: JSON.stringify((await factOf('shop', noted)).schema) }));
    const { done, left, stopped } = await apply(registry, [await Happened()]);
    expect(stopped!.error).toMatchObject({ code: 'registry.schema-differs', kind: 'integrity' });
    expect([done.length, left]).toEqual([1, ['shop.Happened']]);
    fake.breaks('GET /schemas/ids/1', pretends({ schema: 'no schema' }));
    const again = await apply(registry, [await factOf('shop', { doc: 'In other words.' })]);
    expect(again.stopped).toBeUndefined(); // control: id 2 is what it should be
  });

  it('was changed after the plan is not written over', async () => {
    const planned = await planRegistry([await Happened()], registry);
    await registry.setLevel('shop.Happened', 'BACKWARD');
    const { done, stopped } = await applyPlan(planned, registry);
    expect(done).toEqual([]);
    expect(stopped!.error).toMatchObject({ code: 'registry.changed', kind: 'conflict', message: expect.stringContaining('BACKWARD') as string });
    expect((await registry.levels('shop.Happened')).enforced).toBe('BACKWARD');
  });

  it('enforces nothing is left so when nothing is declared to be enforced', async () => {
    expect((await apply(registry, [await factOf('shop', { level: 'NONE' })])).done).toEqual([{ subject: 'shop.Happened', id: 1 }]);
    expect(await registry.register('shop.Other', (await factOf('shop')).schema, 'NONE')).toEqual(expect.any(Number));
  });

  it('is asked for nothing that deletes', async () => {
    await apply(registry, [await Happened()]);
    await apply(registry, [await factOf('shop', { ...noted, level: 'FORWARD' })], true);
    expect(fake.requests.filter((request) => request.startsWith('DELETE'))).toEqual([]);
  });

  it('is at an address with credentials is asked with them, and they are nowhere else', async () => {
    const address = new URL(fake.url);
    [address.username, address.password] = ['me', 'p%40ss'];
    const known = new SchemaRegistry({ url: address.href });
    await known.levels('shop.Happened');
    expect([...fake.authorizations]).toEqual([`Basic ${Buffer.from('me:p@ss').toString('base64')}`]);
    expect(known.address).toBe(fake.url);
    expect((await registryHistory(known, { subjects: [] })).name).toBe(`registry ${fake.url}`);
    expect(() => new SchemaRegistry({ url: 'ftp://me:secret@host' })).toThrow(expect.objectContaining({ code: 'registry.url-invalid', message: expect.not.stringContaining('secret') as string }));
  });
});
