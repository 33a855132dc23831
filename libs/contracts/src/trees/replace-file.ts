import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writes a file, with the folders to it. At once: whoever reads it, and whoever finds it after a crash, sees all of the old text or all of the new one. Of two at once the later one counts. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const next = `${path}.${process.pid}.${(count += 1)}.tmp`;
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(next, text);
    await rename(next, path);
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  }
}

let count = 0;
