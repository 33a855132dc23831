import { join } from 'node:path';
import type { Finding } from './finding.js';
import { readLandscape } from './landscape.js';
import { STYLE_RULES } from './rules/style.js';
import { styleFindings } from './style.js';
import { workingTree } from '../trees/tree.js';

const FOLDERS = { schemas: 'schemas', apps: 'apps' };
const here = workingTree(join(import.meta.dirname, '../../../..'));

/** What is said of this repository when some of its files read otherwise. */
async function style(replaced: Record<string, string> = {}): Promise<readonly Finding[]> {
  return styleFindings(await readLandscape({ ...here, name: here.name, list: (folder) => here.list(folder), read: async (file) => replaced[file] ?? here.read(file) }, FOLDERS));
}

it('this repository keeps its rules', async () => {
  expect(await style()).toEqual([]);
});

describe('docs/contracts/style.md', () => {
  const page = here.read('docs/contracts/style.md');
  const block = async (language: string): Promise<string> => new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(await page)![1]!;

  it('names each rule once, with its level when it is not a warning', async () => {
    const rows = [...(await page).matchAll(/^\| `(.+?)` \| .*?(?:\((error|info)\))? \|$/gm)].map(([, rule, level = 'warning']) => [rule, level]);
    expect(rows).toEqual(Object.entries(STYLE_RULES).map(([rule, { severity }]) => [rule, severity]));
  });

  it('shows what is said, and settings after which it is not', async () => {
    const file = 'schemas/hr/employee/EmployeeTerminated.avsc';
    const schema = JSON.parse(await here.read(file)) as { fields: unknown[] };
    schema.fields.push(JSON.parse(await block('json')));
    const changed = { [file]: JSON.stringify(schema, null, 2) };
    const text = (await style(changed)).map(({ place, severity, rule, fact, field, message }) => `${place.file}:${place.line}:${place.column}  ${severity}  ${rule}  ${fact}.${field}\n  ${message}\n`);
    expect(text.join('')).toBe(await block('text'));
    expect(await style({ ...changed, 'schemas/contracts.config.yaml': await block('yaml') })).toEqual([]);
  });
});
