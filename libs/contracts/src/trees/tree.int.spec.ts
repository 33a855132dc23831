import { chmodSync, symlinkSync } from 'node:fs';
import { readContracts } from '../contract-file.js';
import { FILES_READ_AT_ONCE } from '../limits.js';
import { declaredContracts } from '../raw-contract.js';
import { loadSchemas, readSchemas } from '../schemas.js';
import { type CommitTree, commitTree } from './git.js';
import { Workshop, refusal } from './repository.spec.support.js';
import { type FileTree, workingTree } from './tree.js';

let workshop: Workshop;
let here: FileTree;

beforeEach(() => {
  workshop = new Workshop();
  workshop.init('r');
  here = workingTree(workshop.path('r'));
});

afterEach(() => workshop.remove());

function fact(...fields: string[]): string {
  const all = [{ name: 'meta', type: 'factline.Meta' }, ...['id', ...fields].map((name) => ({ name, type: 'string' }))];
  return JSON.stringify({ type: 'record', name: 'Made', namespace: 'x', fields: all });
}

function declarations(select: string, ...fields: string[]): Record<string, string> {
  return {
    'schemas/x/thing/topic.yaml': 'name: x.thing\nowner: x\nkeyField: id\npartitions: 2\nkind: facts\n',
    'schemas/x/thing/Made.avsc': fact(...fields),
    'schemas/contracts.config.yaml': 'subjects: {x.Made: BACKWARD}',
    'apps/x/contracts.yaml': 'app: x\nowner: t\nproduces: [x.Made]\n',
    'apps/y/contracts.yaml': `app: y\nowner: t\nconsumes: [{fact: x.Made, select: ${select}, purpose: p, reason: r}]\n`,
    'apps/y/src/contracts.yaml': 'app: too deep\n',
    'apps/contracts.yaml': 'app: not deep enough\n',
  };
}

