import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CLI, ROOT } from './support/root.js';

const CONTRACT = 'apps/payroll/contracts.yaml';
const SELECTED = 'select: [employeeId, name, salaryCents, currency, location]';
/** As if nobody had installed the parser. */
const WITHOUT_PARSER = `import { registerHooks } from 'node:module';
registerHooks({ resolve: (name, context, next) => { if (name === 'oxc-parser') throw new Error('Cannot find it'); return next(name, context); } });`;

let folder: string;
const at = (file: string) => join(folder, file);
const contract = () => readFile(at(CONTRACT), 'utf8');
/** The contract of payroll with something else in place of what it selects of EmployeeCreated. */
const selecting = async (selection: string) => writeFile(at(CONTRACT), (await contract()).replace(SELECTED, selection));

/** This repository's schemas, contracts and code: nothing is installed or built there. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'factline-trim-'));
  for (const part of ['schemas', 'apps/hr', 'apps/payroll']) await cp(resolve(ROOT, part), at(part), { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function trim(args: readonly string[], node: readonly string[] = []): { code: number; stdout: string; stderr: string } {
  try {
    return { code: 0, stdout: execFileSync(process.execPath, [...node, CLI, 'contracts', 'trim', ...args], { cwd: folder, encoding: 'utf8', stdio: 'pipe' }), stderr: '' };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    return { code: status, stdout, stderr };
  }
}

it('finds nothing in this repository, whose apps read what they select', () => {
  expect(trim([])).toMatchObject({ code: 0, stdout: expect.stringContaining('every selected field is read') as string });
});

it('shows what it would take out, takes it out, and leaves the rest of the file as it was', async () => {
  const before = await contract();
  await selecting(SELECTED.replace('currency', 'email, currency').replace(']', ', birthDate]'));
  const wide = await contract();
  const shown = trim(['payroll', '--dry-run']);
  expect(shown.code).toBe(100);
  expect(shown.stdout).toContain('hr.EmployeeCreated: no code reads email, birthDate');
  expect(shown.stdout).toMatch(/^- +select: \[employeeId, name, salaryCents, email, currency, location, birthDate\]\n\+ +select: \[employeeId, name, salaryCents, currency, location\]$/m);
  expect(shown.stdout).toMatch(/next.*contracts gen.*factline replay run/);
  expect(await contract()).toBe(wide);
  expect(trim(['hr']).code).toBe(0);
  expect(await contract()).toBe(wide);
  const done = trim(['--json']);
  expect(done.code).toBe(0);
  expect(JSON.parse(done.stdout)).toMatchObject({ dryRun: false, apps: [{ app: 'hr' }, { app: 'payroll', trimmings: [{ fact: 'hr.EmployeeCreated', fields: ['email', 'birthDate'] }], left: [] }] });
  expect(await contract()).toBe(before);
});

it('leaves no selection empty and no entry without code unsaid', async () => {
  await writeFile(at(CONTRACT), (await contract()).replace('select: [employeeId]', 'select: [lastDay, reason]'));
  const text = await contract();
  const empty = trim([]);
  expect(empty).toMatchObject({ code: 100, stdout: expect.stringMatching(/contracts\.yaml:\d+:\d+ {2}hr\.EmployeeTerminated: nothing that is selected is read \(lastDay, reason\); drop the entry/) as string });
  const fold = at('apps/payroll/src/payees.projection.ts');
  await writeFile(fold, (await readFile(fold, 'utf8')).replaceAll(/EmployeeTerminated\b/g, 'EmployeeMoved'));
  expect(trim([]).stdout).toMatch(/hr\.EmployeeTerminated: no code of payroll uses it; drop the entry/);
  expect(await contract()).toBe(text);
});

it('says what is missing', () => {
  expect(trim(['nobody'])).toMatchObject({ code: 2, stderr: expect.stringContaining('hr, payroll') as string });
  const bare = trim([], ['--import', `data:text/javascript,${encodeURIComponent(WITHOUT_PARSER)}`]);
  expect(bare).toMatchObject({ code: 2, stderr: expect.stringMatching(/trim\.parser-missing[\s\S]*npm install --save-dev oxc-parser/) as string });
});
