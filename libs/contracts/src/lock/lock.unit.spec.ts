import { canonicalJson, fingerprintOf } from '../canonical.js';
import { readSchemas } from '../schemas.js';
import { declaring, factOf, optional } from './declared.spec.support.js';
import type { History, RegisteredSubject } from './history.js';
import { formatLock, parseLock, readLock } from './lock.js';
import { tree } from '../check/shop.spec.support.js';

const FILE = 'schemas/registry.lock.json';

const one = (await factOf('shop')).schema;
const two = (await factOf('shop', { fields: [optional('note')] })).schema;
const subject = (level: RegisteredSubject['level'], ...schemas: (typeof one)[]): RegisteredSubject => ({ ...(level && { level }), versions: schemas.map((schema, at) => ({ version: at + 1, id: at + 7, schema })) });
const history = (subjects: Record<string, RegisteredSubject>): History => ({ name: 'lock', file: FILE, subjects: new Map(Object.entries(subjects)) });
const LOCK = history({ 'shop.B': subject('BACKWARD', one), 'shop.A': subject('FULL_TRANSITIVE', one, two), 'shop.C': subject(undefined, two) });

const refused = (text: string) => {
  try {
    parseLock(text, FILE);
  } catch (error) {
    return error;
  }
  throw new Error('it was read');
};
/** The lock as JSON, with something done to it. */
const damaged = (damage: (lock: { version: unknown; subjects: { subject: unknown; level?: unknown; versions: Record<string, unknown>[] }[] }) => void): string => {
  const lock = JSON.parse(formatLock(LOCK)) as Parameters<typeof damage>[0];
  damage(lock);
  return JSON.stringify(lock);
};

const nested = (levels: number): string => `${'{"type":'.repeat(levels)}1${'}'.repeat(levels)}`;

/** With a fingerprint that is right. */
const written = (version: Record<string, unknown>, schema: object): void => void Object.assign(version, { schema, fingerprint: fingerprintOf(schema) });

