import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { copySchemasOfHr } from './support/declarations.js';
import { CLI, ROOT } from './support/root.js';
import { type Meanings, asSaid, plainly, shownIn, wordsOf } from './support/shown.js';

const SCHEMA = 'schemas/hr/employee/EmployeeMoved.avsc';
const PAYROLL = 'apps/payroll/contracts.yaml';
const DAY = 86_400_000;
const day = (distance: number) => new Date(Date.now() + distance * DAY).toISOString().slice(0, 10);

let folder: string;
const at = (file: string) => join(folder, file);
const read = (file: string) => readFile(at(file), 'utf8');
const git = (...args: string[]) => execFileSync('git', ['-c', 'user.name=spec', '-c', 'user.email=spec@example.org', ...args], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
const commit = () => git('commit', '--quiet', '--all', '--allow-empty', '--message=change');

/** The schemas and contracts of hr and payroll and nothing else. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'factline-evolve-'));
  copySchemasOfHr(at('schemas'), { lock: true });
  for (const app of ['hr', 'payroll']) {
    await cp(resolve(ROOT, `apps/${app}/contracts.yaml`), at(`apps/${app}/contracts.yaml`));
    await mkdir(at(`apps/${app}/src`));
  }
  git('init', '--quiet', '--initial-branch=main');
  git('add', '.');
  commit();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  code: number;
  output: string;
}

function run(program: string, args: readonly string[], input = ''): Ended {
  try {
    return { code: 0, output: execFileSync(program, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe', input }) };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    return { code: status, output: stdout + stderr };
  }
}

const contracts = (...args: string[]) => run(process.execPath, [CLI, 'contracts', ...args]);

interface Found {
  rule: string;
  severity: string;
  field: string;
  message: string;
  place: { file: string; line: number };
}

/** What is said of EmployeeMoved against the last commit; style and the like are left out. */
function findings(): string[] {
  const { output } = contracts('check', '--against', 'git:HEAD', '--json');
  const { findings: all } = JSON.parse(output) as { findings: Found[] };
  return all.filter(({ rule }) => /deprecat|removed|consumer-|selects-/.test(rule)).map(({ severity, rule, field }) => `${severity} ${rule} ${field}`).toSorted();
}

async function edit(file: string, from: string | RegExp, to: string): Promise<void> {
  const text = await read(file);
  const edited = text.replace(from, to);
  expect(edited).not.toBe(text);
  await writeFile(at(file), edited);
}

/** As if the day had come: both dates in the past. */
async function letTimePass(): Promise<void> {
  await edit(SCHEMA, new RegExp(day(60)), day(-1));
  await edit(SCHEMA, new RegExp(day(0)), day(-61));
}

const selectInstead = (from: string, to: string) => edit(PAYROLL, `select: [employeeId, location, ${from}]`, `select: [employeeId, location, ${to}]`);

async function removeCurrency(): Promise<void> {
  const schema = JSON.parse(await read(SCHEMA)) as { fields: { name: string }[] };
  await writeFile(at(SCHEMA), `${JSON.stringify({ ...schema, fields: schema.fields.filter(({ name }) => name !== 'currency') }, null, 2)}\n`);
}

const RENAME = ['rename', 'hr.EmployeeMoved.currency', 'salaryCurrency', '--sunset', day(60)];

it('from the announcement to the removal', async () => {
  const first = await read(SCHEMA);
  const dry = contracts(...RENAME, '--dry-run');
  expect(await read(SCHEMA)).toBe(first);
  expect(run('git', ['apply', '--check', '-'], dry.output)).toMatchObject({ code: 0 });

  const line = (await read(PAYROLL)).split('\n').indexOf('    select: [employeeId, location, salaryCents, currency]') + 1;
  const { code, output } = contracts(...RENAME);
  expect({ code, output }).toMatchObject({ code: 0, output: expect.stringMatching(/changed +schemas\/hr\/employee\/EmployeeMoved\.avsc[\s\S]*hr states both/) as string });
  expect(output).toContain(`${PAYROLL}:${line}  payroll selects currency, which is deprecated since ${day(0)}, to be removed from ${day(60)} on; use salaryCurrency instead.`);
  expect(git('diff', '--numstat').trim().split('\n')).toEqual([`14\t0\t${SCHEMA}`]);
  expect(findings()).toEqual(['warning selects-deprecated currency']);
  expect(contracts('gen').code).toBe(0);
  commit();

  await selectInstead('salaryCents, currency', 'salaryCents, currency, salaryCurrency'); // facts stated before have the old one alone
  expect(findings()).toEqual(['warning selects-deprecated currency']);
  commit();
  await selectInstead('salaryCents, currency, salaryCurrency', 'salaryCents, salaryCurrency');
  expect(findings()).toEqual([]);
  commit();
  const second = await read(SCHEMA);

  await removeCurrency();
  expect(findings()).toEqual(['error removed-before-sunset currency']); // nobody selects it, and the day has not come
  git('checkout', '--quiet', '.');

  await letTimePass();
  commit();
  await removeCurrency();
  expect(findings()).toEqual([]);
  const third = await read(SCHEMA);

  const meta = JSON.parse(await read('schemas/factline/Meta.avsc')) as unknown;
  const bundled = [first, second, third].map((text) => JSON.parse(text.replace('"factline.Meta"', JSON.stringify(meta))) as unknown);
  const pairs = bundled.flatMap((reader, one) => bundled.map((writer, other) => JSON.stringify({ id: `${one}${other}`, reader, writer })));
  const answers = run(process.execPath, [CLI, 'contracts', 'compat'], `${pairs.join('\n')}\n`).output.trim().split('\n');
  expect(answers.map((answer) => JSON.parse(answer) as { compatible: boolean }).filter(({ compatible }) => compatible)).toHaveLength(9);
});

it('control: past the date, with an app that still selects it, and without any announcement', async () => {
  contracts(...RENAME);
  await letTimePass();
  commit();
  expect(findings()).toEqual(['error selects-deprecated currency']);
  await removeCurrency();
  expect(findings()).toEqual(expect.arrayContaining(['error removed-while-selected currency']));
  git('reset', '--quiet', '--hard', 'HEAD~1');
  await removeCurrency();
  expect(findings()).toEqual(expect.arrayContaining(['warning removed-without-deprecation currency']));
});

it('the editor and the linter of a consumer strike through what is deprecated', async () => {
  contracts(...RENAME);
  await selectInstead('salaryCents, currency', 'salaryCents, currency, salaryCurrency');
  expect(contracts('gen').code).toBe(0);
  await mkdir(at('node_modules'));
  await symlink(ROOT, at('node_modules/factline'));
  for (const linter of ['oxlint-tsgolint', '@oxlint-tsgolint', '.bin']) await symlink(resolve(ROOT, 'node_modules', linter), at(`node_modules/${linter}`));
  await writeFile(at('tsconfig.json'), JSON.stringify({ compilerOptions: { module: 'nodenext', target: 'es2023', strict: true, skipLibCheck: true, types: [] }, include: ['apps'] }));
  await writeFile(at('.oxlintrc.json'), JSON.stringify({ plugins: ['typescript'], categories: { correctness: 'off' }, rules: { 'typescript/no-deprecated': 'error' }, ignorePatterns: ['**/*.generated.ts'] }));
  await writeFile(at('package.json'), '{"type": "module"}');
  const lint = async (body: string): Promise<Ended> => {
    await writeFile(at('apps/payroll/src/fold.ts'), `import type { EmployeeMovedSelection } from './contracts.generated.js';\n\nexport const fold = (data: EmployeeMovedSelection): unknown => ${body};\n`);
    return run(process.execPath, [resolve(ROOT, 'node_modules/oxlint/bin/oxlint'), '--type-aware', 'apps/payroll/src/fold.ts']);
  };
  expect(await lint('data.salaryCurrency')).toMatchObject({ code: 0 });
  const struck = await lint('data.currency');
  expect(struck.code).toBe(1);
  expect(struck.output).toMatch(/no-deprecated[\s\S]*use salaryCurrency instead/);
});

it('says what is wrong with the call, and what to do', () => {
  expect(contracts('deprecate', 'hr.EmployeeMoved.currenzy', '--sunset', day(60))).toMatchObject({ code: 2, output: expect.stringMatching(/no field 'currenzy'[\s\S]*Did you mean 'currency'/) as string });
  expect(contracts('deprecate', 'hr.EmployeeMoved.currency', '--sunset', day(-1))).toMatchObject({ code: 2, output: expect.stringContaining('evolve.sunset') as string });
  expect(contracts('deprecate', 'hr.EmployeeMoved.currency')).toMatchObject({ code: 2, output: expect.stringContaining('--sunset') as string });
  expect(contracts('rename', 'hr.EmployeeMoved.currency', 'pay', '--alias')).toMatchObject({ code: 1, output: expect.stringMatching(/FULL_TRANSITIVE[\s\S]*without notice[\s\S]*leave out --alias/) as string });
  expect(git('status', '--porcelain')).toBe('');
});

/** The page was written on a day that is over; its commands run with days as far away as they were then. */
it('docs/contracts/evolving.md shows what is printed', () => {
  const days: Meanings = [['2026-11-21', day(0)], ['2027-02-01', day(72)], ['2027-06-01', day(192)]];
  const shown = shownIn('docs/contracts/evolving.md');
  expect(shown.length).toBeGreaterThan(4);
  for (const { command, output } of shown) expect(plainly(asSaid(contracts(...wordsOf(command, days)).output, days))).toBe(plainly(output));
});
