import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse } from 'yaml';
import { FakeGh } from './support/fake-gh.js';
import { CLI, ROOT } from './support/root.js';

/** The steps of .github/workflows/contracts.yml on a repository that GitHub would have merged the pull request in, fetched as actions/checkout fetches it. */
interface Step {
  id?: string;
  name?: string;
  uses?: string;
  run?: string;
  if?: string;
  env?: Record<string, string>;
  with?: Record<string, unknown>;
}

const SCHEMA = 'schemas/hr/employee/EmployeeCreated.avsc';
const TEXT = readFileSync(resolve(ROOT, '.github/workflows/contracts.yml'), 'utf8');
const workflow = parse(TEXT) as { on: object; permissions: object; defaults: { run: { shell: string } }; jobs: { check: { permissions: object; env: { BASE: string }; steps: Step[] } } };
const { check } = workflow.jobs;

let folder: string;
let gh: FakeGh;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'factline-pull-'));
  gh = new FakeGh(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin/npx'), `#!/bin/sh\n[ "$1" = factline ] && shift && exec ${process.execPath} ${CLI} "$@"\n`);
  chmodSync(join(folder, 'bin/npx'), 0o755);
  mkdirSync(join(folder, 'temp'));
  cpSync(resolve(ROOT, 'schemas'), join(folder, 'origin/schemas'), { recursive: true });
  for (const app of ['hr', 'payroll']) cpSync(resolve(ROOT, `apps/${app}/contracts.yaml`), join(folder, `origin/apps/${app}/contracts.yaml`), { recursive: true });
  git('origin', 'init', '--quiet', '--initial-branch=main');
  commit('first');
  git('origin', 'switch', '--quiet', '--create', 'change');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function git(where: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('git', ['-c', 'user.name=spec', '-c', 'user.email=spec@example.org', ...args], { cwd: join(folder, where), encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}

function commit(message: string): void {
  git('origin', 'add', '.');
  git('origin', 'commit', '--quiet', '--allow-empty', `--message=${message}`);
}

/** Takes fields away on the branch of the pull request; main has gone on meanwhile. */
function push(...removed: string[]): void {
  const schema = JSON.parse(readFileSync(resolve(ROOT, SCHEMA), 'utf8')) as { fields: { name: string }[] };
  writeFileSync(join(folder, 'origin', SCHEMA), JSON.stringify({ ...schema, fields: schema.fields.filter(({ name }) => !removed.includes(name)) }, null, 2));
  commit(`without ${removed.join(' and ')}`);
  git('origin', 'switch', '--quiet', 'main');
  commit('meanwhile');
  git('origin', 'switch', '--quiet', '--detach');
  git('origin', 'merge', '--quiet', '--no-ff', 'change', '--message=merge');
  git('origin', 'update-ref', 'refs/pull/7/merge', 'HEAD');
  git('origin', 'switch', '--quiet', 'change');
}

/** As actions/checkout does it; then the origin is out of reach, as for a job that keeps no credentials. */
function checkout(): void {
  rmSync(join(folder, 'work'), { recursive: true, force: true });
  mkdirSync(join(folder, 'work'));
  git('work', 'init', '--quiet');
  git('work', 'remote', 'add', 'origin', `file://${folder}/origin`);
  const depth = String(check.steps[0]!.with!['fetch-depth']);
  git('work', 'fetch', '--quiet', '--no-tags', `--depth=${depth}`, 'origin', '+refs/pull/7/merge:refs/remotes/pull/7/merge');
  git('work', 'checkout', '--quiet', '--force', 'refs/remotes/pull/7/merge');
  git('work', 'remote', 'set-url', 'origin', `file://${folder}/gone`);
}

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function step(found: Step, env: Record<string, string> = {}): Ended {
  const file = join(folder, 'step.sh');
  writeFileSync(file, found.run!);
  const [shell, ...options] = workflow.defaults.run.shell.split(' ').map((word) => (word === '{0}' ? file : word));
  const { status, stdout, stderr } = spawnSync(shell!, options, { cwd: join(folder, 'work'), encoding: 'utf8', env: { PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH']}`, HOME: folder, RUNNER_TEMP: join(folder, 'temp'), GITHUB_STEP_SUMMARY: join(folder, 'summary'), GITHUB_BASE_REF: 'main', BASE: check.env.BASE.replace('${{ github.base_ref }}', 'main'), ...env } });
  return { code: status, stdout, stderr };
}

/** Everything after the checkout but what installs and builds: that is this program. */
function run(): Ended {
  checkout();
  for (const each of check.steps.filter(({ run: line }) => line?.startsWith('git '))) expect(step(each)).toMatchObject({ code: 0 });
  return step(check.steps.find(({ id }) => id === 'check')!);
}

function publish(env: Record<string, string> = {}): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [resolve(ROOT, 'tools/publish-contracts.mjs'), join(folder, 'temp')], {
    encoding: 'utf8',
    env: { PATH: join(folder, 'bin'), GH_TOKEN: 'secret', GITHUB_REPOSITORY: 'o/r', GITHUB_REF: 'refs/pull/7/merge', GITHUB_SHA: 'c0ffee', ...env },
  });
  return { code: status, stdout, stderr };
}

const bodies = () => gh.state.comments.map(({ body }) => body);

it('fails with annotations, and writes both reports, from two commits and without the origin', () => {
  push('salaryCents');
  const { code, stdout, stderr } = run();
  expect({ code, stderr }).toEqual({ code: 100, stderr: '' });
  expect(stdout).toMatch(/^::error file=schemas\/hr\/employee\/EmployeeCreated\.avsc,line=\d+,col=\d+,title=field-removed::/m);
  expect(readFileSync(join(folder, 'temp/contracts.md'), 'utf8')).toMatch(/\*\*payroll\*\* breaks: `hr\.EmployeeCreated\.salaryCents`[\s\S]*merge base with origin\/main/);
  expect(step(check.steps.find(({ name }) => name === 'Summary')!)).toMatchObject({ code: 0 });
  expect(readFileSync(join(folder, 'summary'), 'utf8')).toBe(readFileSync(join(folder, 'temp/contracts.md'), 'utf8'));
});

it('stops before the reports are used when the check cannot be made', () => {
  push();
  rmSync(join(folder, 'origin/apps'), { recursive: true });
  writeFileSync(join(folder, 'origin/schemas/hr/employee/topic.yaml'), 'name: [');
  commit('broken');
  push('salaryCents');
  expect(run()).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('topic.yaml') as string });
});

it('writes one comment, rewrites it on later pushes, and none where nothing breaks; code scanning gets each analysis', () => {
  gh.state = { ...gh.state, comments: ['first', 'second', '<!-- factline contracts check -->\nnot ours'].map((body, id) => ({ id, user: { login: 'somebody' }, body })) };
  push('salaryCents');
  expect(run()).toMatchObject({ code: 100 });
  expect(publish()).toMatchObject({ code: 0, stdout: 'comment written\nuploaded to code scanning\n' });
  const { body } = gh.calls().find(({ path }) => path.endsWith('/code-scanning/sarifs'))!;
  expect(body).toMatchObject({ commit_sha: 'c0ffee', ref: 'refs/pull/7/merge' });
  expect(gunzipSync(Buffer.from(body!['sarif']!, 'base64')).toString()).toBe(readFileSync(join(folder, 'temp/contracts.sarif'), 'utf8'));

  push('salaryCents', 'jobTitle');
  expect(run()).toMatchObject({ code: 100 });
  expect(publish()).toMatchObject({ code: 0, stdout: expect.stringContaining('comment 103 rewritten') as string });
  expect(bodies().slice(0, 3)).toEqual(['first', 'second', '<!-- factline contracts check -->\nnot ours']);
  expect(bodies().slice(3)).toEqual([expect.stringContaining('### Contracts: 2 errors')]);
  gh.calls();
  publish();
  expect(gh.calls().map(({ method }) => method)).toEqual(['GET', 'POST']); // the same text is not written again, the analysis is

  push();
  expect(run()).toMatchObject({ code: 0 });
  publish();
  expect(bodies().slice(3)).toEqual([expect.stringContaining('### Contracts: nothing breaks')]);
  gh.state = { ...gh.state, comments: [] };
  expect(publish()).toMatchObject({ code: 0, stdout: 'uploaded to code scanning\n' });
  expect(bodies()).toEqual([]);
});

/** Reports of a check, as far as their publication looks. */
function reports(): void {
  writeFileSync(join(folder, 'temp/contracts.md'), '<!-- factline contracts check -->\n### Contracts: 1 errors, 0 warnings\n');
  writeFileSync(join(folder, 'temp/contracts.sarif'), JSON.stringify({ runs: [{ results: [{ level: 'error' }] }] }));
}

it('says in its comment that a later push was not checked, and uploads nothing then', () => {
  reports();
  publish();
  gh.calls();
  writeFileSync(join(folder, 'temp/contracts.md'), '');
  rmSync(join(folder, 'temp/contracts.sarif'));
  expect(publish()).toMatchObject({ code: 0 });
  expect(bodies()).toEqual([expect.stringMatching(/^<!-- factline contracts check -->\n### Contracts: not checked[\s\S]*c0ffee/)]);
  expect(gh.calls().map(({ method }) => method)).toEqual(['GET', 'PATCH']);
});

it('passes over what the token may not do, and over nothing else', () => {
  reports();
  gh.state = { ...gh.state, refuse: { path: 'issues/', status: 403 } };
  expect(publish()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^::notice::read the comments: not allowed here[\s\S]*uploaded to code scanning/) as string });
  gh.state = { ...gh.state, refuse: { path: 'code-scanning', status: 404 } };
  expect(publish()).toMatchObject({ code: 0, stdout: expect.stringMatching(/comment written[\s\S]*::notice::upload to code scanning: not allowed here/) as string });
  gh.state = { ...gh.state, refuse: { path: 'code-scanning', status: 500 } };
  expect(publish()).toMatchObject({ code: 1, stderr: expect.stringContaining('HTTP 500') as string });
  expect(publish({ GITHUB_REF: 'refs/heads/main' })).toMatchObject({ code: 1, stderr: expect.stringContaining('is no pull request') as string });
});

describe('the workflow', () => {
  it('runs for pull requests, with the rights of a comment and of an analysis, and gives the token to the step that needs it', () => {
    expect(Object.keys(workflow.on)).toEqual(['pull_request']);
    expect([workflow.permissions, check.permissions]).toEqual([{}, { contents: 'read', 'pull-requests': 'write', 'security-events': 'write' }]);
    const told = check.steps.filter((each) => JSON.stringify(each).includes('github.token'));
    expect(told.map(({ run: line }) => line)).toEqual(['node tools/publish-contracts.mjs "$RUNNER_TEMP"']);
    expect(told[0]!.if).toContain('github.event.pull_request.head.repo.full_name == github.repository');
    expect(check.steps[0]!.with).toMatchObject({ 'persist-credentials': false });
  });

  it('pins what it uses to a commit, keeps scripts in files, and puts nothing of a pull request into a script', () => {
    for (const [line] of TEXT.matchAll(/uses:.*/g)) expect(line).toMatch(/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    for (const { run: script = '' } of check.steps) {
      expect(script.trim().split('\n').length).toBeLessThanOrEqual(3);
      expect(script).not.toContain('${{');
    }
    expect(workflow.defaults.run.shell).toBe('bash -euo pipefail {0}');
  });
});
