import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ROOT } from './support/root.js';

interface Block {
  page: string;
  from: string;
  code: string;
}

/** Code in a guide behind `<!-- from: file -->` is code of that file. */
function blocksOf(page: string, text: string): Block[] {
  return [...text.matchAll(/<!-- from: (\S+) -->\n```\w+\n([\s\S]*?)```\n/g)].map(([, from, code]) => ({ page, from: from!, code: code! }));
}

function strange(blocks: readonly Block[]): string[] {
  return blocks.flatMap(({ page, from, code }) => (readFileSync(resolve(ROOT, from), 'utf8').includes(code) ? [] : [`${page}: not in ${from}: ${code}`]));
}

const blocks = globSync('docs/**/*.md', { cwd: ROOT }).flatMap((page) => blocksOf(page, readFileSync(resolve(ROOT, page), 'utf8')));

it('code that a guide takes from a spec stands in that spec', () => {
  expect(blocks.length).toBeGreaterThan(0);
  expect(strange(blocks)).toEqual([]);
});

it('control: code that was changed in the guide alone is found', () => {
  const [first] = blocks;
  expect(strange([{ ...first!, code: `${first!.code}!` }])).toHaveLength(1);
});
