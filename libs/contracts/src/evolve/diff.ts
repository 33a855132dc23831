import { type Draft, type Edit, applied } from './draft.js';

/** Lines around a change, as diff and git show them. */
const CONTEXT = 3;

interface Region {
  /** Lines of the old text: the first, and the one behind the last. */
  from: number;
  to: number;
  readonly edits: Edit[];
}

interface Hunk {
  readonly from: number;
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/** A unified diff of one changed file, as `git apply` reads it. It follows the edits, so that it shows what was edited, where another program might show the same otherwise. */
export function diffOf(draft: Draft): string {
  const lines = linesOf(draft.before);
  const hunks = regionsOf(draft, lines).map((region) => hunkOf(region, lines, draft.before));
  const text = joined(hunks, lines);
  return text === '' ? '' : `--- a/${draft.file}\n+++ b/${draft.file}\n${text}`;
}

/** The same of a file that is new. */
export function diffOfNew(file: string, text: string): string {
  const lines = linesOf(text);
  return `--- /dev/null\n+++ b/${file}\n@@ -0,0 +1,${lines.length} @@\n${lines.map((line) => shown('+', line)).join('')}`;
}

/** With their line ends. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function regionsOf(draft: Draft, lines: readonly string[]): Region[] {
  const ends: number[] = [];
  let length = 0;
  for (const line of lines) ends.push((length += line.length));
  const regions: Region[] = [];
  let at = 0;
  for (const edit of draft.edits) {
    while (at < ends.length - 1 && ends[at]! <= edit.from) at++;
    const from = at;
    while (at < ends.length - 1 && ends[at]! < edit.to) at++;
    const last = regions.at(-1);
    if (last && from < last.to) {
      last.edits.push(edit);
      last.to = Math.max(last.to, at + 1);
    } else regions.push({ from, to: at + 1, edits: [edit] });
  }
  return regions;
}

/** Lines at both ends that the edits left as they were are not part of the change. */
function hunkOf({ from, to, edits }: Region, lines: readonly string[], text: string): Hunk {
  const offset = lines.slice(0, from).join('').length;
  const old = lines.slice(from, to);
  const now = linesOf(applied(text.slice(offset, offset + old.join('').length), edits, offset));
  let head = 0;
  while (head < old.length && old[head] === now[head]) head++;
  let tail = 0;
  while (tail < old.length - head && tail < now.length - head && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail++;
  return { from: from + head, removed: old.slice(head, old.length - tail), added: now.slice(head, now.length - tail) };
}

/** Changes whose surroundings touch share a header. */
function joined(hunks: readonly Hunk[], lines: readonly string[]): string {
  let shift = 0;
  let text = '';
  for (let first = 0, last = 0; first < hunks.length; first = last) {
    last = first + 1;
    while (last < hunks.length && hunks[last]!.from - endOf(hunks[last - 1]!) <= 2 * CONTEXT) last++;
    const group = hunks.slice(first, last);
    const from = Math.max(0, group[0]!.from - CONTEXT);
    const to = Math.min(lines.length, endOf(group.at(-1)!) + CONTEXT);
    const grown = group.reduce((sum, { added, removed }) => sum + added.length - removed.length, 0);
    text += `@@ -${from + 1},${to - from} +${from + 1 + shift},${to - from + grown} @@\n`;
    let at = from;
    for (const hunk of group) {
      text += lines.slice(at, hunk.from).map((line) => shown(' ', line)).join('');
      text += hunk.removed.map((line) => shown('-', line)).join('') + hunk.added.map((line) => shown('+', line)).join('');
      at = endOf(hunk);
    }
    text += lines.slice(at, to).map((line) => shown(' ', line)).join('');
    shift += grown;
  }
  return text;
}

function endOf({ from, removed }: Hunk): number {
  return from + removed.length;
}

function shown(mark: string, line: string): string {
  return line.endsWith('\n') ? mark + line : `${mark}${line}\n\\ No newline at end of file\n`;
}
