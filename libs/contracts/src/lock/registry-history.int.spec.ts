import { FakeRegistry, faults } from '../fake-registry.spec.support.js';
import { SchemaRegistry } from '../registry.js';
import { factOf, factsOf, optional, ownNamespace } from './declared.spec.support.js';
import { formatLock, parseLock } from './lock.js';
import { pullLock } from './pull.js';
import { normalForm } from './normal-form.js';
import { registryHistory } from './registry-history.js';

const url = process.env['FACTLINE_REGISTRY_URL'] ?? '';
const registry = new SchemaRegistry({ url });

/** What no method of ours does: other types, deletions. */
async function raw(method: string, path: string, body?: object): Promise<void> {
  const answer = await fetch(url + path, { method, headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' }, ...(body && { body: JSON.stringify(body) }) });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
}

describe('the history of a registry', () => {
  it('is every version, oldest first, in our words, with the level that is enforced', async () => {
    const namespace = ownNamespace();
    const subject = `${namespace}.Happened`;
    const [one, two] = [await factOf(namespace), await factOf(namespace, { fields: [optional('note')] })];
    const id = await registry.register(subject, one.schema, 'BACKWARD');
    const reworded = { ...two.schema, name: subject, namespace: undefined };
    await raw('POST', `/subjects/${subject}/versions`, { schema: JSON.stringify(reworded) });
    const history = await registryHistory(registry, { subjects: [subject, `${namespace}.Never`, subject] });
    expect(history.name).toBe(`registry ${url}`);
    expect([...history.subjects.keys()]).toEqual([subject]);
    const { level, versions } = history.subjects.get(subject)!;
    expect(level).toBe('BACKWARD');
    expect(versions).toEqual([
      { version: 1, id, schema: normalForm(one.schema) },
      { version: 2, id: expect.any(Number) as number, schema: normalForm(two.schema) },
    ]);
    expect(new Map(parseLock(formatLock(history), 'lock').subjects)).toEqual(history.subjects);
  });

  it('takes the level of all subjects for one that has none of its own', async () => {
    const namespace = ownNamespace();
    const subject = `${namespace}.Happened`;
    await raw('POST', `/subjects/${subject}/versions`, { schema: JSON.stringify((await factOf(namespace)).schema) });
    expect((await registryHistory(registry, { subjects: [subject] })).subjects.get(subject)!.level).toBe('FULL_TRANSITIVE'); // the stack's
    expect(await registry.levels(subject)).toEqual({ own: undefined, enforced: 'FULL_TRANSITIVE' });
    const bare = await FakeRegistry.start();
    try {
      const unset = new SchemaRegistry({ url: bare.url });
      expect(await unset.levels(subject)).toMatchObject({ enforced: 'NONE' });
    } finally {
      await bare.stop();
    }
  });

  it('says what it leaves out, and why', async () => {
    const namespace = ownNamespace();
    const [inner] = await factsOf(namespace, { Inner: {} });
    await registry.register(inner!.factName, inner!.schema);
    const outer = { type: 'record', name: 'Outer', namespace, fields: [{ name: 'inner', type: `${namespace}.Inner` }] };
    await raw('POST', `/subjects/${namespace}.Outer/versions`, { schema: JSON.stringify(outer), references: [{ name: `${namespace}.Inner`, subject: `${namespace}.Inner`, version: 1 }] });
    await raw('POST', `/subjects/${namespace}.Json/versions`, { schemaType: 'JSON', schema: JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' }) });
    await raw('POST', `/subjects/${namespace}.Key/versions`, { schema: '"string"' });
    const leftOut = new Map<string, string>();
    const history = await registryHistory(registry, { subjects: ['Inner', 'Outer', 'Json', 'Key'].map((name) => `${namespace}.${name}`), leftOut: (subject, why) => leftOut.set(subject.slice(namespace.length + 1), why) });
    expect([...history.subjects.keys()]).toEqual([`${namespace}.Inner`]);
    expect(Object.fromEntries(leftOut)).toEqual({ Outer: 'version 1 refers to schemas of other subjects', Json: 'version 1 is JSON, not Avro', Key: 'version 1 is no record' });
  });

  it('has no version that was deleted, softly either; a lock that has it is contradicted', async () => {
    const namespace = ownNamespace();
    const subject = `${namespace}.Happened`;
    await registry.register(subject, (await factOf(namespace)).schema);
    await registry.register(subject, (await factOf(namespace, { fields: [optional('note')] })).schema);
    const before = parseLock((await pullLock(registry, { subjects: [subject] })).text, 'lock');
    expect(await pullLock(registry, { subjects: [subject], before })).toMatchObject({ changed: false, news: [], contradictions: [] });
    await raw('DELETE', `/subjects/${subject}/versions/1`);
    expect(await pullLock(registry, { subjects: [subject], before })).toMatchObject({ changed: true, versions: 1, contradictions: [expect.stringMatching(`^version 1 of ${subject} \\(id \\d+\\) is not there$`) as string] });
  });

  it('finds what nobody asked for in the namespaces of those that were, and says when the list may be cut', async () => {
    const namespace = ownNamespace();
    await registry.register(`${namespace}.Happened`, (await factOf(namespace)).schema);
    const { names, complete } = await registry.subjects();
    expect(names).toContain(`${namespace}.Happened`);
    expect(complete).toBe(names.length !== 1_000);
    const { subjects } = await registryHistory(registry, { subjects: [`${namespace}.Declared`], neighbours: true });
    expect([...subjects.keys()]).toEqual([`${namespace}.Happened`]); // nobody else's
  });
});

describe('a lock that is pulled', () => {
  it('keeps what is not asked for, asks for what is gone, and says what is new', async () => {
    const namespace = ownNamespace();
    const [one, two] = await factsOf(namespace, { One: {}, Two: {} });
    for (const fact of [one!, two!]) await registry.register(fact.factName, fact.schema);
    const first = await pullLock(registry, { subjects: [one!.factName] });
    expect(first).toMatchObject({ changed: true, subjects: 1, news: [{ subject: one!.factName, level: 'FULL_TRANSITIVE' }, { subject: one!.factName, version: 1 }] });
    const before = parseLock(first.text, 'lock');
    expect(await pullLock(registry, { subjects: [two!.factName], before, only: true })).toMatchObject({ subjects: 2, contradictions: [] });
    await registry.register(one!.factName, (await factsOf(namespace, { One: { fields: [optional('note')] } }))[0]!.schema);
    const scoped = await pullLock(registry, { subjects: [two!.factName], before, only: true });
    expect([...parseLock(scoped.text, 'lock').subjects.get(one!.factName)!.versions]).toHaveLength(1);
    expect(await pullLock(registry, { subjects: [], before })).toMatchObject({ news: [{ subject: one!.factName, version: 2 }] }); // declared no more
  });

  it('is of one registry: another one contradicts it', async () => {
    const namespace = ownNamespace();
    const fact = await factOf(namespace);
    await registry.register(fact.factName, (await factOf(namespace, { doc: 'Something else before.' })).schema);
    await registry.register(fact.factName, fact.schema);
    const before = parseLock((await pullLock(registry, { subjects: [fact.factName] })).text, 'lock');
    const other = await FakeRegistry.start();
    try {
      const elsewhere = new SchemaRegistry({ url: other.url });
      expect((await pullLock(elsewhere, { subjects: [fact.factName], before })).contradictions).toHaveLength(2);
      await elsewhere.register(fact.factName, fact.schema);
      expect((await pullLock(elsewhere, { subjects: [fact.factName], before })).contradictions).toEqual([expect.stringContaining('has id 1, and'), expect.stringContaining('version 2')]);
      other.breaks('GET /subjects', faults.resets);
      await expect(pullLock(elsewhere, { subjects: [fact.factName], before })).rejects.toMatchObject({ code: 'registry.unavailable', kind: 'unavailable' });
    } finally {
      await other.stop();
    }
  });
});
