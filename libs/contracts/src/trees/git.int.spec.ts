import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { type CommitTree, commitTree, mergeBase } from './git.js';
import { Git } from './git-process.js';
import { Workshop, refusal } from './repository.spec.support.js';
import { workingTree } from './tree.js';

let workshop: Workshop;
const open: CommitTree[] = [];

beforeEach(() => (workshop = new Workshop()));

afterEach(async () => {
  for (const tree of open.splice(0)) await tree.close();
  workshop.remove();
});

async function tree(folder: string, revision: string, meaning?: string): Promise<CommitTree> {
  const found = await commitTree(workshop.path(folder), revision, meaning);
  open.push(found);
  return found;
}

/** `origin` with main and a branch that forked before main moved on; `clone` has the branch checked out. */
function forked(): { fork: string; main: string; feature: string } {
  workshop.init('origin');
  workshop.commit('origin', { 'schemas/a.avsc': 'first' });
  const fork = workshop.commit('origin', { 'schemas/a.avsc': 'at the fork' });
  workshop.git('origin', 'checkout', '--quiet', '-b', 'feature');
  workshop.commit('origin', { 'schemas/b.avsc': 'of the branch' });
  const feature = workshop.commit('origin', { 'schemas/a.avsc': 'changed by the branch' });
  workshop.git('origin', 'checkout', '--quiet', 'main');
  workshop.commit('origin', { 'other.txt': '' });
  const main = workshop.commit('origin', { 'schemas/a.avsc': 'changed by main' });
  workshop.clone('origin', 'clone', '--branch', 'feature');
  return { fork, main, feature };
}

describe('the merge base', () => {
  it('is where the branch left, not where the other branch is now', async () => {
    const { fork, main } = forked();
    const base = await mergeBase(workshop.path('clone'), 'origin/main');
    expect(base).toBe(fork);
    const before = await tree('clone', base, 'merge base with origin/main');
    expect(before.name).toBe(`git ${fork.slice(0, 7)} (merge base with origin/main)`);
    expect(before.commit).toBe(fork);
    expect(await before.list('schemas')).toEqual(['schemas/a.avsc']);
    expect(await before.read('schemas/a.avsc')).toBe('at the fork');
    const tip = await tree('clone', 'origin/main');
    expect(tip.name).toBe(`git ${main.slice(0, 7)} (origin/main)`);
    expect(await tip.read('schemas/a.avsc')).toBe('changed by main');
    expect(await workingTree(workshop.path('clone')).read('schemas/a.avsc')).toBe('changed by the branch');
  });

  it('is the same with a detached HEAD, in a linked working tree and with uncommitted changes', async () => {
    const { fork } = forked();
    workshop.git('clone', 'worktree', 'add', '--quiet', '--detach', workshop.path('linked'), 'HEAD');
    workshop.git('clone', 'checkout', '--quiet', '--detach');
    workshop.write('clone/schemas/a.avsc', 'not committed');
    expect(await mergeBase(workshop.path('clone'), 'origin/main')).toBe(fork);
    expect(await mergeBase(workshop.path('linked'), 'origin/main')).toBe(fork);
    expect(await (await tree('clone', 'HEAD')).read('schemas/a.avsc')).toBe('changed by the branch');
  });

  it('that a shallow clone does not hold is refused with the fetch that brings it', async () => {
    const { fork } = forked();
    workshop.clone('origin', 'shallow', '--depth=1', '--branch=feature');
    const single = await refusal(mergeBase(workshop.path('shallow'), 'origin/main'));
    expect(single).toMatchObject({ code: 'git.unknown-ref', kind: 'unavailable', retry: false, details: { command: 'git fetch --deepen=100 origin +refs/heads/main:refs/remotes/origin/main' } });
    workshop.git('shallow', 'fetch', '--quiet', '--depth=1', 'origin', '+refs/heads/main:refs/remotes/origin/main');
    const shallow = await refusal(mergeBase(workshop.path('shallow'), 'origin/main'));
    expect(shallow).toMatchObject({ code: 'git.shallow', kind: 'unavailable', retry: false, details: { command: 'git fetch --deepen=100 origin main' } });
    expect(shallow.advice).toContain('git fetch --deepen=100 origin main\n');
    expect(shallow.advice).toContain('git fetch --unshallow origin');
    workshop.follow('shallow', shallow.details['command']);
    expect(await mergeBase(workshop.path('shallow'), 'origin/main')).toBe(fork);
  });

  it('with a branch that a shallow clone left out is there after the one advised fetch', async () => {
    const { fork } = forked();
    workshop.clone('origin', 'shallow', '--depth=1', '--branch=feature');
    workshop.follow('shallow', (await refusal(mergeBase(workshop.path('shallow'), 'origin/main'))).details['command']);
    expect(await mergeBase(workshop.path('shallow'), 'origin/main')).toBe(fork);
  });

  it('of unrelated histories does not exist', async () => {
    forked();
    workshop.git('clone', 'checkout', '--quiet', '--orphan', 'fresh');
    workshop.commit('clone', { 'a.txt': '' });
    expect(await refusal(mergeBase(workshop.path('clone'), 'origin/main'))).toMatchObject({ code: 'git.unrelated', kind: 'unavailable', retry: false });
  });
});

