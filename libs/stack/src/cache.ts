import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { INSTALL_LOCK_DEADLINE_MS } from './limits.js';
import { withLock } from './lock.js';
import { type ProgressListener, reported } from './progress.js';

const BYTES_PER_MB = 1_000_000;
/** Folder of the scratch space whose growth is the progress of a download. */
const DOWNLOADS = 'repository';

export interface Package {
  /** Folder name in the cache, with the version. */
  readonly name: string;
  /** For people: `Apache Kafka 4.3.1`. */
  readonly title: string;
  /** What filling it downloads, measured once, for the progress line. */
  readonly aboutMb: number;
  /** Puts the content into the empty folder `target`; downloads go to `repository` inside `scratch`, which is deleted. */
  fill(target: string, scratch: string): Promise<void>;
}

/**
 * The package's folder, filled once for all processes. It appears complete, by a rename: an interrupted download never counts as done
 * and is deleted by the next one.
 */
export async function installed(cache: string, wanted: Package, listener: ProgressListener): Promise<string> {
  const home = join(cache, wanted.name);
  if (existsSync(home)) return home;
  return await withLock(join(cache, 'locks', `${wanted.name}.lock`), INSTALL_LOCK_DEADLINE_MS, async () => {
    if (existsSync(home)) return home;
    const partials = join(cache, 'partial', wanted.name);
    await removeIfQuiet(partials);
    const attempt = join(partials, randomUUID());
    const [target, scratch] = [join(attempt, 'target'), join(attempt, 'scratch')];
    await mkdir(target, { recursive: true });
    await mkdir(scratch, { recursive: true });
    const howFar = async () => `${Math.round((await bytesIn(join(scratch, DOWNLOADS))) / BYTES_PER_MB)} of about ${wanted.aboutMb} MB`;
    try {
      await reported(listener, `download ${wanted.title}`, () => wanted.fill(target, scratch), howFar);
      await rename(target, home).catch((error: NodeJS.ErrnoException) => {
        if (!['EEXIST', 'ENOTEMPTY'].includes(error.code ?? '')) throw error; // the other process's copy is as good
      });
    } finally {
      await rm(attempt, { recursive: true, force: true });
      await removeIfQuiet(partials);
    }
    return home;
  });
}

/** The download of a killed process goes on for a while and writes behind the deletion; what it leaves is deleted by a later start. */
async function removeIfQuiet(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY') throw error;
  });
}

/** Files come and go while they are counted. */
async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    entries.filter((entry) => entry.isFile()).map((entry) => stat(join(entry.parentPath, entry.name)).then((found) => found.size, () => 0)),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
