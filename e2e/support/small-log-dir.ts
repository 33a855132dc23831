import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { StackPart } from 'factline/stack';
import { fillDisk, smallDisk } from './machine.js';

/** The one log directory of a broker, on a disk of its own that can be filled. */
export interface SmallLogDir {
  /** To the last byte. */
  fill(): void;
  free(): void;
  /** What the broker has said so far. */
  said(): string;
  /** When the broker has stopped; its data are gone then. */
  remove(): void;
}

/** Moves a broker's data there while it is stopped. */
export async function logDirOnSmallDisk(broker: StackPart, bytes: number): Promise<SmallLogDir> {
  const properties = readFileSync(`/proc/${broker.pid}/cmdline`, 'utf8').split('\0').find((argument) => /kafka-\d+\.properties$/.test(argument))!;
  const folder = /^log\.dirs=(.+)$/m.exec(readFileSync(properties, 'utf8'))![1]!;
  await broker.stop();
  const aside = `${folder}-aside`;
  renameSync(folder, aside);
  mkdirSync(folder);
  const unmount = smallDisk(folder, bytes);
  execFileSync('cp', ['-a', '--sparse=always', `${aside}/.`, folder]);
  rmSync(aside, { recursive: true });
  await broker.start();
  const ballast = join(folder, 'ballast');
  return {
    fill: () => fillDisk(ballast),
    free: () => rmSync(ballast, { force: true }),
    said: () => readFileSync(properties.replace(/\.properties$/, '.log'), 'utf8'),
    remove: unmount,
  };
}
