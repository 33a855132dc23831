import { join, posix } from 'node:path';
import type { Command } from 'commander';
import { workingTree } from 'factline/contracts/check';
import { replaceFile } from 'factline/contracts/evolve';
import { type Pulled, pullLock, readLock } from 'factline/contracts/lock';
import { FactlineError } from 'factline/kernel';
import { EXIT_CODES, count } from '../output.js';
import { type RegistryCommandOptions, type RegistryTask, registryCommand } from './registry.js';

interface PullCommandOptions extends RegistryCommandOptions {
  check?: boolean;
  replace?: boolean;
}

/** `factline contracts pull`: the registry's versions into the lock file, so that checks are exact without it. */
export function pullCommand(contracts: Command): void {
  const command = contracts
    .command('pull')
    .option('--check', 'write nothing; exit code 100 when the lock file would change')
    .option('--replace', 'also when the registry contradicts the lock file: it is that of this registry from now on');
  registryCommand<PullCommandOptions>(command, 'write every registered version of the declared facts into the lock file', pull);
}

async function pull({ output, options, root, registry, facts }: RegistryTask<PullCommandOptions>): Promise<number> {
  const file = posix.join(options.schemas, 'registry.lock.json');
  const before = await lockBefore(root, options);
  const pulled = await pullLock(registry, { subjects: facts.map(({ factName }) => factName), before, only: options.owner !== undefined });
  const { changed, news, contradictions, leftOut, subjects, versions } = pulled;
  const written = changed && !options.check;
  if (written && contradictions.length > 0 && !options.replace) throw contradicted(file, registry.address, contradictions);
  if (written) await replaceFile(join(root, file), pulled.text);
  const end = changed ? (options.check ? output.paint('would change', 'yellow') : output.paint('written', 'green')) : 'up to date';
  output.print(
    { version: 1, file, registry: registry.address, changed, written, subjects, versions, news, contradictions, leftOut },
    ...leftOut.map(({ subject, why }) => `left out   ${subject}: ${why}`),
    ...contradictions.map((what) => `${output.paint('gone', 'red')}       ${what}`),
    ...news.map(newsLine),
    `${file}: ${count(subjects)} subjects, ${count(versions)} versions; ${end}`,
  );
  return changed && options.check ? EXIT_CODES['findings']! : 0;
}

/** Who replaces the file may do so when it cannot be read any more. */
async function lockBefore(root: string, { schemas, replace }: PullCommandOptions): ReturnType<typeof readLock> {
  try {
    return await readLock(workingTree(root), schemas);
  } catch (error) {
    if (replace && error instanceof FactlineError && error.code.startsWith('lock.')) return undefined;
    throw error;
  }
}

function newsLine({ subject, level, version, id }: Pulled['news'][number]): string {
  return version === undefined ? `level      ${subject}: ${level ?? 'that of all subjects'}` : `new        ${subject} version ${version} (id ${id})`;
}

const SHOWN = 3;

function contradicted(file: string, address: string, contradictions: readonly string[]): FactlineError {
  const more = contradictions.length - SHOWN;
  return new FactlineError({
    code: 'lock.contradicted',
    kind: 'conflict',
    message: `${address} is not the registry of ${file}, or lost something: ${contradictions.slice(0, SHOWN).join('; ')}${more > 0 ? `; and ${more} more` : ''}.`,
    advice: 'A lock file is of one registry. Pull from that one; if it is to be of this one from now on: --replace.',
    details: { file, contradictions },
  });
}
