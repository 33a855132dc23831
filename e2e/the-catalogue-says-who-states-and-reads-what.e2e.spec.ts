import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CLI, ROOT } from './support/root.js';

const SCHEMA = 'schemas/hr/employee/EmployeeTerminated.avsc';

let folder: string;
const at = (file: string) => join(folder, file);

/** The schemas and contracts of this repository and nothing else. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'factline-catalogue-'));
  await cp(resolve(ROOT, 'schemas'), at('schemas'), { recursive: true });
  for (const app of ['hr', 'payroll']) await cp(resolve(ROOT, `apps/${app}/contracts.yaml`), at(`apps/${app}/contracts.yaml`));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function catalogue(...args: string[]): { code: number; stdout: string; stderr: string } {
  try {
    return { code: 0, stdout: execFileSync(process.execPath, [CLI, 'contracts', 'catalogue', ...args], { cwd: folder, encoding: 'utf8', stdio: 'pipe' }), stderr: '' };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    return { code: status, stdout, stderr };
  }
}

it('writes pages, the graph and a document for each app, and says when they are out of date', async () => {
  expect(catalogue('--check')).toMatchObject({ code: 2, stderr: expect.stringMatching(/docs\/catalogue\/index\.html[^]*factline contracts catalogue/) as string });
  const written = catalogue();
  expect(written).toMatchObject({ code: 0, stdout: expect.stringContaining('written    docs/catalogue/facts/hr.EmployeeTerminated.html') as string });
  expect(catalogue('--check')).toMatchObject({ code: 0, stdout: expect.stringContaining('up to date') as string });
  expect(await readFile(at('docs/catalogue/apps/payroll.html'), 'utf8')).toContain('Whom no longer to pay; nothing about them is kept.');
  const document = JSON.parse(await readFile(at('docs/catalogue/apps/payroll.asyncapi.json'), 'utf8')) as { operations: object };
  expect(Object.keys(document.operations)).toContain('receive.hr.EmployeeTerminated');
  const schema = JSON.parse(await readFile(at(SCHEMA), 'utf8')) as { doc: string };
  await writeFile(at(SCHEMA), JSON.stringify({ ...schema, doc: 'Somebody left.' }));
  const drifted = catalogue('--check', '--json');
  expect(drifted.code).toBe(2);
  const { error, details } = JSON.parse(drifted.stderr) as { error: string; details: { files: string[] } };
  expect(error).toBe('catalogue.drift');
  expect(details.files).toEqual(expect.arrayContaining(['docs/catalogue/catalogue.json', 'docs/catalogue/facts/hr.EmployeeTerminated.html', 'docs/catalogue/apps/hr.asyncapi.json']));
  expect(details.files).not.toContain('docs/catalogue/facts/hr.EmployeeMoved.html');
});

it('goes where it is told', async () => {
  const { files } = JSON.parse(catalogue('--out', 'public', '--json').stdout) as { files: { file: string; changed: boolean }[] };
  expect(files).toContainEqual({ file: 'public/index.html', changed: true });
  expect(catalogue('--out', 'public', '--env', 'prod')).toMatchObject({ code: 2, stderr: expect.stringContaining("nothing says what 'prod' runs") as string });
});
