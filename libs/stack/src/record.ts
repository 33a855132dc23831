import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StackAddresses } from './env.js';
import { type ProcessIdentity, isAlive, thisHost } from './processes.js';

export type PartKind = 'kafka' | 'registry' | 'postgres';

/** How a part is started, again and again, on the same port and data. */
export interface Launch {
  readonly kind: PartKind;
  /** `kafka-1`, `registry`, `postgres`: also the name of its log file. */
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly user?: { readonly uid: number; readonly gid: number };
  readonly log: string;
  /** What is asked whether it serves: `host:port`, or the registry's URL. */
  readonly address: string;
}

/** What is written down about a running stack, so that another process can see it, stop it, or clean up after its owner was killed. */
export interface StackRecord {
  readonly id: string;
  readonly host: string;
  readonly owner: ProcessIdentity;
  readonly detached: boolean;
  readonly folder: string;
  readonly startedAt: string;
  /** Set once everything serves. */
  addresses?: StackAddresses;
  parts: { readonly launch: Launch; process?: ProcessIdentity }[];
}

const SUFFIX = '.json';

function recordsFolder(cache: string): string {
  return join(cache, 'stacks');
}

/** Synchronous, so that nothing happens between a process's start and its record. Readable by the owner only: it holds a password. */
export function writeRecord(cache: string, record: StackRecord): void {
  const file = join(recordsFolder(cache), `${record.id}${SUFFIX}`);
  mkdirSync(recordsFolder(cache), { recursive: true });
  writeFileSync(`${file}.draft`, JSON.stringify(record, undefined, 2), { mode: 0o600 });
  renameSync(`${file}.draft`, file);
}

export function readRecords(cache: string): StackRecord[] {
  let names: string[];
  try {
    names = readdirSync(recordsFolder(cache)).filter((name) => name.endsWith(SUFFIX));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return names.flatMap((name) => readRecord(cache, name.slice(0, -SUFFIX.length)) ?? []);
}

export function readRecord(cache: string, id: string): StackRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(recordsFolder(cache), `${id}${SUFFIX}`), 'utf8')) as StackRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export function deleteRecord(cache: string, record: StackRecord): void {
  rmSync(join(recordsFolder(cache), `${record.id}${SUFFIX}`), { force: true });
}

/**
 * Whether nobody answers for the stack any more: its owner died without stopping it or, if it is detached, before it served;
 * or it is detached and all its processes are gone (a restart of the machine). Records of another host that shares the cache are never orphans here.
 */
export function isOrphan(record: StackRecord, alive: (identity: ProcessIdentity) => boolean = isAlive, host: string = thisHost): boolean {
  if (record.host !== host || alive(record.owner)) return false;
  return !record.detached || !record.addresses || !record.parts.some((part) => part.process && alive(part.process));
}
