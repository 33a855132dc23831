import { execFileSync } from 'node:child_process';
import { chownSync, cpSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StackPart } from 'factline/stack';
import { fillDisk, smallDisk } from './machine.js';

/** The data folder of a Postgres that runs, as its command line says. */
function dataFolder({ pid }: StackPart): string {
  const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  return args[args.indexOf('-D') + 1]!;
}

/** A disk for the write-ahead log alone, as large servers have one, and small enough to be filled. */
export interface SmallWal {
  /** To the last byte. */
  fill(): void;
  free(): void;
  /** When the server has stopped. */
  remove(): void;
}

/** Moves the server's log there while it is stopped. */
export async function walOnSmallDisk(postgres: StackPart, bytes: number): Promise<SmallWal> {
  const wal = join(dataFolder(postgres), 'pg_wal');
  await postgres.stop();
  const folder = mkdtempSync(join(tmpdir(), 'factline-wal-'));
  const unmount = smallDisk(folder, bytes);
  const { uid, gid } = statSync(wal);
  cpSync(wal, folder, { recursive: true });
  rmSync(wal, { recursive: true });
  symlinkSync(folder, wal);
  execFileSync('chown', ['-R', `${uid}:${gid}`, folder]);
  chownSync(folder, uid, gid);
  await postgres.start();
  const ballast = join(folder, 'ballast');
  return {
    fill: () => fillDisk(ballast),
    free: () => rmSync(ballast),
    remove: () => {
      unmount();
      rmSync(folder, { recursive: true });
    },
  };
}