describe('the lock file', () => {
  it('holds everything, and the same history gives the same bytes', () => {
    const text = formatLock(LOCK);
    const read = parseLock(text, FILE);
    expect(new Map(read.subjects)).toEqual(new Map(LOCK.subjects));
    expect({ name: read.name, file: read.file }).toEqual({ name: 'lock', file: FILE });
    expect(formatLock(read)).toBe(text);
    const shuffled = history(Object.fromEntries([...LOCK.subjects].toReversed()));
    expect(formatLock(shuffled)).toBe(text);
    expect((JSON.parse(text) as { subjects: { subject: string; versions: { fingerprint: string }[] }[] }).subjects.map(({ subject: name, versions }) => [name, versions.map(({ fingerprint }) => fingerprint)])).toEqual([
      ['shop.A', [fingerprintOf(one), fingerprintOf(two)]],
      ['shop.B', [fingerprintOf(one)]],
      ['shop.C', [fingerprintOf(two)]],
    ]);
  });

  it('changes by the lines that are new, and by no other', () => {
    const before = formatLock(LOCK).split('\n');
    const added = formatLock(history({ ...Object.fromEntries(LOCK.subjects), 'shop.A': subject('FULL_TRANSITIVE', one, two, one), 'shop.D': subject('FULL', one) })).split('\n');
    expect(added).toHaveLength(before.length + 4); // a version; a subject: its head, its version, its end
    const left = [...before];
    const lines = added.filter((line) => left[0] !== line || left.shift() === undefined);
    expect(left).toEqual([]); // every line of before, in its order
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(/^ ,\{"version": 3, "id": 9, "fingerprint": "[0-9a-f]{16}", "schema": \{.*\}\}$/);
  });

  it('is read from any tree, and a tree without one has none', async () => {
    const files = declaring('shop', { Happened: {} });
    expect(await readLock(tree('git 1234567', files), 'schemas')).toBeUndefined();
    expect((await readLock(tree('git 1234567', { ...files, [FILE]: formatLock(LOCK) }), 'schemas'))!.subjects.size).toBe(3);
    expect((await readSchemas(tree('files', { ...files, [FILE]: '{ no JSON' }), 'schemas')).facts.size).toBe(1); // nothing that is declared
  });

  it('that was edited by hand is refused, and says what', () => {
    const longer = damaged(({ subjects }) => ((subjects[0]!.versions[1]!['schema'] as { doc: string }).doc = 'Nothing happened.'));
    expect(refused(longer)).toMatchObject({ code: 'lock.tampered', kind: 'configuration', details: { file: FILE, path: '$.subjects[0].versions[1]', subject: 'shop.A', version: 2 }, advice: expect.stringContaining('factline contracts pull') as string });
    const control = damaged(({ subjects }) => {
      const version = subjects[0]!.versions[1]!;
      version['schema'] = { ...(version['schema'] as object), doc: 'Nothing happened.' };
      version['fingerprint'] = fingerprintOf(version['schema'] as object);
    });
    expect(parseLock(control, FILE).subjects.size).toBe(3);
  });

  it('may have been formatted anew, keys in another order', () => {
    const reordered = damaged(({ subjects }) => subjects.forEach(({ versions }) => versions.forEach((version) => (version['schema'] = Object.fromEntries(Object.entries(version['schema'] as object).toReversed())))));
    expect(reordered).not.toContain(canonicalJson(one)); // the fast comparison does not do
    expect(formatLock(parseLock(reordered, FILE))).toBe(formatLock(LOCK));
  });

  it.each<[string, string, string]>([
    ['no JSON', '{"version": 1,', '$'],
    ['no object', '[]', '$'],
    ['a merge that kept the marks', `<<<<<<< ours\n${formatLock(LOCK)}`, '$'],
    ['a newer format', damaged((lock) => (lock.version = 2)), '$.version'],
    ['no list', damaged((lock) => (lock.subjects = {} as never)), '$.subjects'],
    ['a subject twice', damaged(({ subjects }) => subjects.push(subjects[0]!)), '$.subjects[3].subject'],
    ['no name', damaged(({ subjects }) => (subjects[1]!.subject = 4)), '$.subjects[1].subject'],
    ['no level', damaged(({ subjects }) => (subjects[1]!.level = 'FULLY')), '$.subjects[1].level'],
    ['a level that is inherited from Object', damaged(({ subjects }) => (subjects[1]!.level = 'constructor')), '$.subjects[1].level'],
    ['a version twice', damaged(({ subjects }) => (subjects[0]!.versions[1]!['version'] = 1)), '$.subjects[0].versions[1].version'],
    ['no id', damaged(({ subjects }) => (subjects[0]!.versions[1]!['id'] = '8')), '$.subjects[0].versions[1].id'],
    ['a schema that is a name', damaged(({ subjects }) => (subjects[0]!.versions[1]!['schema'] = 'string')), '$.subjects[0].versions[1].schema'],
    ['a schema that is no record', damaged(({ subjects }) => written(subjects[0]!.versions[1]!, { type: 'enum', name: 'A', namespace: 'shop', symbols: ['X'] })), '$.subjects[0].versions[1].schema'],
    ['a schema that names a type which is not there', damaged(({ subjects }) => written(subjects[0]!.versions[1]!, { type: 'record', name: 'A', namespace: 'shop', fields: [{ name: 'a', type: 'B' }] })), '$.subjects[0].versions[1].schema'],
    ['a schema too deep', damaged(({ subjects }) => (subjects[0]!.versions[1]!['schema'] = 'DEEP')).replace('"DEEP"', nested(1_500)), '$.subjects[0].versions[1].schema'],
    ['a schema deeper than the stack', damaged(({ subjects }) => (subjects[0]!.versions[1]!['schema'] = 'DEEP')).replace('"DEEP"', nested(200_000)), '$.subjects[0].versions[1].schema'],
  ])('is refused at its place: %s', (_what, text, path) => {
    expect(refused(text)).toMatchObject({ code: 'lock.invalid', kind: 'configuration', details: { file: FILE, path }, message: expect.stringContaining(FILE) as string });
  });
});
