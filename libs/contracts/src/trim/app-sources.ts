import { posix } from 'node:path';
import type { FileTree } from '../trees/tree.js';
import { Source } from './source.js';
import type { Node, Parse } from './syntax.js';

/** JavaScript and TypeScript that runs: no declarations, and no specs, which state facts and read none of their own accord. */
const CODE = /(?<!\.d)\.(?:[cm]?[jt]s|[jt]sx)$/;
const SPEC = /(?:^|\/)__tests__\/|\.(?:spec|test)(?:\.support)?\.[cm]?[jt]sx?$/;
const GENERATED = /(?:^|\/)contracts\.generated(?:\.[cm]?[jt]s)?$/;

/** Whether a text names the generated file, as imports do. */
export function namesGenerated(module: string): boolean {
  return GENERATED.test(module);
}

/** The code of one app: each file is read once, and parsed when something in it is looked for. */
export class AppSources {
  readonly #parsed = new Map<string, Source | undefined>();

  private constructor(
    private readonly texts: ReadonlyMap<string, string>,
    private readonly parse: Parse,
  ) {}

  static async of(tree: FileTree, folder: string, parse: Parse): Promise<AppSources> {
    const files = (await tree.list(folder)).filter((file) => CODE.test(file) && !SPEC.test(file) && !namesGenerated(file));
    const texts = await Promise.all(files.map((file) => tree.read(file)));
    return new AppSources(new Map(files.map((file, at) => [file, texts[at]!])), parse);
  }

  /** Files whose text holds a word, in comments too; undefined in place of one that has errors of syntax. */
  holding(word: string): { readonly file: string; readonly source: Source | undefined }[] {
    return [...this.texts].filter(([, text]) => text.includes(word)).map(([file]) => ({ file, source: this.#open(file) }));
  }

  /** The function that a name in a file stands for, there or in the file of this app that it is imported from. */
  function(source: Source, name: string): { source: Source; node: Node } | undefined {
    const here = source.functionNamed(name);
    if (here) return { source, node: here };
    const imported = source.importNamed(name);
    if (!imported?.module.startsWith('.')) return undefined;
    const there = this.#open(this.#fileOf(posix.join(posix.dirname(source.file), imported.module)) ?? '');
    const node = there?.functionNamed(imported.name);
    return there && node && { source: there, node };
  }

  /** `./folds.js` is written as `folds.ts`. */
  #fileOf(path: string): string | undefined {
    const stem = path.replace(/\.[cm]?jsx?$/, '');
    return [path, ...['ts', 'tsx', 'mts', 'cts', 'js'].flatMap((ending) => [`${stem}.${ending}`, `${stem}/index.${ending}`])].find((file) => this.texts.has(file));
  }

  #open(file: string): Source | undefined {
    if (!this.#parsed.has(file)) {
      const text = this.texts.get(file);
      const program = text === undefined ? undefined : this.parse(file, text);
      this.#parsed.set(file, program && new Source(file, text!, program));
    }
    return this.#parsed.get(file);
  }
}
