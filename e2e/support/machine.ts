import { execFileSync } from 'node:child_process';
import { accessSync, appendFileSync, constants, existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What fault rows need of the machine; each answers what is missing as a sentence, or undefined. */

export function withoutTool(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(':');
  return folders.some((folder) => existsSync(join(folder, name))) ? undefined : `there is no ${name} here`;
}

/** libfaketime, which gives a process another clock. Where Debian, Fedora and Alpine have it. */
const FAKETIME = ['/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1', '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1', '/usr/lib64/faketime/libfaketimeMT.so.1'].find((file) => existsSync(file));
export const withoutFaketime = FAKETIME ? undefined : 'there is no libfaketime here';

/** A clock of one's own: what is written to the file (`+2d`, `-2d x2`) holds from then on. Monotonic time goes on as it is. */
export function clockFrom(file: string): Record<string, string> {
  return { LD_PRELOAD: FAKETIME!, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}

const writable = (folder: string) => {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
};

type Controller = 'memory' | 'cpu';
const groups: Record<Controller, string> = { memory: '/sys/fs/cgroup/memory', cpu: '/sys/fs/cgroup/cpu' };

export const withoutControlGroup = (controller: Controller): string | undefined =>
  existsSync(join(groups[controller], 'tasks')) && writable(groups[controller]) ? undefined : `control groups (version 1, ${controller}) cannot be made here`;

/** A control group with these limits. `join` is what a shell does to enter it; `remove` once it is empty. */
export function controlGroup(controller: Controller, name: string, limits: Readonly<Record<string, number>>): { join: string; remove(): void } {
  const folder = join(groups[controller], name);
  mkdirSync(folder);
  for (const [limit, value] of Object.entries(limits)) writeFileSync(join(folder, limit), String(value));
  return { join: `echo $$ > ${folder}/cgroup.procs`, remove: () => rmdirSync(folder) };
}

export const withoutMounts = process.getuid?.() === 0 && !withoutTool('mount') ? undefined : 'file systems cannot be mounted here';

/** A file system of so many bytes in an empty folder. @returns what takes it away. */
export function smallDisk(folder: string, bytes: number): () => void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'none', folder]);
  return () => void execFileSync('umount', [folder]);
}

/** Ballast of 64 KiB a time until the disk has room for no more. @throws what is wrong besides. */
export function fillDisk(ballast: string): void {
  try {
    for (;;) appendFileSync(ballast, Buffer.alloc(65_536));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
