import { type Dirent, type Stats } from 'node:fs';
import { lstat, readFile, readdir } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { messageOf } from 'factline/kernel';
import { declarationError } from '../declaration-error.js';
import { FILES_READ_AT_ONCE } from '../limits.js';

/** Files of a repository at one moment; paths are below its root, with '/'. Declarations are read through this, so that a commit is read as the working tree is. */
export interface FileTree {
  /** What to call it in messages: `working tree`, `git 4f1c2a9 (merge base with origin/main)`. */
  readonly name: string;
  /**
   * Files below a folder ('' for all), sorted by UTF-16 code units. Links, submodules and what lies in node_modules, .git or dist are left out.
   * A folder that is not there has no files: a commit knows no empty folders. @throws FactlineError `declaration.unreadable`
   */
  list(folder: string): Promise<readonly string[]>;
  /** The text of a file, taken as UTF-8. Any number may be asked for at once. @throws FactlineError `declaration.unreadable` */
  read(file: string): Promise<string>;
}

/** Installed, built or git's own: nobody declares anything there, and node_modules alone may hold 100,000 files. */
const LEFT_OUT = new Set(['node_modules', '.git', 'dist']);

/** The files as they are on disk now, committed or not, ignored by git or not. */
export function workingTree(root: string): FileTree {
  return new WorkingTree(root);
}

/** Lets at most FILES_READ_AT_ONCE reads of a tree run, in the order in which they are asked for: a caller may ask for all files of a repository. */
export class ReadTurns {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  async take<T>(read: () => Promise<T>): Promise<T> {
    if (this.#running === FILES_READ_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await read();
    } finally {
      const next = this.#waiting.shift(); // its turn goes over, so that nobody who asks in between gets ahead
      if (next) next();
      else this.#running--;
    }
  }
}

/** `./schemas/` is `schemas`, and `.` is ''. */
export function normalized(folder: string): string {
  return posix.relative('', folder);
}

/** Whether a path goes through a folder that no tree shows. */
export function isLeftOut(file: string): boolean {
  return file.split('/').some((step) => LEFT_OUT.has(step));
}

/** The same error for each kind of tree: it says in which one the file could not be read. */
export function unreadable(file: string, tree: FileTree, cause: unknown, advice = 'Check that it is there and may be read.'): Error {
  return declarationError('declaration.unreadable', { file }, `it cannot be read (${tree.name}): ${messageOf(cause)}`, advice, {}, cause);
}

class WorkingTree implements FileTree {
  readonly name = 'working tree';
  readonly #turns = new ReadTurns();

  constructor(private readonly root: string) {}

  async list(folder: string): Promise<readonly string[]> {
    const from = normalized(folder);
    if (isLeftOut(from) || !(await this.#isFolder(from))) return [];
    const found: string[] = [];
    const open = [from];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      for (const entry of await this.#entries(next)) {
        const path = next === '' ? entry.name : `${next}/${entry.name}`;
        if (entry.isFile()) found.push(path);
        else if (entry.isDirectory()) open.push(path);
      }
    }
    return found.toSorted();
  }

  async read(file: string): Promise<string> {
    try {
      return await this.#turns.take(() => readFile(join(this.root, file), 'utf8'));
    } catch (error) {
      throw unreadable(file, this, error);
    }
  }

  /** A folder behind a link is none, as in a commit; the root itself may be one, since somebody named it. */
  async #isFolder(folder: string): Promise<boolean> {
    const steps = folder.split('/').filter((step) => step !== '');
    for (let depth = 1; depth <= steps.length; depth++) {
      if ((await this.#entry(steps.slice(0, depth).join('/')))?.isDirectory()) continue;
      await this.#entries(''); // no such folder in a root that is there; a wrong root is an error
      return false;
    }
    return true;
  }

  async #entry(path: string): Promise<Stats | undefined> {
    try {
      return await lstat(join(this.root, path));
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
      throw unreadable(path, this, error);
    }
  }

  async #entries(folder: string): Promise<Dirent[]> {
    try {
      const entries = await readdir(join(this.root, folder), { withFileTypes: true });
      return entries.filter((entry) => !LEFT_OUT.has(entry.name));
    } catch (error) {
      throw unreadable(folder === '' ? this.root : folder, this, error, 'Run in the root of the repository, or give the folder.');
    }
  }
}
