import type { Node, YAMLSeq } from 'yaml';

/** A piece of a text: the offset where it begins, and the one behind it. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export function spanOf(node: unknown): Span {
  const [from, to] = (node as Node).range!;
  return { from, to };
}

/**
 * What to take out of a text so that a list loses items: a line that holds nothing else, with its comment; of a line with other items those alone, and a comma each.
 * Items in a row are one piece, so pieces do not overlap. @returns undefined for an item of a block list that shares its line.
 */
export function spansWithout(text: string, { items, flow }: YAMLSeq, gone: ReadonlySet<number>): Span[] | undefined {
  const found: Span[] = [];
  const inRow: number[] = [];
  for (const [at, item] of items.entries()) {
    if (!gone.has(at)) continue;
    const line = wholeLine(text, spanOf(item));
    if (line) found.push(line);
    else inRow.push(at);
  }
  if (inRow.length > 0 && !flow) return undefined;
  return [...found, ...runsOf(inRow).map(([first, last]) => cut(text, items, first, last, gone))];
}

/** The line of an item that is alone on it: `  - field  # why`, or one of a list in brackets that is written an item a line. */
function wholeLine(text: string, { from, to }: Span): Span | undefined {
  const line = { from: beginOfLine(text, from), to: endOfLine(text, to) };
  return /^\s*(?:-\s+)?$/.test(text.slice(line.from, from)) && /^[ \t]*,?[ \t]*(?:#.*)?\r?\n?$/.test(text.slice(to, line.to)) ? line : undefined;
}

/** Items of a list in brackets, with the comma to a neighbour on their line that stays. */
function cut(text: string, items: readonly unknown[], first: number, last: number, gone: ReadonlySet<number>): Span {
  const { from } = spanOf(items[first]);
  const { to } = spanOf(items[last]);
  const next = last + 1 < items.length ? spanOf(items[last + 1]) : undefined;
  const before = first > 0 && !gone.has(first - 1) ? spanOf(items[first - 1]) : undefined;
  if (next && next.from < endOfLine(text, to)) return { from, to: next.from };
  if (before && before.to > beginOfLine(text, from)) return { from: before.to, to };
  return { from, to: next ? text.indexOf(',', to) + 1 : to };
}

/** Numbers that follow each other, by the first and the last of each row. */
function runsOf(numbers: readonly number[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const number of numbers) {
    const run = runs.at(-1);
    if (run && run[1] === number - 1) run[1] = number;
    else runs.push([number, number]);
  }
  return runs;
}

function beginOfLine(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

function endOfLine(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end < 0 ? text.length : end + 1;
}
