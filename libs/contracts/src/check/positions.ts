import { type Node, type Pair, isAlias, isMap, isNode, isPair, isScalar, isSeq } from 'yaml';
import { pointerTo } from '../compatibility/schema-error.js';
import { yamlDocument } from '../yaml-document.js';

/** A place in a text, as editors count: both from 1, columns in UTF-16 code units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Where the values of a JSON or YAML text stand, by JSON pointer (RFC 6901): '' is the whole, `/fields/2/type`, `~1` for '/' and `~0` for '~' in a key. */
export interface Positions {
  /** Of a value; of the nearest value around it when there is none. Undefined only when the text holds nothing at all. */
  at(pointer: string): Position | undefined;
  /** Of the key that holds the value; as `at` where there is no key: an item of a list, the whole, something that is not there. */
  keyAt(pointer: string): Position | undefined;
  /** The pointer of a path as errors give it in `details.path`: `$.fields[2].type` is `/fields/2/type`. The text decides what is one key: `$.subjects.hr.EmployeeCreated`. */
  pointerOf(path: string): string;
}

/**
 * Reads JSON as the YAML 1.2 that it is. The text need not be valid: what could be read has a place. Of a key that is written twice the last one counts, as for JSON.parse.
 * Linear in the text, about 1 MB a second: ask for files of which something is to be said, not for all. A lookup costs the depth of the pointer.
 */
export function positionsOf(text: string): Positions {
  return new DocumentPositions(text);
}

interface Found {
  readonly node: Node;
  readonly pair: Pair | undefined;
}

interface Step {
  readonly key: string;
  readonly rest: string;
}

/** Takes an index or a key off a path; of several ways to end the key, the longest that the keys know. */
function firstStep(path: string, keys: ReadonlyMap<string, Pair> | undefined): Step {
  const index = /^\[(\d+)\]\.?/.exec(path);
  if (index) return { key: index[1]!, rest: path.slice(index[0].length) };
  const ends = [...path.matchAll(/(?!^)[.[]/g)].map((match) => match.index).concat(path.length);
  const end = ends.findLast((each) => keys?.has(path.slice(0, each))) ?? ends[0]!;
  return { key: path.slice(0, end), rest: path.slice(end).replace(/^\./, '') };
}

class DocumentPositions implements Positions {
  readonly #lines;
  readonly #document;
  readonly #keys = new Map<Node, ReadonlyMap<string, Pair>>();

  constructor(text: string) {
    const { document, lines } = yamlDocument(text);
    this.#document = document;
    this.#lines = lines;
  }

  at(pointer: string): Position | undefined {
    const found = this.#find(pointer);
    return found && this.#position(found.node);
  }

  keyAt(pointer: string): Position | undefined {
    const found = this.#find(pointer);
    return found && this.#position(isNode(found.pair?.key) ? found.pair.key : found.node);
  }

  pointerOf(path: string): string {
    let pointer = '';
    let node: Node | undefined = isNode(this.#document.contents) ? this.#document.contents : undefined;
    for (let rest = path.replace(/^\$\.?/, ''); rest !== ''; ) {
      const step: Step = firstStep(rest, node && this.#keysOf(node));
      pointer = pointerTo(pointer, step.key);
      node = node && this.#step(node, step.key)?.node;
      rest = step.rest;
    }
    return pointer;
  }

  /** The value, or the last one on the way to it; with the pair that holds it when it is the value itself. */
  #find(pointer: string): Found | undefined {
    if (!isNode(this.#document.contents)) return undefined;
    let found: Found = { node: this.#document.contents, pair: undefined };
    for (const step of pointer.split('/').slice(1)) {
      const next = this.#step(found.node, step.replaceAll('~1', '/').replaceAll('~0', '~'));
      if (!next) return { node: found.node, pair: undefined };
      found = next;
    }
    return found;
  }

  #step(from: Node, key: string): Found | undefined {
    const node = isAlias(from) ? from.resolve(this.#document) : from;
    if (isSeq(node)) {
      const item = /^(0|[1-9]\d*)$/.test(key) ? node.items[Number(key)] : undefined;
      return isNode(item) ? { node: item, pair: undefined } : undefined;
    }
    const pair = node && this.#keysOf(node)?.get(key);
    const value = isNode(pair?.value) ? pair.value : pair?.key;
    return isNode(value) ? { node: value, pair } : undefined;
  }

  /** A map's pairs by key; kept, so that many lookups in a wide map stay linear together. */
  #keysOf(from: Node): ReadonlyMap<string, Pair> | undefined {
    const node = isAlias(from) ? from.resolve(this.#document) : from;
    if (!isMap(node)) return undefined;
    let keys = this.#keys.get(node);
    if (!keys) this.#keys.set(node, (keys = new Map(node.items.filter((item) => isPair(item)).map((pair) => [String(isScalar(pair.key) ? pair.key.value : pair.key), pair]))));
    return keys;
  }

  #position(node: Node): Position | undefined {
    if (!node.range) return undefined;
    const { line, col } = this.#lines.linePos(node.range[0]);
    return { line, column: col };
  }
}
