/** By UTF-16 code units, whatever the language of the machine: generated files are the same everywhere. */
export function sorted<T>(items: Iterable<T>, keyOf: (item: T) => string): T[] {
  return [...items].toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : keyOf(one) > keyOf(other) ? 1 : 0));
}
