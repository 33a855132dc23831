/** A walk that asks for walks below it, and is given what they answer. */
export type Steps<T> = Generator<Steps<T>, T, T>;

/** Runs a walk to its end in constant stack: types refer to each other in chains of any length. */
export function run<T>(start: Steps<T>): T {
  const open = [start];
  let answer: T | undefined;
  for (;;) {
    const { done, value } = open.at(-1)!.next(answer as T);
    if (!done) {
      open.push(value);
      answer = undefined;
      continue;
    }
    open.pop();
    if (open.length === 0) return value;
    answer = value;
  }
}
