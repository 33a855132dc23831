import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';

/*
 * What no check can do without: a process that reads every file of a repository of declarations and parses its JSON and YAML, and does nothing else.
 */
const root = process.argv[2]!;
for (const folder of ['schemas', 'apps', 'deployments']) {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  await Promise.all(
    entries.filter((entry) => entry.isFile()).map(async ({ parentPath, name }) => {
      const text = await readFile(join(parentPath, name), 'utf8');
      if (/\.(avsc|json)$/.test(name)) JSON.parse(text);
      else if (name.endsWith('.yaml')) parse(text);
    }),
  );
}
