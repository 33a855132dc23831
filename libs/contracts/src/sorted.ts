/** By UTF-16 code units, whatever the language of the machine: what is generated is the same everywhere. */
export function byText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Items in the order of their texts; those with the same text stay in theirs. */
export function sorted<T>(items: Iterable<T>, textOf: (item: T) => string): T[] {
  return [...items].toSorted((one, other) => byText(textOf(one), textOf(other)));
}
