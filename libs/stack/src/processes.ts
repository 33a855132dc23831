import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { pause } from 'factline/kernel';
import { COMMAND_DEADLINE_MS, EXIT_DEADLINE_MS, KILL_DEADLINE_MS } from './limits.js';

/** A process that stays itself: a pid alone may belong to another program by now. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the words of the system; only ever compared for equality. */
  readonly startedAt: string;
}

/**
 * When a process started, or undefined when it is gone or a zombie.
 * Linux: boot id and clock ticks since boot, from /proc (stat, field 22; threads: field 20); elsewhere `ps -o lstart`, in whole seconds.
 */
export function startTimeOf(pid: number): string | undefined {
  if (process.platform !== 'linux') {
    const ps = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8', timeout: COMMAND_DEADLINE_MS });
    const line = ps.stdout?.trim() ?? '';
    return line === '' || line.startsWith('Z') ? undefined : line.replace(/^\S+\s+/, '');
  }
  const stat = readIfThere(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the program's name may hold spaces and parentheses
  // a zombie that has threads left is still dying: its files and ports are open
  if (['Z', 'X'].includes(fields[0]!) && Number(fields[17]) <= 1) return undefined;
  return `${readIfThere('/proc/sys/kernel/random/boot_id')?.trim() ?? ''}:${fields[19]}`;
}

export function isAlive(identity: ProcessIdentity): boolean {
  return startTimeOf(identity.pid) === identity.startedAt;
}

/** This process. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, startedAt: startTimeOf(process.pid) ?? '' };
}

/** Records made on another machine (or in another container) that shares the cache say nothing about processes here. */
export const thisHost = hostname();

/** Signals exactly this process; false when it is gone. */
export function signal(identity: ProcessIdentity, name: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  try {
    return process.kill(identity.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** The direct children of a process: Postgres works in them, and they would go on while the parent is stopped. */
export function childrenOf(pid: number): ProcessIdentity[] {
  const pids =
    process.platform === 'linux'
      ? (readIfThere(`/proc/${pid}/task/${pid}/children`) ?? '').trim().split(' ')
      : (spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8', timeout: COMMAND_DEADLINE_MS }).stdout ?? '').trim().split('\n');
  return pids.filter(Boolean).flatMap((each) => {
    const startedAt = startTimeOf(Number(each));
    return startedAt === undefined ? [] : [{ pid: Number(each), startedAt }];
  });
}

/** Signals the process and waits; after `deadlineMs` it is killed. */
export async function endProcess(identity: ProcessIdentity, name: NodeJS.Signals, deadlineMs: number): Promise<void> {
  if (!signal(identity, name) || (await goneWithin(identity, deadlineMs))) return;
  signal(identity, 'SIGKILL');
  await goneWithin(identity, KILL_DEADLINE_MS);
}

export async function goneWithin(identity: ProcessIdentity, deadlineMs: number): Promise<boolean> {
  const deadline = performance.now() + deadlineMs;
  for (let waitMs = 2; isAlive(identity); waitMs = Math.min(waitMs * 2, 50)) {
    if (performance.now() > deadline) return false;
    await pause(waitMs);
  }
  return true;
}

/** The same from an exit handler, where nothing asynchronous runs any more. */
export function goneSync(identities: readonly ProcessIdentity[]): boolean {
  const deadline = performance.now() + EXIT_DEADLINE_MS;
  const cell = new Int32Array(new SharedArrayBuffer(4));
  while (identities.some(isAlive)) {
    if (performance.now() > deadline) return false;
    Atomics.wait(cell, 0, 0, 10);
  }
  return true;
}

export interface CommandResult {
  readonly ok: boolean;
  readonly output: string;
  /** The program itself was not found. */
  readonly absent: boolean;
}

/** Runs a program to its end; both of its outputs in one text. */
export function run(
  file: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; deadlineMs?: number; uid?: number | undefined; gid?: number | undefined } = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    execFile(
      file,
      args,
      {
        env: options.env,
        cwd: options.cwd,
        timeout: options.deadlineMs ?? COMMAND_DEADLINE_MS,
        maxBuffer: 8 << 20,
        ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.gid }),
      },
      (error, stdout, stderr) => {
        const failed = error === null ? '' : `\n${error.message}`;
        resolve({ ok: error === null, output: `${stdout}${stderr}${failed}`, absent: (error as NodeJS.ErrnoException | null)?.code === 'ENOENT' });
      },
    );
  });
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
