import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CLI, ROOT } from './support/root.js';

const SCHEMA = 'schemas/hr/employee/EmployeeCreated.avsc';

let folder: string;
const at = (file: string) => join(folder, file);
const git = (...args: string[]) => execFileSync('git', ['-c', 'user.name=spec', '-c', 'user.email=spec@example.org', ...args], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });

/** The schemas and contracts of this repository and nothing else: no packages, no configuration, no build. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'factline-check-'));
  await cp(resolve(ROOT, 'schemas'), at('schemas'), { recursive: true });
  for (const app of ['hr', 'payroll']) await cp(resolve(ROOT, `apps/${app}/contracts.yaml`), at(`apps/${app}/contracts.yaml`));
  git('init', '--quiet', '--initial-branch=main');
  git('add', '.');
  git('commit', '--quiet', '--message=first');
  git('switch', '--quiet', '--create', 'change');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

function check(...args: string[]): Ended {
  try {
    return { code: 0, stdout: execFileSync(process.execPath, [CLI, 'contracts', ...args], { cwd: folder, encoding: 'utf8', stdio: 'pipe' }), stderr: '' };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    return { code: status, stdout, stderr };
  }
}

interface Field {
  name: string;
  [attribute: string]: unknown;
}

async function change(fields: (fields: Field[]) => Field[]): Promise<void> {
  const schema = JSON.parse(await readFile(at(SCHEMA), 'utf8')) as { fields: Field[] };
  await writeFile(at(SCHEMA), JSON.stringify({ ...schema, fields: fields(schema.fields) }, null, 2));
}

const AGAINST = ['--against', 'git:merge-base(main)'];

it('says nothing of what breaks nobody', async () => {
  expect(check('check', ...AGAINST)).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing breaks') as string });
  await change((fields) => [...fields, { name: 'team', type: ['null', 'string'], default: null }]);
  expect(check('check', ...AGAINST)).toMatchObject({ code: 0, stdout: expect.stringContaining('1 changed') as string });
});

it('names the app, its selection and the way that works, for people and for machines', async () => {
  await change((fields) => fields.filter(({ name }) => name !== 'salaryCents' && name !== 'jobTitle'));
  git('commit', '--quiet', '--all', '--message=second'); // a change that is committed counts as well
  const text = check('check', ...AGAINST);
  expect(text.code).toBe(100);
  expect(text.stdout).toMatch(/EmployeeCreated\.avsc:\d+:\d+ {2}error {2}field-removed {2}hr\.EmployeeCreated\.salaryCents/);
  expect(text.stdout).toMatch(/BREAKS +payroll {2}selects it at apps\/payroll\/contracts\.yaml:6/);
  expect(text.stdout).toMatch(/jobTitle[\s\S]*safe +payroll[\s\S]*No declared consumer is affected/);
  const { code, stdout } = check('check', ...AGAINST, '--json');
  expect(code).toBe(100);
  const { findings } = JSON.parse(stdout) as { findings: { rule: string; field: string; consumers: { app: string; verdict: string }[] }[] };
  expect(findings.map(({ rule, field, consumers }) => [rule, field, consumers[0]?.verdict])).toEqual(
    expect.arrayContaining([['field-removed', 'salaryCents', 'BROKEN'], ['field-removed', 'jobTitle', 'SAFE']]),
  );
});

it('speaks to pull requests and to annotations', async () => {
  await change((fields) => fields.filter(({ name }) => name !== 'salaryCents'));
  const github = check('check', ...AGAINST, '--format', 'github');
  expect(github.code).toBe(100);
  expect(github.stdout).toMatch(/^::error file=schemas\/hr\/employee\/EmployeeCreated\.avsc,line=\d+,col=\d+,title=field-removed::hr\.EmployeeCreated\.salaryCents: .*%0Apayroll BROKEN%0A/m);
  const markdown = check('check', ...AGAINST, '--format', 'markdown');
  expect(markdown.stdout).toMatch(/^### Contracts: 1 errors, 0 warnings$/m);
  expect(markdown.stdout).toMatch(/^\| error \| `field-removed` \| `hr\.EmployeeCreated\.salaryCents` \|.*\*\*payroll\*\* BROKEN \(apps\/payroll\/contracts\.yaml:6\)/m);
  expect(check('check', ...AGAINST, '--format', 'yaml')).toMatchObject({ code: 2, stderr: expect.stringContaining('github') as string });
});

it('needs a base, and says what it found instead', async () => {
  expect(check('check')).toMatchObject({ code: 3, stderr: expect.stringMatching(/origin\/main[\s\S]*There are: .*main/) as string });
  expect(check('check', ...AGAINST, '--schemas', 'contracts')).toMatchObject({ code: 2, stderr: expect.stringContaining('nothing in contracts/') as string });
  expect(check('check', '--against', 'main')).toMatchObject({ code: 2, stderr: expect.stringContaining('git:merge-base(<ref>)') as string });
  await rm(at('.git'), { recursive: true });
  expect(check('check', ...AGAINST)).toMatchObject({ code: 3, stderr: expect.stringContaining('git') as string });
});

it('explains its rules', () => {
  expect(check('explain', 'field-removed')).toMatchObject({ code: 0, stdout: expect.stringContaining('instead') as string });
  expect(check('explain', 'field-removd')).toMatchObject({ code: 2, stderr: expect.stringContaining("no rule 'field-removd'") as string });
});
