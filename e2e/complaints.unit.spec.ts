import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ROOT } from './support/root.js';

interface Row {
  number: string;
  reported: readonly string[];
  tests: readonly { file: string; name: string }[];
}

function rowsOf(page: string): Row[] {
  return [...page.matchAll(/^\| (C\d+) \| (?:.+) \| (.+) \| (?:.+) \| (.+) \|$/gm)].map(([, number, reported, tests]) => ({
    number: number!,
    reported: reported!.split(', '),
    tests: tests!.split('<br>').map((test) => {
      const [, file, name] = /^`(.+?)`: (.+)$/.exec(test) ?? [];
      return { file: file ?? test, name: name ?? '' };
    }),
  }));
}

/** What is named and not there: a file, or in it a test or a group of this very name. */
function missing(rows: readonly Row[]): string[] {
  return rows.flatMap(({ number, tests }) =>
    tests.flatMap(({ file, name }) => {
      if (!file.endsWith('.spec.ts') || !existsSync(resolve(ROOT, file))) return [`${number} ${file}`];
      const text = readFileSync(resolve(ROOT, file), 'utf8');
      return ["'", '"', '`'].some((quote) => text.includes(`(${quote}${name}${quote},`)) ? [] : [`${number} ${file}: ${name}`];
    }),
  );
}

const rows = rowsOf(readFileSync(resolve(ROOT, 'docs/reference/complaints.md'), 'utf8'));

it('every complaint has its row, where it was reported, and tests that are there', () => {
  expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 19 }, (_each, at) => `C${at + 1}`));
  expect(rows.flatMap(({ reported }) => reported).filter((reference) => !/^[\w.-]+\/[\w.-]+#\d+$/.test(reference))).toEqual([]);
  expect(missing(rows)).toEqual([]);
});

it('control: a test that was renamed and a file that is gone are found', () => {
  const [first] = rows;
  const { file, name } = first!.tests[0]!;
  expect(missing([{ ...first!, tests: [{ file, name: `${name} any more` }] }, { ...first!, tests: [{ file: 'e2e/gone.e2e.spec.ts', name }] }])).toEqual([`C1 ${file}: ${name} any more`, 'C1 e2e/gone.e2e.spec.ts']);
});
