/** Names below names; one without any below it is a selected field, or a part of a fact that everybody gets. */
type Fields = Map<string, Fields>;

/** Steps to a field, from FACT or EITHER: `[FACT, 'data', 'address', 'city']`. */
export type Path = readonly string[];

/** A value that is a fact, as folds get it. */
export const FACT = 'fact';
/** A value that is a fact or its data, whichever: what a handler of unknown make gets. */
export const EITHER = 'fact or data';

/** Which selected fields of one fact were seen being read. Whatever is not understood counts as read. */
export class ReadFields {
  readonly #known: Fields;
  readonly #read = new Set<Fields>();

  constructor(private readonly selected: readonly string[]) {
    const data: Fields = new Map();
    for (const field of selected) {
      let below = data;
      for (const step of field.split('.')) {
        if (!below.has(step)) below.set(step, new Map());
        below = below.get(step)!;
      }
    }
    const fact: Fields = new Map([['data', data], ...['key', 'meta', 'name'].map((part) => [part, new Map()] as const)]);
    const either: Fields = new Map([...fact, ...data]);
    if (data.has('data')) either.delete('data'); // which of the two it is cannot be told: it counts as everything
    this.#known = new Map([
      [FACT, fact],
      [EITHER, either],
    ]);
  }

  /** Whether there is more than one thing to read below. */
  holdsMore(path: Path): boolean {
    return (this.#at(path)?.size ?? 0) > 0;
  }

  /** What lies below, by name. */
  namesBelow(path: Path): string[] {
    return [...(this.#at(path)?.keys() ?? [])];
  }

  /** All that a path holds is read. A step that no selected field has belongs to the value itself, as `.map` to a list: then all that holds it. */
  read(path: Path): void {
    let at = this.#known;
    for (const step of path) {
      const next = at.get(step);
      if (!next || at.size === 0) break;
      at = next;
    }
    this.#readAll(at);
  }

  unread(): string[] {
    return this.selected.filter((field) => !this.#read.has(this.#at([FACT, 'data', ...field.split('.')])!));
  }

  #readAll(fields: Fields): void {
    if (fields.size === 0) this.#read.add(fields);
    for (const below of fields.values()) this.#readAll(below);
  }

  #at(path: Path): Fields | undefined {
    let at: Fields | undefined = this.#known;
    for (const step of path) at = at?.get(step);
    return at;
  }
}
