import { randomBytes } from 'node:crypto';
import type { CompatibilityLevel } from './facts.js';
import { FakeRegistry } from './fake-registry.spec.support.js';
import { LEVELS } from './levels.js';
import { factOf } from './lock/declared.spec.support.js';
import { planRegistry } from './lock/plan.js';
import { SchemaRegistry } from './registry.js';

const REAL = process.env['FACTLINE_REGISTRY_URL'] ?? '';

/** Past our client: what people and other tools send. */
async function raw(method: string, url: string, body?: object): Promise<{ status: number; body: { compatibilityLevel?: string; is_compatible?: boolean } }> {
  const response = await fetch(url, { method, headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' }, ...(body && { body: JSON.stringify(body) }) });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as object) };
}

/** Subjects of one namespace in one registry, and schemas for them. */
class Place {
  readonly namespace = `levels_${randomBytes(6).toString('hex')}`;
  readonly registry: SchemaRegistry;

  constructor(readonly url: string) {
    this.registry = new SchemaRegistry({ url });
  }

  schema(...fields: object[]): object {
    return { type: 'record', name: 'A', namespace: this.namespace, fields: [{ name: 'id', type: 'string' }, ...fields] };
  }

  get versions() {
    return {
      bare: this.schema(),
      defaulted: this.schema({ name: 'r', type: 'int', default: 0 }),
      retyped: this.schema({ name: 'r', type: 'string', default: '' }),
      required: this.schema({ name: 'q', type: 'int' }),
      empty: { ...this.schema(), fields: [] },
    };
  }

  subject(name: string): string {
    return `${this.namespace}.${name}`;
  }

  async registerRaw(name: string, schema: object): Promise<number> {
    return (await raw('POST', `${this.url}/subjects/${this.subject(name)}/versions`, { schema: JSON.stringify(schema) })).status;
  }
}

/** Registers, and says whether the level allowed it. */
async function registers({ registry }: Place, subject: string, schema: object, level: CompatibilityLevel): Promise<boolean> {
  return registry.register(subject, schema, level).then(
    () => true,
    (error: { code?: string }) => {
      expect(error.code).toBe('registry.incompatible');
      return false;
    },
  );
}

describe.each([
  ['the registry of the stack', undefined],
  ['the fake of 3.0', '3.0'],
  ['the fake of 3.3', '3.3'],
] as const)('at %s', (_where, line) => {
  let fake: FakeRegistry | undefined;
  let place: Place;

  beforeEach(async () => {
    fake = line && (await FakeRegistry.start(line, 'FULL_TRANSITIVE'));
    place = new Place(fake?.url ?? REAL);
  });

  afterEach(async () => fake?.stop());

  describe('a subject with a version, for which nothing is enforced,', () => {
    let before: string | undefined;

    beforeEach(async () => {
      before = (await raw('GET', `${place.url}/config`)).body.compatibilityLevel;
      await raw('PUT', `${place.url}/config`, { compatibility: 'NONE' });
      await raw('DELETE', `${place.url}/config`); // 3.0 has no such call, and means the same by NONE
    });

    afterEach(async () => {
      await raw('PUT', `${place.url}/config`, { compatibility: before });
    });

    it('gets the declared level before its next version; control: without it takes anything', async () => {
      const { bare, defaulted, required } = place.versions;
      for (const name of ['A', 'Unprotected']) expect(await place.registerRaw(name, bare)).toBe(200);
      await place.registry.register(place.subject('A'), defaulted, 'FULL');
      expect(await place.registry.levels(place.subject('A'))).toEqual({ own: 'FULL', enforced: 'FULL' });
      expect([await place.registerRaw('A', required), await place.registerRaw('Unprotected', required)]).toEqual([409, 200]);
      expect((await place.registry.levels(place.subject('Unprotected'))).enforced).toBe('NONE');
    });

    it('is held to it from that version on', async () => {
      const { bare, required } = place.versions;
      const subject = place.subject('A');
      await place.registerRaw('A', bare);
      await expect(place.registry.register(subject, required)).rejects.toMatchObject({ code: 'registry.incompatible', kind: 'conflict' });
      expect(await place.registry.versions(subject)).toEqual([1]);
    });

    it('stays so when NONE is declared, and the check says what registering does', async () => {
      const { bare, required } = place.versions;
      const subject = place.subject('A');
      await place.registerRaw('A', bare);
      expect(await place.registry.accepts(subject, required)).toBe(true);
      expect(await registers(place, subject, required, 'NONE')).toBe(true);
      expect((await place.registry.levels(subject)).enforced).toBe('NONE');
    });
  });

  it('a level that somebody set stays, for a subject and for all', async () => {
    const { bare, defaulted } = place.versions;
    for (const name of ['Set', 'Inherits']) await place.registerRaw(name, bare);
    await place.registry.setLevel(place.subject('Set'), 'FORWARD');
    for (const name of ['Set', 'Inherits']) await place.registry.register(place.subject(name), defaulted, 'BACKWARD');
    expect(await place.registry.levels(place.subject('Set'))).toEqual({ own: 'FORWARD', enforced: 'FORWARD' });
    expect(await place.registry.levels(place.subject('Inherits'))).toEqual({ own: undefined, enforced: 'FULL_TRANSITIVE' });
    await place.registry.register(place.subject('New'), bare, 'BACKWARD'); // control: nobody set one for it, and it has no version that another level was meant for
    expect((await place.registry.levels(place.subject('New'))).enforced).toBe('BACKWARD');
  });

  it('a declared NONE is not set, nor what is enforced lowered', async () => {
    const { bare, required } = place.versions;
    expect(await registers(place, place.subject('A'), bare, 'NONE')).toBe(true);
    expect((await place.registry.levels(place.subject('A'))).enforced).toBe('FULL_TRANSITIVE');
    expect(await registers(place, place.subject('A'), required, 'NONE')).toBe(false);
    expect(fake?.requests.filter((request) => request.startsWith('PUT')) ?? []).toEqual([]);
  });

  it.each(LEVELS.filter((level) => level !== 'NONE'))('the check under %s says what registering does', async (level) => {
    const { defaulted, bare, ...candidates } = place.versions;
    const asked: Record<string, boolean> = {};
    const registered: Record<string, boolean> = {};
    for (const [name, schema] of Object.entries(candidates)) {
      const subject = place.subject(name);
      await place.registry.register(subject, defaulted, level);
      await place.registry.register(subject, bare, level);
      asked[name] = await place.registry.accepts(subject, schema);
      registered[name] = await registers(place, subject, schema, level);
    }
    expect(asked).toEqual(registered);
    expect(asked).toEqual({ retyped: !level.endsWith('_TRANSITIVE'), required: level.startsWith('FORWARD'), empty: level.startsWith('BACKWARD') });
  });

  it('a plan below a transitive level refuses nothing for the sake of an older version; control: the check of all versions would', async () => {
    const declared = (...fields: object[]) => factOf(place.namespace, { level: 'BACKWARD', fields });
    const retyped = await declared({ name: 'r', type: 'string', default: '' });
    for (const fact of [await declared({ name: 'r', type: 'int', default: 0 }), await declared()]) await place.registry.register(fact.factName, fact.schema, 'BACKWARD');
    expect((await raw('POST', `${place.url}/compatibility/subjects/${retyped.factName}/versions`, { schema: JSON.stringify(retyped.schema) })).body).toMatchObject({ is_compatible: false });
    const [planned] = await planRegistry([retyped], place.registry);
    expect(planned).toMatchObject({ version: { number: 3 }, refusals: [] });
    expect(planned).not.toHaveProperty('disagreement');
  });
});
