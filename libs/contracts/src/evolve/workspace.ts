import { dirname, join } from 'node:path';
import { FactlineError } from 'factline/kernel';
import { sorted } from '../sorted.js';
import { replaceFile } from '../trees/replace-file.js';
import { type FileTree, workingTree } from '../trees/tree.js';
import { Draft } from './draft.js';
import { diffOf, diffOfNew } from './diff.js';

/** A file as it shall be; `before` is undefined when it is new. */
export interface FileChange {
  readonly file: string;
  readonly before: string | undefined;
  readonly after: string;
}

/**
 * The files of a repository with changes that are not written yet. As a tree it shows them changed. Each file is read once, so that everything is computed from the
 * same texts; `write` refuses when one of the changed files is another by then.
 */
export class Workspace implements FileTree {
  readonly name = 'working tree';
  readonly #tree: FileTree;
  readonly #texts = new Map<string, string>();
  readonly #drafts = new Map<string, Draft>();
  readonly #created = new Map<string, string>();

  constructor(private readonly root: string) {
    this.#tree = workingTree(root);
  }

  async list(folder: string): Promise<readonly string[]> {
    const created = [...this.#created.keys()].filter((file) => folder === '' || file.startsWith(`${folder}/`));
    return [...(await this.#tree.list(folder)), ...created].toSorted();
  }

  async read(file: string): Promise<string> {
    return this.#created.get(file) ?? this.#drafts.get(file)?.after ?? this.#original(file);
  }

  /** The file to make changes in. */
  async draft(file: string): Promise<Draft> {
    const draft = this.#drafts.get(file) ?? new Draft(file, await this.#original(file));
    this.#drafts.set(file, draft);
    return draft;
  }

  /** @throws FactlineError `evolve.exists` (conflict) */
  async create(file: string, text: string): Promise<void> {
    if ((await this.list(dirname(file))).includes(file)) throw exists(file);
    this.#created.set(file, text);
  }

  /** The whole text of a file, whether it is there already or not. */
  async put(file: string, text: string): Promise<void> {
    if (!this.#created.has(file) && (await this.#tree.list(dirname(file))).includes(file)) (await this.draft(file)).rewrite(text);
    else this.#created.set(file, text);
  }

  /** Sorted by file. */
  get changes(): readonly FileChange[] {
    const edited = [...this.#drafts.values()].filter(({ edits }) => edits.length > 0).map(({ file, before, after }) => ({ file, before, after }));
    const created = [...this.#created].map(([file, after]) => ({ file, before: undefined, after }));
    return sorted([...edited, ...created], ({ file }) => file);
  }

  /** Unified, as `git apply` and `patch -p1` read it. */
  diff(): string {
    return this.changes.map(({ file, before, after }) => (before === undefined ? diffOfNew(file, after) : diffOf(this.#drafts.get(file)!))).join('');
  }

  /** File by file, each at once: a crash in between leaves some as they were. @throws FactlineError `evolve.changed-meanwhile`, `evolve.exists` (conflict): nothing was written then. */
  async write(): Promise<void> {
    const now = workingTree(this.root);
    const stale: string[] = [];
    for (const { file, before } of this.changes) {
      if (before !== undefined && (await now.read(file)) !== before) stale.push(file);
      if (before === undefined && (await now.list(dirname(file))).includes(file)) throw exists(file);
    }
    if (stale.length > 0) {
      throw new FactlineError({
        code: 'evolve.changed-meanwhile',
        kind: 'conflict',
        message: `${stale.join(', ')} changed while this was computed; nothing was written.`,
        advice: 'Run the command again: it starts from the files as they are.',
        details: { files: stale },
      });
    }
    for (const { file, after } of this.changes) await replaceFile(join(this.root, file), after);
  }

  async #original(file: string): Promise<string> {
    let text = this.#texts.get(file);
    if (text === undefined) this.#texts.set(file, (text = await this.#tree.read(file)));
    return text;
  }
}

function exists(file: string): FactlineError {
  return new FactlineError({ code: 'evolve.exists', kind: 'conflict', message: `${file} is there already; nothing was written.`, advice: 'Go on with that file, or remove it first.', details: { file } });
}
