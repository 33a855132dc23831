import { FactlineError } from 'factline/kernel';
import { suggestion } from '../declaration-error.js';
import type { Git } from './git-process.js';

/** How many commits further the advised fetch goes: most branches are younger, and it takes seconds. */
const DEEPEN = 100;
/** Of the refs there are, as many as a person reads. */
const REFS_SHOWN = 10;

export function notARepository(root: string, words: string): FactlineError {
  return new FactlineError({
    code: 'git.not-a-repository',
    kind: 'unavailable',
    retry: false,
    message: `${root || '.'} is not in a working tree of git${words && `: ${words}`}`,
    advice: 'Run in the repository, or give its folder; if git says that it belongs to somebody else: git config --global --add safe.directory <folder>.',
    details: { root },
  });
}

/** A name that was never there, a branch that is deleted, or one that a clone of a single branch left out. */
export async function unknownRevision(git: Git, ref: string): Promise<FactlineError> {
  const refs = lines(await git.output('for-each-ref', '--format=%(refname:lstrip=2)', 'refs/heads', 'refs/remotes', 'refs/tags'));
  const branch = await remoteBranch(git, ref);
  const command = branch && commandLine('fetch', ...((await isShallow(git)) ? [`--deepen=${DEEPEN}`] : []), branch.remote, `+refs/heads/${branch.name}:refs/remotes/${ref}`);
  const known = refs.length === 0 ? 'There is no branch or tag here yet.' : `There are: ${refs.slice(0, REFS_SHOWN).join(', ')}${refs.length > REFS_SHOWN ? `, and ${refs.length - REFS_SHOWN} more` : ''}.`;
  return new FactlineError({
    code: 'git.unknown-ref',
    kind: 'unavailable',
    retry: false,
    message: `'${ref}' names no commit in this repository.`,
    advice: [suggestion(ref, refs, ''), command && `If ${branch.remote} still has the branch: ${command}`, known].filter(Boolean).join('\n'),
    details: { ref, refs: refs.slice(0, REFS_SHOWN), ...(command && { command }) },
  });
}

/** Either the history that would show it is not here, or there is none. */
export async function noMergeBase(git: Git, ref: string): Promise<FactlineError> {
  if (!(await isShallow(git))) {
    return new FactlineError({
      code: 'git.unrelated',
      kind: 'unavailable',
      retry: false,
      message: `HEAD and '${ref}' have no commit in common.`,
      advice: 'Compare with a branch of the same history, or with a commit itself instead of a merge base.',
      details: { ref },
    });
  }
  const branch = await remoteBranch(git, ref);
  const remote = branch?.remote ?? (await remotes(git))[0] ?? 'origin';
  const command = commandLine('fetch', `--deepen=${DEEPEN}`, remote, ...(branch ? [branch.name] : []));
  return new FactlineError({
    code: 'git.shallow',
    kind: 'unavailable',
    retry: false,
    message: `The clone is shallow: the commit that HEAD and '${ref}' have in common is not in it.`,
    advice: `${command}\nrepeat it if that is not enough; ${commandLine('fetch', '--unshallow', remote)} fetches all. In GitHub Actions give actions/checkout fetch-depth: 0.`,
    details: { ref, command },
  });
}

/** A partial clone, or a damaged one: the commit is there, but not all that it holds. */
export async function incomplete(git: Git, tree: string, words: string, cause?: unknown): Promise<FactlineError> {
  const command = commandLine('fetch', '--refetch', '--no-filter', (await remotes(git))[0] ?? 'origin');
  return new FactlineError({
    code: 'git.incomplete',
    kind: 'unavailable',
    retry: false,
    message: `The files of ${tree} are not all in this clone, and nothing is fetched here: ${words}`,
    advice: `If it was cloned with --filter: ${command}`,
    details: { command },
    cause,
  });
}

async function isShallow(git: Git): Promise<boolean> {
  return (await git.output('rev-parse', '--is-shallow-repository')).trim() === 'true';
}

/** `origin/main` as the branch main of origin, if there is such a remote. A remote's name may hold a slash. */
async function remoteBranch(git: Git, ref: string): Promise<{ remote: string; name: string } | undefined> {
  const remote = (await remotes(git)).find((each) => ref.startsWith(`${each}/`) && ref.length > each.length + 1);
  return remote === undefined ? undefined : { remote, name: ref.slice(remote.length + 1) };
}

/** The configured ones, `origin` first, since that is what most commands mean. */
async function remotes(git: Git): Promise<string[]> {
  const { output } = await git.run('config', '--name-only', '--get-regexp', String.raw`^remote\..*\.url$`);
  return lines(output)
    .map((key) => key.slice('remote.'.length, -'.url'.length))
    .toSorted((one, other) => Number(other === 'origin') - Number(one === 'origin'));
}

/** What a person can paste into a shell. */
function commandLine(...words: readonly string[]): string {
  return ['git', ...words].map((word) => (/^[\w@./:+=-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`)).join(' ');
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