describe('a revision', () => {
  it('that is deleted or misspelt is refused with what there is', async () => {
    const { fork } = forked();
    workshop.git('clone', 'update-ref', '-d', 'refs/remotes/origin/main');
    const deleted = await refusal(mergeBase(workshop.path('clone'), 'origin/main'));
    expect(deleted).toMatchObject({ code: 'git.unknown-ref', kind: 'unavailable', details: { ref: 'origin/main', command: 'git fetch origin +refs/heads/main:refs/remotes/origin/main' } });
    expect(deleted.details['refs']).toEqual(expect.arrayContaining(['feature', 'origin/feature']));
    expect(deleted.advice).toContain('There are: feature, ');
    expect((await refusal(mergeBase(workshop.path('clone'), 'origin/featrue'))).advice).toContain("Did you mean 'origin/feature'?");
    workshop.follow('clone', deleted.details['command']);
    expect(await mergeBase(workshop.path('clone'), 'origin/main')).toBe(fork);
  });

  it('is never an option, an exclusion or a range', async () => {
    workshop.init('one');
    const commit = workshop.commit('one', { 'a.txt': '' });
    workshop.git('one', 'update-ref', 'refs/heads/-main', 'HEAD');
    const root = workshop.path('one');
    expect(await mergeBase(root, 'main')).toBe(commit);
    for (const ref of ['-main', '--output=planted', '', 'main\0']) {
      expect(await refusal(mergeBase(root, ref))).toMatchObject({ code: 'git.ref-invalid', kind: 'invalid' });
      expect(await refusal(commitTree(root, ref))).toMatchObject({ code: 'git.ref-invalid' });
    }
    for (const ref of ['^main', 'main..main', 'main:a.txt']) expect(await refusal(mergeBase(root, ref))).toMatchObject({ code: 'git.unknown-ref' });
    expect(await workingTree(root).list('')).toEqual(['a.txt']);
  });

  it('without a commit, a repository or a folder is refused with advice', async () => {
    workshop.init('empty');
    expect(await refusal(mergeBase(workshop.path('empty'), 'HEAD'))).toMatchObject({ code: 'git.unknown-ref', advice: 'There is no branch or tag here yet.' });
    for (const folder of ['', 'empty/.git', 'nowhere']) {
      expect(await refusal(mergeBase(workshop.path(folder), 'main'))).toMatchObject({ code: 'git.not-a-repository', kind: 'unavailable', retry: false });
    }
  });
});

