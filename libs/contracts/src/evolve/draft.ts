import { type Node, type Pair, isMap, isNode, isPair, isScalar, isSeq } from 'yaml';
import { FactlineError } from 'factline/kernel';
import { yamlDocument } from '../yaml-document.js';
import { type Span, spanOf, spansWithout } from './spans.js';

/** A piece of a text that is taken out, and what stands there instead. Offsets count in the text as it was. */
export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/**
 * A JSON or YAML file that is changed in places, and nowhere else: indentation, order of keys, line ends and everything that is not touched stay as they are.
 * What is put in is written as its neighbours are: on a line of its own where they are, with the indentation found there.
 * Paths are JSON paths: `$.fields[3].type`.
 */
export class Draft {
  readonly #edits: Edit[] = [];
  readonly #root: unknown;
  readonly #lineEnd: string;
  readonly #unit: string;
  readonly #inlineLists: boolean;

  constructor(
    readonly file: string,
    readonly before: string,
  ) {
    this.#root = yamlDocument(before).document.contents; // JSON is YAML, and yaml says where each value begins and ends
    this.#lineEnd = before.includes('\r\n') ? '\r\n' : '\n';
    this.#unit = /^[ \t]+(?=\S)/m.exec(before)?.[0] ?? '  ';
    this.#inlineLists = /\[[^[\]{}\n]*[^[\]{}\s][^[\]{}\n]*\]/.test(before);
  }

  /** In the order of their places. */
  get edits(): readonly Edit[] {
    return this.#edits.toSorted((one, other) => one.from - other.from);
  }

  get after(): string {
    return applied(this.before, this.edits);
  }

  /** Puts another text in the place of a text; quotes stay as they are. */
  replaceText(path: string, text: string): void {
    const { from, to } = this.#span(path);
    const quoted = /^["']/.test(this.before.slice(from, to)) ? 1 : 0;
    this.#edits.push({ from: from + quoted, to: to - quoted, text });
  }

  /** Takes another text for the whole: the only change of this draft, and as small as the difference is. */
  rewrite(text: string): void {
    const { before } = this;
    const most = Math.min(before.length, text.length);
    let head = 0;
    while (head < most && before[head] === text[head]) head++;
    let tail = 0;
    while (tail < most - head && before.at(-1 - tail) === text.at(-1 - tail)) tail++;
    this.#edits.length = 0;
    if (head < before.length || head < text.length) this.#edits.push({ from: head, to: before.length - tail, text: text.slice(head, text.length - tail) });
  }

  /** Adds a key to an object: before another key, or else at the end. */
  addMember(path: string, key: string, value: unknown, before?: string): void {
    const pairs = this.#pairs(path);
    const next = before === undefined ? undefined : pairs.findLast(({ key: node }) => keyOf(node) === before);
    const anchor = next ? spanOf(next.key) : spanOf(pairs.at(-1)!.value);
    const beside = next ? anchor : spanOf(pairs.at(-1)!.key);
    const indent = this.#indentBefore(beside.from);
    const member = `${JSON.stringify(key)}${this.#colon(pairs)}${indent === undefined ? this.#onOneLine(value, this.#colon(pairs)) : this.#onLines(value, indent)}`;
    const separator = indent === undefined ? ' ' : this.#lineEnd + indent;
    this.#edits.push(next ? { from: anchor.from, to: anchor.from, text: `${member},${separator}` } : { from: anchor.to, to: anchor.to, text: `,${separator}${member}` });
  }

  /** Adds an item to a list, behind another one and written as that is: JSON, or a block or flow list of YAML. */
  addItemAfter(path: string, value: unknown): void {
    const { from, to } = this.#span(path);
    const indent = this.#indentBefore(from);
    const bullet = /(^|\n)([ \t]*- +)$/.exec(this.before.slice(0, from))?.[2];
    if (bullet !== undefined) {
      const end = this.before.slice(to).search(/\r?\n|$/) + to;
      this.#edits.push({ from: end, to: end, text: `${this.#lineEnd}${bullet}${String(value)}` });
      return;
    }
    const neighbour = this.before.slice(from, to);
    const plain = typeof value === 'string' && !/^["']/.test(neighbour);
    const written = plain ? value : neighbour.includes('\n') && indent !== undefined ? this.#onLines(value, indent) : this.#onOneLine(value, /^\{\s*"(?:[^"\\]|\\.)*"(\s*:\s*)/.exec(neighbour)?.[1] ?? ': ');
    this.#edits.push({ from: to, to, text: `,${indent === undefined ? ' ' : this.#lineEnd + indent}${written}` });
  }

  /**
   * Takes items out of a list, a line that holds nothing else with its comment; items in a row go as one. @returns false, and nothing is changed, for what is no list
   * there (an alias), for all of its items, and for an item of a block list that shares its line.
   */
  removeItems(path: string, indexes: readonly number[]): boolean {
    const list = this.#find(path);
    if (!isSeq(list) || indexes.length >= list.items.length) return false;
    const spans = spansWithout(this.before, list, new Set(indexes));
    if (!spans) return false;
    this.#edits.push(...spans.map(({ from, to }) => ({ from, to, text: '' })));
    return true;
  }

  #node(path: string): Node {
    const node = this.#find(path);
    if (isNode(node)) return node;
    throw new FactlineError({ code: 'evolve.place-unknown', kind: 'internal', message: `${this.file} has nothing at ${path}.`, advice: 'Report it with the file: schemas and their places disagree.' });
  }

  #find(path: string): unknown {
    let node = this.#root;
    for (const [, key, index] of path.matchAll(/\.([^.[\]]+)|\[(\d+)\]/g)) {
      if (key !== undefined && isMap(node)) node = node.items.findLast((pair) => isPair(pair) && keyOf(pair.key) === key)?.value;
      else node = isSeq(node) ? node.items[Number(index)] : undefined;
    }
    return node;
  }