describe('the working tree', () => {
  it('keeps few files open at once, however many are asked for', async () => {
    const files = Array.from({ length: 1_000 }, (_, at) => `schemas/${at}.txt`);
    for (const file of files) workshop.write(`r/${file}`, file);
    let texts: string[] | undefined;
    const reading = Promise.all(files.map((file) => here.read(file))).then((all) => (texts = all));
    let most = 0;
    while (!texts) {
      most = Math.max(most, process.getActiveResourcesInfo().filter((each) => each === 'FSReqPromise').length);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await reading;
    expect(texts).toEqual(files);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(FILES_READ_AT_ONCE);
  });

  it('lists files below a folder, in the order of a commit, without links and what nobody declares in', async () => {
    for (const file of ['schemas/b.avsc', 'schemas/B.avsc', 'schemas/b/a.avsc', 'schemas/node_modules/x.avsc', 'schemas/dist/x.avsc', 'other/x.avsc']) workshop.write(`r/${file}`, file);
    symlinkSync('../other', workshop.path('r/schemas/linked'));
    symlinkSync('schemas', workshop.path('r/all'));
    expect(await here.list('schemas')).toEqual(['schemas/B.avsc', 'schemas/b.avsc', 'schemas/b/a.avsc']);
    expect(await here.list('schemas/b')).toEqual(['schemas/b/a.avsc']);
    for (const none of ['all', 'all/b', 'schemas/linked', 'schemas/dist', 'schemas/b.avsc', 'schemas/none']) expect(await here.list(none)).toEqual([]);
    expect(await here.list('')).toEqual(['other/x.avsc', 'schemas/B.avsc', 'schemas/b.avsc', 'schemas/b/a.avsc']);
    expect(await workingTree(workshop.path('r/all')).list('')).toEqual(['B.avsc', 'b.avsc', 'b/a.avsc']);
  });

  it('that is not there is an error, not an empty one', async () => {
    const nowhere = workingTree(workshop.path('nowhere'));
    for (const folder of ['', 'schemas']) expect(await refusal(nowhere.list(folder))).toMatchObject({ code: 'declaration.unreadable', kind: 'configuration', details: { file: workshop.path('nowhere') } });
    expect(await refusal(loadSchemas(workshop.path('nowhere')))).toMatchObject({ code: 'declaration.unreadable', advice: 'Run in the root of the repository, or give the folder.' });
  });

  it('names what it cannot read', async () => {
    expect(await refusal(here.read('schemas/none.avsc'))).toMatchObject({ code: 'declaration.unreadable', details: { file: 'schemas/none.avsc' }, message: expect.stringContaining('(working tree)') });
    workshop.write('r/schemas/closed/a.avsc', '');
    if (process.getuid?.() === 0) return; // nothing is closed to root
    chmodSync(workshop.path('r/schemas/closed'), 0);
    expect(await refusal(here.list(''))).toMatchObject({ code: 'declaration.unreadable', details: { file: 'schemas/closed' } });
    chmodSync(workshop.path('r/schemas/closed'), 0o700);
  });
});

describe('declarations', () => {
  async function committed<T>(use: (tree: CommitTree) => Promise<T>): Promise<T> {
    const tree = await commitTree(workshop.path('r'), 'HEAD');
    try {
      return await use(tree);
    } finally {
      await tree.close();
    }
  }

  it('are read from a commit as from the folder, and stay what they were', async () => {
    workshop.commit('r', declarations('[id, name]', 'name'));
    const folder = await loadSchemas(workshop.path('r/schemas'));
    expect(folder.facts.get('x.Made')).toMatchObject({ file: 'x/thing/Made.avsc', compatibility: 'BACKWARD', topic: { partitions: 2 } });
    expect(folder.definitions.get('x.Made')).toMatchObject({ file: 'x/thing/Made.avsc', path: '$' });
    expect(await readSchemas(here, 'schemas')).toEqual(folder);
    expect(await committed((tree) => readSchemas(tree, './schemas/'))).toEqual(folder);
    workshop.write('r/schemas/x/thing/Made.avsc', fact('other'));
    expect(await committed((tree) => readSchemas(tree, 'schemas'))).toEqual(folder);
    expect(await readSchemas(here, 'schemas')).not.toEqual(folder);
  });

  it('of a tree without the folders are none', async () => {
    workshop.commit('r', { 'README.md': '' });
    expect((await committed((tree) => readSchemas(tree, 'schemas'))).facts.size).toBe(0);
    expect(await committed((tree) => declaredContracts(tree, 'apps'))).toEqual([]);
  });

  it('of apps are found one folder deep, and hold where each name stands', async () => {
    workshop.commit('r', declarations('[id, name]', 'name'));
    const raw = await committed((tree) => declaredContracts(tree, 'apps'));
    expect(raw).toEqual([
      { file: 'apps/x/contracts.yaml', app: 'x', owner: 't', produces: [{ name: 'x.Made', path: '$.produces[0]' }], consumes: [] },
      {
        file: 'apps/y/contracts.yaml',
        app: 'y',
        owner: 't',
        produces: [],
        consumes: [{ fact: 'x.Made', select: [{ field: 'id', path: '$.consumes[0].select[0]' }, { field: 'name', path: '$.consumes[0].select[1]' }], purpose: 'p', grants: [], path: '$.consumes[0]' }],
      },
    ]);
    expect(await declaredContracts(here, 'apps')).toEqual(raw);
    const checked = await readContracts(here, 'apps', await readSchemas(here, 'schemas'));
    expect(checked.map(({ app, consumes }) => [app, consumes.map(({ select }) => select)])).toEqual([['x', []], ['y', [['id', 'name']]]]);
  });

  it('that name what is gone can be read as they are written, and are refused against schemas', async () => {
    workshop.commit('r', declarations('[id, gone]', 'name'));
    expect((await declaredContracts(here, 'apps'))[1]!.consumes[0]!.select).toHaveLength(2);
    expect(await refusal(readContracts(here, 'apps', await readSchemas(here, 'schemas')))).toMatchObject({ code: 'contract.unknown-field', details: { file: 'apps/y/contracts.yaml', path: '$.consumes[0].select' } });
  });

  it.each([
    ["'*'", 'app: y', undefined],
    ["[id, '*']", 'app: y', undefined],
    ['[id, 7]', 'app: y', '$.consumes[0].select[1]'],
    ['[id]', 'app: z', '$.app'],
  ])('with select %s and %s are read, or refused at their place: %s', async (select, app, path) => {
    const files = declarations(select, 'name');
    workshop.commit('r', { ...files, 'apps/y/contracts.yaml': files['apps/y/contracts.yaml']!.replace('app: y', app) });
    if (path === undefined) expect((await declaredContracts(here, 'apps'))[1]!.consumes[0]!.select).toBe('*');
    else expect(await refusal(declaredContracts(here, 'apps'))).toMatchObject({ code: 'contract.invalid', details: { file: 'apps/y/contracts.yaml', path } });
  });
});
