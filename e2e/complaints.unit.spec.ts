import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type RowOfTests, missingTests, testsIn } from './support/named-tests.js';
import { ROOT } from './support/root.js';

interface Row extends RowOfTests {
  reported: readonly string[];
}

function rowsOf(page: string): Row[] {
  return [...page.matchAll(/^\| (C\d+) \| (?:.+) \| (.+) \| (?:.+) \| (.+) \|$/gm)].map(([, number, reported, tests]) => ({
    number: number!,
    reported: reported!.split(', '),
    tests: testsIn(tests!),
  }));
}

const rows = rowsOf(readFileSync(resolve(ROOT, 'docs/reference/complaints.md'), 'utf8'));

it('every complaint has its row, where it was reported, and tests that are there', () => {
  expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 19 }, (_each, at) => `C${at + 1}`));
  expect(rows.flatMap(({ reported }) => reported).filter((reference) => !/^[\w.-]+\/[\w.-]+#\d+$/.test(reference))).toEqual([]);
  expect(missingTests(rows)).toEqual([]);
});

it('control: a test that was renamed and a file that is gone are found', () => {
  const [first] = rows;
  const { file, name } = first!.tests[0]!;
  expect(missingTests([{ ...first!, tests: [{ file, name: `${name} any more` }] }, { ...first!, tests: [{ file: 'e2e/gone.e2e.spec.ts', name }] }])).toEqual([`C1 ${file}: ${name} any more`, 'C1 e2e/gone.e2e.spec.ts']);
});
