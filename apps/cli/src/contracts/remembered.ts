import { createHash } from 'node:crypto';
import { readFile, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FileTree } from 'factline/contracts/check';
import { replaceFile } from 'factline/contracts/evolve';
import { version } from '../version.js';

/** Below node_modules, where every repository ignores it and a clean install drops it. */
const FOLDER = ['node_modules', '.cache', 'factline'];
/** What a check reads of the apps: contracts, and code for fields that nobody reads. */
const READ_OF_APPS = /(^|\/)contracts\.yaml$|\.[cm]?[jt]sx?$/;

export interface Inputs {
  readonly root: string;
  readonly tree: FileTree;
  readonly folders: { readonly schemas: string; readonly apps: string };
  /** Whatever else the answer depends on, as text. */
  readonly also: readonly string[];
}

/**
 * Answers what was answered the last time, when nothing it depends on has changed since: the text of every schema, contract and source file, the commits that are compared
 * with, the day, whether the parser of code is installed, and this program itself. 300 fact types in 10 versions take seconds to judge and a fraction of one to hash. One answer is kept for each way of asking, in
 * node_modules/.cache/factline; without a node_modules folder nothing is kept.
 */
export async function remembered<T extends object>(inputs: Inputs, name: string, work: () => Promise<T>): Promise<T> {
  if (!(await isFolder(join(inputs.root, FOLDER[0]!)))) return work();
  const file = join(inputs.root, ...FOLDER, `${digest([name])}.json`);
  const key = await keyOf(inputs);
  const known = await readAnswer<T>(file, key);
  if (known) return known;
  const answer = await work();
  await keep(file, { key, answer });
  return answer;
}

async function keyOf({ tree, folders, also }: Inputs): Promise<string> {
  const files = [...(await tree.list(folders.schemas)), ...(await tree.list(folders.apps)).filter((file) => READ_OF_APPS.test(file))];
  const texts = await Promise.all(files.map((file) => tree.read(file)));
  return digest([version, await ownCode(), parser(), ...also, ...files.flatMap((file, at) => [file, texts[at]!])]);
}

/** With it a check also finds what no code reads. */
function parser(): string {
  try {
    return import.meta.resolve('oxc-parser');
  } catch {
    return 'not installed';
  }
}

/** A version number does not change while somebody works on the program. */
async function ownCode(): Promise<string> {
  const folder = dirname(dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url))))));
  const code = (await readdir(join(folder, 'libs', 'contracts'), { recursive: true })).filter((file) => /\.[jt]s$/.test(file)).toSorted();
  const stats = await Promise.all(code.map((file) => stat(join(folder, 'libs', 'contracts', file))));
  return digest(code.flatMap((file, at) => [file, String(stats[at]!.size), String(stats[at]!.mtimeMs)]));
}

async function readAnswer<T>(file: string, key: string): Promise<T | undefined> {
  try {
    const kept = JSON.parse(await readFile(file, 'utf8')) as { key: string; answer: T };
    return kept.key === key ? kept.answer : undefined;
  } catch {
    return undefined; // not there, or a crash left half of it: then it is worked out
  }
}

/** A second one at the same time writes the same. */
async function keep(file: string, content: object): Promise<void> {
  try {
    await replaceFile(file, JSON.stringify(content));
  } catch (error) {
    process.stderr.write(`The result is not kept for the next time: ${(error as Error).message}\n`);
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then((found) => found.isDirectory(), () => false);
}

function digest(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)} `).update(part);
  return hash.digest('hex').slice(0, 32);
}
