import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { CLI, ROOT } from './support/root.js';

const SCHEMA = 'schemas/hr/employee/EmployeeCreated.avsc';
const ACCEPTED = 'schemas/accepted.yaml';
const CONTRACT = 'apps/payroll/contracts.yaml';
const AGAINST = ['--against', 'git:merge-base(main)'];
const DAY_MS = 86_400_000;

let folder: string;
const at = (file: string) => join(folder, file);
const git = (...args: string[]) => execFileSync('git', ['-c', 'user.name=spec', '-c', 'user.email=spec@example.org', ...args], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
const daysFromNow = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 'YYYY-MM-DD'.length);

/** The schemas and contracts of this repository and nothing else: what was registered or accepted there is not looked at. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'factline-accept-'));
  await cp(resolve(ROOT, 'schemas'), at('schemas'), { recursive: true, filter: (file) => !['registry.lock.json', basename(ACCEPTED)].includes(basename(file)) });
  for (const app of ['hr', 'payroll']) await cp(resolve(ROOT, `apps/${app}/contracts.yaml`), at(`apps/${app}/contracts.yaml`));
  git('init', '--quiet', '--initial-branch=main');
  git('add', '.');
  git('commit', '--quiet', '--message=first');
  git('switch', '--quiet', '--create', 'change');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function contracts(...args: string[]): { code: number; stdout: string; stderr: string } {
  try {
    return { code: 0, stdout: execFileSync(process.execPath, [CLI, 'contracts', ...args], { cwd: folder, encoding: 'utf8', stdio: 'pipe' }), stderr: '' };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    return { code: status, stdout, stderr };
  }
}

const accept = (field: string, ...more: string[]) =>
  contracts('accept', 'field-removed', 'hr.EmployeeCreated', '--field', field, '--reason', 'payroll is told another way', '--until', daysFromNow(30), '--by', 'lea', ...AGAINST, ...more);

interface Field {
  name: string;
  [attribute: string]: unknown;
}

async function change(fields: (fields: Field[]) => Field[]): Promise<void> {
  const schema = JSON.parse(await readFile(at(SCHEMA), 'utf8')) as { fields: Field[] };
  await writeFile(at(SCHEMA), JSON.stringify({ ...schema, fields: fields(schema.fields) }, null, 2));
}

const edit = async (file: string, from: string | RegExp, to: string) => writeFile(at(file), (await readFile(at(file), 'utf8')).replace(from, to));
const withoutSalary = (fields: Field[]) => fields.filter(({ name }) => name !== 'salaryCents');

it('passes, and is told with the one who answers for it', async () => {
  await change(withoutSalary);
  expect(contracts('check', ...AGAINST)).toMatchObject({ code: 100, stdout: expect.stringMatching(/field-removed[\s\S]*1 errors, 0 warnings/) as string });
  expect(accept('salaryCents')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^written {2}schemas\/accepted\.yaml:1 .* from [0-9a-f]{16} to [0-9a-f]{16}, affecting payroll\n/) as string });
  const { code, stdout } = contracts('check', ...AGAINST);
  expect(stdout).toMatch(new RegExp(`field-removed[\\s\\S]*BREAKS +payroll[\\s\\S]*accepted +until ${daysFromNow(30)} by lea: payroll is told another way`));
  expect(code).toBe(0);
  expect(JSON.parse(contracts('check', ...AGAINST, '--json').stdout)).toMatchObject({ findings: [{ rule: 'field-removed', accepted: { approvedBy: 'lea' } }] });
});

it('counts again when either schema is another', async () => {
  await change(withoutSalary);
  expect(accept('salaryCents').code).toBe(0);
  await change((fields) => fields.map((field) => (field.name === 'jobTitle' ? { ...field, doc: 'Title on the door.' } : field)));
  expect(contracts('check', ...AGAINST)).toMatchObject({ code: 100, stdout: expect.stringMatching(/acceptance-unused[\s\S]*It accepts the schema/) as string });
  expect(accept('salaryCents').code).toBe(0);
  expect(contracts('check', ...AGAINST).stdout).toMatch(/accepted +until[\s\S]*acceptance-unused|acceptance-unused[\s\S]*accepted +until/);
});

it('counts again when its time is over, and the entry is named', async () => {
  await change(withoutSalary);
  expect(accept('salaryCents').code).toBe(0);
  await edit(ACCEPTED, /until: .*/, `until: ${daysFromNow(-1)}`);
  const { code, stdout } = contracts('check', ...AGAINST);
  expect(code).toBe(100);
  expect(stdout).toMatch(/schemas\/accepted\.yaml:1:3 +warning +acceptance-expired +hr\.EmployeeCreated\.salaryCents/);
  expect(stdout).toMatch(/1 errors, 1 warnings/);
});

it('has done its work after the merge, and is in nobody’s way', async () => {
  await change(withoutSalary);
  await edit(CONTRACT, 'name, salaryCents, currency', 'name, currency');
  expect(accept('salaryCents').code).toBe(0);
  git('add', '.');
  git('commit', '--quiet', '--message=merged');
  git('branch', '--force', 'main', 'change');
  expect(contracts('check', ...AGAINST)).toMatchObject({ code: 0, stdout: expect.stringMatching(/info +acceptance-unused[\s\S]*has done its work/) as string });
});

it('accepts nothing that is not found, twice, for ever, or with an entry that says less than all', async () => {
  await change(withoutSalary);
  expect(accept('salary')).toMatchObject({ code: 2, stderr: expect.stringMatching(/nothing to accept[\s\S]*field-removed --field 'salaryCents'/) as string });
  expect(accept('salaryCents', '--until', daysFromNow(500))).toMatchObject({ code: 2, stderr: expect.stringContaining('Write a day from') as string });
  expect(accept('salaryCents').code).toBe(0);
  expect(accept('salaryCents')).toMatchObject({ code: 1, stderr: expect.stringContaining('schemas/accepted.yaml:1 already') as string });
  await edit(ACCEPTED, 'approvedBy', 'approvdBy');
  expect(contracts('check', ...AGAINST)).toMatchObject({ code: 2, stderr: expect.stringMatching(/accepted\.yaml at \$\[0\]\.approvdBy[\s\S]*Did you mean 'approvedBy'\?/) as string });
});

it('is not needed for personal data that an app may read: that is granted', async () => {
  await change((fields) => fields.map((field) => (field.name === 'location' ? { ...field, 'confluent:tags': ['WHEREABOUTS'] } : field)));
  const { code, stdout } = contracts('check', ...AGAINST);
  expect(code).toBe(100);
  expect(stdout).toMatch(/EmployeeCreated\.avsc:\d+:\d+ +error +tag-not-granted +hr\.EmployeeCreated\.location\n +The tag WHEREABOUTS is new, and payroll reads/);
  await edit(CONTRACT, 'grants: [PII]', 'grants: [PII, WHEREABOUTS]');
  expect(contracts('check', ...AGAINST)).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing breaks') as string });
  await edit(CONTRACT, 'select: [employeeId, name, salaryCents, currency, location]', 'select: [employeeId, name, salaryCents, currency]');
  expect(contracts('check', ...AGAINST)).toMatchObject({ code: 100, stdout: expect.stringMatching(/apps\/payroll\/contracts\.yaml:8:\d+ +warning +grant-unused/) as string });
});
