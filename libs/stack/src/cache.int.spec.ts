import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Package, installed } from './cache.js';
import { withLock } from './lock.js';
import { ownIdentity, thisHost } from './processes.js';
import type { StackProgress } from './progress.js';

describe('the cache', () => {
  let cache: string;
  let fills: number;
  const quiet = () => undefined;
  const aPackage = (fill: (target: string) => void): Package => ({
    name: 'thing-1',
    title: 'Thing 1',
    aboutMb: 1,
    fill: (target) => {
      fills++;
      return Promise.resolve().then(() => fill(target));
    },
  });
  const good = aPackage((target) => writeFileSync(join(target, 'program'), 'run me'));

  beforeEach(() => {
    cache = mkdtempSync(join(tmpdir(), 'factline-cache-spec-'));
    fills = 0;
  });
  afterEach(() => rmSync(cache, { recursive: true }));

  it('is filled once by many at the same time, and says when it is done', async () => {
    const said: StackProgress[] = [];
    const homes = await Promise.all([1, 2, 3].map(() => installed(cache, good, (progress) => said.push(progress))));
    expect(new Set(homes)).toEqual(new Set([join(cache, 'thing-1')]));
    expect(readFileSync(join(homes[0]!, 'program'), 'utf8')).toBe('run me');
    expect(fills).toBe(1);
    expect(said.map(({ step, state }) => `${step} ${state}`)).toEqual(['download Thing 1 started', 'download Thing 1 done']);
    expect(existsSync(join(cache, 'partial', 'thing-1'))).toBe(false);
  });

  it('never counts a download that failed half way as done', async () => {
    const bad = aPackage((target) => {
      writeFileSync(join(target, 'half'), '');
      throw new Error('the line is down');
    });
    await expect(installed(cache, bad, quiet)).rejects.toThrow('the line is down');
    expect(existsSync(join(cache, 'thing-1'))).toBe(false);
    const home = await installed(cache, good, quiet);
    expect(readdirSync(home)).toEqual(['program']);
  });

  it('takes the lock of a holder that died, with what it left, and not that of a living one', async () => {
    const lock = join(cache, 'locks', 'thing-1.lock');
    mkdirSync(join(cache, 'locks'));
    mkdirSync(join(cache, 'partial', 'thing-1', 'left'), { recursive: true });
    writeFileSync(lock, JSON.stringify({ ...ownIdentity(), startedAt: 'before', host: thisHost })); // the pid lives on as another program
    expect(existsSync(await installed(cache, good, quiet))).toBe(true);
    expect(existsSync(join(cache, 'partial', 'thing-1'))).toBe(false);
    writeFileSync(lock, JSON.stringify({ ...ownIdentity(), host: thisHost }));
    await expect(withLock(lock, 50, () => Promise.resolve())).rejects.toMatchObject({ code: 'stack.locked', kind: 'unavailable' });
  });
});
