/** Elements that were tried one after the other while something ran: what makes a search take longer in a longer list. */
export function searchedBy(run: () => unknown): number {
  const searches = ['some', 'find', 'findIndex', 'includes', 'indexOf'] as const;
  const originals = searches.map((name) => Object.getOwnPropertyDescriptor(Array.prototype, name)!);
  let compared = 0;
  try {
    for (const [at, name] of searches.entries()) {
      const search = originals[at]!.value as (...args: unknown[]) => unknown;
      const counting = function (this: unknown[], ...args: unknown[]): unknown {
        compared += this.length;
        return search.apply(this, args);
      };
      Object.defineProperty(Array.prototype, name, { ...originals[at]!, value: counting });
    }
    run();
  } finally {
    for (const [at, name] of searches.entries()) Object.defineProperty(Array.prototype, name, originals[at]!);
  }
  return compared;
}
