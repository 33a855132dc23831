import type { CompatibilityLevel } from '../facts.js';
import { type Declaration, factOf, landscapeOf, optional } from './declared.spec.support.js';
import type { History } from './history.js';
import type { Base, Landscape } from '../check/landscape.js';
import { normalForm } from './normal-form.js';
import { registryFindings } from './findings.js';

const one: Declaration = {};
const two: Declaration = { fields: [optional('note')] };
const three: Declaration = { fields: [optional('note'), optional('team')] };

const here = (declaration: Declaration | undefined, name?: string): Promise<Landscape> => landscapeOf('shop', { Always: {}, ...(declaration && { Happened: declaration }) }, name);
const base = async (declaration: Declaration | undefined, ...histories: History[]): Promise<Base[]> => [
  { name: 'git 1234567', landscapes: [await here(declaration, 'git 1234567')] },
  ...histories.map((history) => ({ name: history.name, landscapes: [], history })),
];

async function having(name: string, versions: readonly Declaration[], level: CompatibilityLevel = 'FULL_TRANSITIVE'): Promise<History> {
  const schemas = await Promise.all(versions.map((declaration) => factOf('shop', declaration)));
  const always = { level: 'FULL_TRANSITIVE' as const, versions: [{ version: 1, id: 1, schema: normalForm((await landscapeOf('shop', { Always: {} })).schemas.facts.get('shop.Always')!.schema) }] };
  const happened = { level, versions: schemas.map(({ schema }, at) => ({ version: at + 1, id: at + 2, schema: normalForm(schema) })) };
  const subjects = new Map([['shop.Always', always], ...(versions.length > 0 ? ([['shop.Happened', happened]] as const) : [])]);
  return { name, ...(name === 'lock' && { file: 'schemas/registry.lock.json' }), subjects };
}
const registry = (...versions: Declaration[]) => having('registry http://r', versions);
const lock = (...versions: Declaration[]) => having('lock', versions);
const found = (findings: ReturnType<typeof registryFindings>) => findings.map(({ rule, severity }) => `${severity} ${rule}`);

describe('a change that is declared, merged, applied and pulled', () => {
  /** Each moment of it: what the working tree, the base, the lock and the registry have. */
  const MOMENTS: [string, Declaration, Declaration | undefined, Declaration[], Declaration[], string[]][] = [
    ['before anything', one, one, [one], [one], []],
    ['a new fact in a pull request', one, undefined, [], [], []],
    ['a new fact merged', one, one, [], [], ['info registry-drift']],
    ['a new fact applied', one, one, [], [one], []],
    ['a field in a pull request', two, one, [one], [one], ['info registry-drift']],
    ['the field merged', two, two, [one], [one], ['info registry-drift']],
    ['the field applied', two, two, [one], [one, two], []],
    ['the field pulled', two, two, [one, two], [one, two], []],
    ['the next pull request before it was pulled', three, two, [one], [one, two], ['info registry-drift']],
    ['the next one applied before that was pulled', three, three, [one], [one, two, three], []],
    ['a pull request without the field, after it was pulled elsewhere', one, two, [one, two], [one, two], ['info registry-drift']],
    ['documentation, before it is applied', { doc: 'In other words.' }, one, [one], [one], []],
  ];
  it.each(MOMENTS)('%s: no warning from the registry or the lock', async (_moment, tree, before, locked, registered, infos) => {
    const locks = await lock(...locked);
    const bases = await base(before, locks);
    expect(found(registryFindings(await here(tree), await registry(...registered), bases))).toEqual(infos);
    expect(found(registryFindings(await here(tree), locks, bases)).filter((each) => !each.startsWith('info'))).toEqual([]);
  });

  it('is told with its place and the version that is the newest', async () => {
    const [finding] = registryFindings(await here(two), await registry(one), await base(one));
    expect(finding).toMatchObject({ fact: 'shop.Happened', place: { file: 'schemas/shop/Happened.avsc', line: 1 }, against: ['registry http://r'], message: 'It is not registered yet: version 1 is the newest (registry http://r).' });
  });
});

describe('a version that nobody here knows', () => {
  it('is a warning that names it', async () => {
    const [finding, ...more] = registryFindings(await here(one), await registry(one, two), await base(one, await lock(one)));
    expect(finding).toMatchObject({ rule: 'registered-out-of-band', severity: 'warning', message: 'Version 2 (id 3) is registered in registry http://r and nothing here knows it.' });
    expect(more).toEqual([]);
    expect(registryFindings(await here(one), await registry(one, two, three), await base(one))[0]).toMatchObject({ rule: 'registered-out-of-band', message: expect.stringContaining('Versions 2, 3') as string });
  });

  it.each<[string, Declaration | undefined, Declaration[]]>([
    ['the base', two, []],
    ['the lock', one, [one, two]],
  ])('control: known to %s it is none', async (_who, before, locked) => {
    expect(found(registryFindings(await here(one), await registry(one, two), await base(before, await lock(...locked))))).toEqual(['info registry-drift']);
  });

  it('is not judged when there is nothing but the working tree to know it', async () => {
    const history = await registry(one);
    expect(found(registryFindings(await here(two), history, [{ name: history.name, landscapes: [], history }]))).toEqual(['info registry-drift']);
  });
});

describe('a level', () => {
  const level = (name: string) => having(name, [one], 'BACKWARD');

  it('that the registry enforces and nothing declares is a warning', async () => {
    expect(registryFindings(await here(one), await level('registry http://r'), await base(one))).toMatchObject([{ rule: 'level-drift', severity: 'warning', message: 'BACKWARD is enforced (registry http://r), and FULL_TRANSITIVE is declared.' }]);
  });

  it('is told while its change waits to be applied, and of a lock, which is a copy', async () => {
    expect(found(registryFindings(await here(one), await level('registry http://r'), await base({ level: 'BACKWARD' })))).toEqual(['info level-drift']);
    expect(found(registryFindings(await here(one), await level('lock'), await base(one)))).toEqual(['info level-drift']);
    expect(found(registryFindings(await here({ level: 'BACKWARD' }), await level('registry http://r'), await base(one)))).toEqual([]);
  });
});

describe('a subject that nothing declares', () => {
  it('is told when it is of a namespace that is declared here', async () => {
    const { name, subjects } = await registry(one);
    const foreign = new Map([...subjects, ['bank.Paid', subjects.get('shop.Always')!]]);
    expect(registryFindings(await here(undefined), { name, subjects: foreign }, await base(undefined))).toMatchObject([{ rule: 'registered-undeclared', severity: 'info', fact: 'shop.Happened', place: { file: 'schemas/shop/Always.avsc' } }]);
  });
});