  #span(path: string): Span {
    return spanOf(this.#node(path));
  }

  #pairs(path: string): Pair[] {
    const node = this.#node(path);
    return isMap(node) ? [...node.items] : [];
  }

  /** White space before what is first on its line; undefined when something else is. */
  #indentBefore(offset: number): string | undefined {
    return /(?:^|\n)([ \t]*)$/.exec(this.before.slice(0, offset))?.[1];
  }

  #colon(pairs: readonly Pair[]): string {
    const [first] = pairs;
    return first ? this.before.slice(spanOf(first.key).to, spanOf(first.value).from) : ': ';
  }

  #onOneLine(value: unknown, colon: string): string {
    if (Array.isArray(value)) return `[${value.map((item) => this.#onOneLine(item, colon)).join(', ')}]`;
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    return `{${Object.entries(value).map(([key, part]) => `${JSON.stringify(key)}${colon}${this.#onOneLine(part, colon)}`).join(', ')}}`;
  }

  #onLines(value: unknown, indent: string): string {
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    if (Array.isArray(value) && this.#inlineLists && value.every((item) => typeof item !== 'object' || item === null)) return this.#onOneLine(value, ': ');
    const inner = indent + this.#unit;
    const lines = Array.isArray(value) ? value.map((item) => this.#onLines(item, inner)) : Object.entries(value).map(([key, part]) => `${JSON.stringify(key)}: ${this.#onLines(part, inner)}`);
    const [open, close] = Array.isArray(value) ? '[]' : '{}';
    return `${open}${lines.map((line) => this.#lineEnd + inner + line).join(',')}${this.#lineEnd}${indent}${close}`;
  }
}

/** Edits do not overlap; they are in the order of their places. `offset` is where the text begins in the whole. */
export function applied(text: string, edits: readonly Edit[], offset = 0): string {
  let result = '';
  let at = 0;
  for (const edit of edits) {
    result += text.slice(at, edit.from - offset) + edit.text;
    at = edit.to - offset;
  }
  return result + text.slice(at);
}

function keyOf(node: unknown): string {
  return String(isScalar(node) ? node.value : node);
}