describe('the files of a commit', () => {
  it('are those of the working tree it was made from, whatever their names', async () => {
    const names = ['schemas/with space.avsc', 'schemas/Größe/日本.avsc', 'schemas/two\nlines\t"quoted".avsc', 'schemas/*.avsc', '-dash/:(top)a.avsc', 'schemas.txt', 'z.txt'];
    workshop.init('odd');
    workshop.commit('odd', Object.fromEntries(names.map((name) => [name, `in ${name}`])));
    const here = workingTree(workshop.path('odd'));
    const there = await tree('odd', 'HEAD');
    expect(await here.list('')).toEqual(names.toSorted());
    for (const folder of ['', 'schemas', './schemas/', '-dash', 'nowhere', 'z.txt']) expect(await there.list(folder)).toEqual(await here.list(folder));
    for (const name of names) expect(await there.read(name)).toBe(`in ${name}`);
  });

  it('have the names they had, and leave out links and what nobody declares in', async () => {
    workshop.init('moved');
    workshop.write('moved/apps/x/contracts.yaml', 'old');
    symlinkSync('x', workshop.path('moved/apps/link'));
    symlinkSync('x/contracts.yaml', workshop.path('moved/apps/file.yaml'));
    const before = workshop.commit('moved', { 'apps/x/node_modules/m/contracts.yaml': '', 'dist/a.avsc': '', 'src/dist/a.avsc': '' });
    workshop.git('moved', 'mv', 'apps/x', 'apps/y');
    workshop.commit('moved', {});
    expect(await (await tree('moved', before)).list('')).toEqual(['apps/x/contracts.yaml']);
    expect(await (await tree('moved', 'HEAD')).list('')).toEqual(['apps/y/contracts.yaml']);
    expect(await workingTree(workshop.path('moved')).list('')).toEqual(['apps/y/contracts.yaml']);
    expect(workshop.git('moved', 'ls-files')).toContain('dist/a.avsc');
  });

  it('below a folder of the repository have paths below it', async () => {
    workshop.init('large');
    workshop.commit('large', { 'schemas/outside.avsc': '', 'product/schemas/inside.avsc': 'inside' });
    const part = await tree('large/product', 'HEAD');
    expect(await part.list('')).toEqual(['schemas/inside.avsc']);
    expect(await part.read('schemas/inside.avsc')).toBe('inside');
    workshop.write('large/new/a.txt', '');
    expect(await (await tree('large/new', 'HEAD')).list('')).toEqual([]);
  });

  it('are read whole and in order, by one process that ends', async () => {
    const texts = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`file ${at}`, `${at}\n`.repeat(at % 4 === 0 ? 200_000 : at)]));
    workshop.init('big');
    workshop.commit('big', texts);
    const stored = await tree('big', 'HEAD');
    const read = await Promise.all(Object.keys(texts).map((file) => stored.read(file)));
    expect(read.map((text) => text.length)).toEqual(Object.values(texts).map((text) => text.length));
    expect(read).toEqual(Object.values(texts));
    expect(runningGits()).toBe(1);
    await stored.close();
    expect(runningGits()).toBe(0);
  });

  it('that the commit does not hold are refused, by name and tree', async () => {
    workshop.init('one');
    workshop.commit('one', { 'a.txt': '' });
    const missing = await refusal((await tree('one', 'HEAD')).read('b.txt'));
    expect(missing).toMatchObject({ code: 'declaration.unreadable', details: { file: 'b.txt' }, message: expect.stringMatching(/^b\.txt: .*git [0-9a-f]{7} \(HEAD\)/) });
  });

  it('that a partial clone left behind are not fetched, and refused with the fetch that brings them', async () => {
    forked();
    workshop.git('origin', 'config', 'uploadpack.allowFilter', 'true');
    workshop.clone('origin', 'partial', '--filter=blob:none', '--branch=feature');
    const missing = () => workshop.git('partial', 'rev-list', '--all', '--objects', '--missing=print').split('\n').filter((line) => line.startsWith('?')).length;
    const before = missing();
    expect(before).toBeGreaterThan(0);
    const incomplete = await refusal((await tree('partial', 'origin/main')).read('schemas/a.avsc'));
    expect(incomplete).toMatchObject({ code: 'git.incomplete', kind: 'unavailable', retry: false });
    expect(missing()).toBe(before);
    workshop.follow('partial', incomplete.details['command']);
    expect(await (await tree('partial', 'origin/main')).read('schemas/a.avsc')).toBe('changed by main');
  });

  it('that are damaged are refused, and not taken for empty ones', async () => {
    workshop.init('damaged');
    workshop.commit('damaged', { 'a.txt': 'content' });
    const id = workshop.git('damaged', 'rev-parse', 'HEAD:a.txt');
    const object = workshop.path('damaged/.git/objects', id.slice(0, 2), id.slice(2));
    execFileSync('rm', ['-f', object]);
    expect(await refusal((await tree('damaged', 'HEAD')).read('a.txt'))).toMatchObject({ code: 'git.incomplete' });
    writeFileSync(object, 'no object');
    expect(await refusal((await tree('damaged', 'HEAD')).read('a.txt'))).toMatchObject({ code: 'git.incomplete' });
  });
});

describe('git itself', () => {
  it('is asked for when it is missing', async () => {
    const git = new Git(workshop.folder, 'no-such-program');
    expect(await refusal(git.run('rev-parse'))).toMatchObject({ code: 'git.missing', kind: 'unavailable', retry: false });
    const objects = git.objects();
    expect(await refusal(objects.read('HEAD'))).toMatchObject({ code: 'git.missing' });
    await objects.end();
  });

  it('that fails is quoted', async () => {
    expect(await refusal(new Git(workshop.folder).output('cat-file', 'blob', 'HEAD'))).toMatchObject({ code: 'git.failed', kind: 'unavailable', details: { command: 'cat-file' } });
  });
});

/** Processes of git that this one started and that are still there. */
function runningGits(): number {
  const all = execFileSync('ps', ['-A', '-o', 'ppid=,comm='], { encoding: 'utf8' }).split('\n');
  return all.filter((line) => new RegExp(`^\\s*${process.pid}\\s+(\\S*/)?git$`).test(line)).length;
}
