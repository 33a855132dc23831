import { FactlineError } from 'factline/kernel';

/** Where in a file something is declared: `path` is its JSON path, `$.consumes[0].select[2]`. */
export interface Location {
  readonly file: string;
  readonly path: string;
}

/** A fault in a file under schemas/ or in a contracts.yaml: which file, where in it, what to write instead. */
export function declarationError(
  code: string,
  at: Pick<Location, 'file'> & Partial<Location>,
  message: string,
  advice: string,
  details: Record<string, unknown> = {},
  cause?: unknown,
): FactlineError {
  const place = at.path ? `${at.file} at ${at.path}` : at.file;
  return new FactlineError({ code, kind: 'configuration', message: `${place}: ${message}`, advice, details: { ...at, ...details }, cause });
}

/** Time goes with the product of both lengths, and names come from files that anyone may have written: two of 100,000 characters would take a minute. */
const LONGEST_COMPARED = 100;

/** The candidate most like the word, when at most a third of the word differs (Levenshtein distance, case ignored). */
function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > LONGEST_COMPARED) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.ceil(word.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** `Did you mean 'x'?`, or the fallback when nothing is near. */
export function suggestion(word: string, candidates: Iterable<string>, fallback: string): string {
  const near = nearest(word, candidates);
  return near === undefined ? fallback : `Did you mean '${near}'?`;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
