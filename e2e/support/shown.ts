import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ROOT } from './root.js';

/** A command that a page of the documentation shows, and what it says is printed. */
export interface Shown {
  readonly command: string;
  readonly output: string;
}

/** What stands on a page for something that is another one here: a day that is over, a commit, an address. */
export type Meanings = readonly (readonly [said: string, here: string])[];

/** Every `$ npx factline contracts ...` of a page, in its order. */
export function shownIn(file: string): Shown[] {
  const page = readFileSync(resolve(ROOT, file), 'utf8');
  return [...page.matchAll(/^```\n\$ npx factline contracts (.*)\n([^]*?)^```$/gm)].map(([, command, output]) => ({ command: command!, output: output! }));
}

/** The words of a command, as a shell would read them. */
export function wordsOf(command: string, meanings: Meanings = []): string[] {
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => {
    const said = quoted ?? word!;
    return meanings.find(([other]) => other === said)?.[1] ?? said;
  });
}

/** What was printed in the words of the page. */
export function asSaid(printed: string, meanings: Meanings): string {
  return meanings.reduce((text, [said, here]) => text.replaceAll(here, said), printed);
}

/** Without what differs from one repository to another: commits, ids of a registry, lines of contracts. */
export function plainly(text: string): string {
  return text
    .replaceAll(/(contracts\.yaml):\d+(:\d+)?/g, '$1')
    .replaceAll(/\b(git|prod) [0-9a-f]{7}\b/g, '$1')
    .replaceAll(/\b[0-9a-f]{40}\b/g, 'commit')
    .replaceAll(/\(id \d+\)/g, '(id)');
}
