import { isMap, isSeq, parseDocument } from 'yaml';

/** A text of keys and values with one more item in the list of a key, everything else as it was. The item is written over several lines where the list is, on one where it is not. */
export function withItem(text: string, key: string, item: { readonly lines: readonly string[]; readonly flow: string }): string {
  const { contents } = parseDocument(text, { logLevel: 'error' });
  const pair = isMap(contents) ? contents.items.find((each) => String(each.key) === key) : undefined;
  const block = (dash: string) => item.lines.map((line, at) => `${at === 0 ? `${dash}- ` : `${dash}  `}${line}\n`).join('');
  const ended = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  const list = pair?.value;
  if (!isSeq(list)) return pair ? spliced(ended, lineEnd(ended, rangeOf(pair.key)[1]), block('  ')) : `${ended}${key}:\n${block('  ')}`;
  const [from, to] = rangeOf(list);
  if (list.flow && list.items.length === 0) {
    const colon = ended.lastIndexOf(':', from) + 1;
    return spliced(ended.slice(0, colon) + ended.slice(to), lineEnd(ended.slice(0, colon) + ended.slice(to), colon), block('  '));
  }
  if (list.flow) return `${ended.slice(0, to - 1).trimEnd()}, ${item.flow}${ended.slice(to - 1)}`;
  const dash = /(?:^|\n)([ \t]*)$/.exec(ended.slice(0, from))?.[1] ?? '  ';
  return spliced(ended, lineEnd(ended, rangeOf(list.items.at(-1))[1]), block(dash));
}

function rangeOf(node: unknown): readonly [number, number] {
  const [from, to] = (node as { range: [number, number, number] }).range;
  return [from, to];
}

/** Where the line ends that this place is on; the end of a value may be the beginning of the next line already. */
function lineEnd(text: string, at: number): number {
  if (at > 0 && text[at - 1] === '\n') return at;
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end + 1;
}

function spliced(text: string, at: number, added: string): string {
  return text.slice(0, at) + added + text.slice(at);
}
