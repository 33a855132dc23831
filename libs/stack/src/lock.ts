import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FactlineError, pause } from 'factline/kernel';
import { READINESS_POLL_MS } from './limits.js';
import { type ProcessIdentity, isAlive, ownIdentity, thisHost } from './processes.js';

interface Holder extends ProcessIdentity {
  readonly host: string;
}

/**
 * Runs `work` while no other process runs work under the same path. A holder that died is replaced.
 * Two processes that replace the same dead holder at the same instant may both go on, so the work must also be safe without the lock:
 * what is shared appears by a rename. The lock saves double work.
 * @throws FactlineError `stack.locked` (unavailable) when a living holder keeps it past the deadline.
 */
export async function withLock<T>(path: string, deadlineMs: number, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const deadline = performance.now() + deadlineMs;
  while (!(await taken(path))) {
    const holder = await holderOf(path);
    if (holder?.host === thisHost && !isAlive(holder)) await removeStale(path);
    else if (performance.now() > deadline) throw lockedError(path, holder);
    else await pause(READINESS_POLL_MS);
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

/** The file appears with its content (a hard link of a complete one), so nobody reads half a holder. */
async function taken(path: string): Promise<boolean> {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify({ ...ownIdentity(), host: thisHost } satisfies Holder));
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function holderOf(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function removeStale(path: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error; // another process was quicker
  }
  await rm(aside, { force: true });
}

function lockedError(path: string, holder: Holder | undefined): FactlineError {
  return new FactlineError({
    code: 'stack.locked',
    kind: 'unavailable',
    message: `Another process${holder ? ` (pid ${holder.pid} on ${holder.host})` : ''} holds ${path} for too long.`,
    advice: 'Wait for it or end it; if it runs on another machine and is gone, delete the file.',
  });
}
