import { FactlineError } from 'factline/kernel';
import { sorted } from '../sorted.js';
import { Git, type ObjectReader } from './git-process.js';
import { incomplete, noMergeBase, notARepository, unknownRevision } from './git-faults.js';
import { type FileTree, ReadTurns, isLeftOut, normalized, unreadable } from './tree.js';

/** The files of a commit. */
export interface CommitTree extends FileTree {
  /** Its full id. */
  readonly commit: string;
  /** Ends the process that reads; needed once anything was read. A later read would start another. */
  close(): Promise<void>;
}

/**
 * The commit that a folder's HEAD and a ref last had in common: what a branch is compared with, however far the ref has moved on. Of several (after merges both ways) git's first.
 * Only the repository at hand is asked, never the network. @returns the full id.
 * @throws FactlineError (unavailable) `git.missing`, `git.not-a-repository`, `git.unknown-ref`, `git.shallow`, `git.unrelated`, `git.failed`; (invalid) `git.ref-invalid`.
 */
export async function mergeBase(root: string, ref: string): Promise<string> {
  const git = await repositoryAt(root);
  const theirs = await commitOf(git, ref);
  const ours = await commitOf(git, 'HEAD');
  const { code, output, words } = await git.run('merge-base', ours, theirs);
  if (code === 0) return output.trim();
  throw code === 1 ? await noMergeBase(git, ref) : git.failure('merge-base', new Error(words));
}

/** The full id of the commit that a revision names now. @throws FactlineError as `commitTree` does. */
export async function resolveCommit(root: string, revision: string): Promise<string> {
  return commitOf(await repositoryAt(root), revision);
}

/**
 * The files of a commit below a folder of its repository: of all of it when `root` is its top. Contents are as git stores them, without filters and line end conversion.
 * The list is read now and kept, about 100 bytes a file; contents are read when asked for.
 * @param meaning said in the tree's name: `merge base with origin/main`. Default: the revision, unless it is an id.
 * @throws FactlineError (unavailable) `git.missing`, `git.not-a-repository`, `git.unknown-ref`, `git.incomplete`, `git.failed`; (invalid) `git.ref-invalid`.
 */
export async function commitTree(root: string, revision: string, meaning?: string): Promise<CommitTree> {
  const git = await repositoryAt(root);
  const commit = await commitOf(git, revision);
  const label = meaning ?? (commit.startsWith(revision) ? '' : revision);
  const name = `git ${shortId(commit)}${label && ` (${label})`}`;
  const { code, output, words } = await git.run('ls-tree', '-r', '-z', commit);
  if (code !== 0) throw await incomplete(git, name, words);
  return new StoredTree(git, name, commit, filesIn(output));
}

/** An id as messages give it, in seven characters as git's own do. */
export function shortId(commit: string): string {
  return commit.slice(0, 7);
}

async function repositoryAt(root: string): Promise<Git> {
  const git = new Git(root);
  const { code, output, words } = await git.run('rev-parse', '--is-inside-work-tree');
  if (code === 0 && output.trim() === 'true') return git;
  throw notARepository(root, words);
}

async function commitOf(git: Git, revision: string): Promise<string> {
  if (revision === '' || revision.startsWith('-') || revision.includes('\0')) {
    throw new FactlineError({
      code: 'git.ref-invalid',
      kind: 'invalid',
      message: `'${revision}' cannot name a commit.`,
      advice: 'Give a branch, a tag or a commit id; none of them begins with a dash.',
      details: { ref: revision },
    });
  }
  const { code, output } = await git.run('rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`);
  if (code === 0 && /^[0-9a-f]+$/.test(output.trim())) return output.trim(); // `^main` is answered too, and means "not main"
  throw await unknownRevision(git, revision);
}

/** Of `ls-tree -r -z`: `<mode> <type> <id>\t<path>\0`, paths as they are, relative to the folder git runs in. Links (120000) and submodules (160000) are no files. */
function filesIn(output: string): ReadonlyMap<string, string> {
  const entries = output.split('\0').map((entry) => /^100\d{3} blob (\w+)\t([^]+)$/.exec(entry));
  const files = entries.flatMap((entry) => (entry && !isLeftOut(entry[2]!) ? [[entry[2]!, entry[1]!] as const] : []));
  return new Map(sorted(files, ([file]) => file));
}

class StoredTree implements CommitTree {
  #objects: ObjectReader | undefined;
  readonly #turns = new ReadTurns();

  constructor(
    private readonly git: Git,
    readonly name: string,
    readonly commit: string,
    private readonly idOf: ReadonlyMap<string, string>,
  ) {}

  async list(folder: string): Promise<readonly string[]> {
    const from = normalized(folder);
    return [...this.idOf.keys()].filter((file) => from === '' || file.startsWith(`${from}/`));
  }

  async read(file: string): Promise<string> {
    const id = this.idOf.get(file);
    if (id === undefined) throw unreadable(file, this, new Error('the commit holds no such file'));
    const content = await this.#turns.take(() => (this.#objects ??= this.git.objects()).read(id)).catch(async (error: Error) => {
      throw await incomplete(this.git, this.name, error.message, error);
    });
    if (content === undefined) throw await incomplete(this.git, this.name, `${id} (${file}) is not there`);
    return content.toString('utf8');
  }

  async close(): Promise<void> {
    const objects = this.#objects;
    this.#objects = undefined;
    await objects?.end();
  }
}
