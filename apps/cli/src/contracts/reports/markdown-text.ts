import { count } from '../../output.js';

/** Lines behind a title; nothing where there are none. The title is written by us. */
export function folded(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `<details><summary>${title}</summary>`, '', ...lines, '', '</details>'];
}

/** As many lines as fit, then what says how many did not. */
export function within(characters: number, lines: readonly string[], rest: (left: number) => string[]): string[] {
  let used = 0;
  const end = lines.findIndex((line) => (used += line.length + 1) > characters);
  return end === -1 ? [...lines] : [...lines.slice(0, end), ...rest(lines.length - end)];
}

/** Names of which the rest is counted. */
export function atMost(most: number, names: readonly string[]): string[] {
  return names.length <= most ? [...names] : [...names.slice(0, most), `and ${count(names.length - most)} more`];
}

/**
 * Text that means nothing in Markdown, HTML or a table. A zero-width space after `@` and `#`: names of people and of issues are looked for after everything is
 * rendered, so no escape keeps a message from calling somebody.
 */
export function inline(value: string): string {
  return value
    .replaceAll(/\s+/g, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_[\]|~]/g, String.raw`\$&`)
    .replaceAll(/[@#](?=\w)/g, '$&\u200b');
}

/** A code span has no escapes: what it cannot hold is written as text. */
export function code(value: string): string {
  return /[`|\\\s]/.test(value) ? inline(value) : `\`${value}\``;
}
