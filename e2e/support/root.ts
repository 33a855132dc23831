import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root: the nearest folder above this file with a lockfile, whether this runs from the source or from dist. */
export const ROOT = above(dirname(fileURLToPath(import.meta.url)));

/** The compiled command line. */
export const CLI = resolve(ROOT, 'dist/apps/cli/src/main.js');

function above(folder: string): string {
  if (existsSync(resolve(folder, 'package-lock.json'))) return folder;
  return above(dirname(folder));
}
