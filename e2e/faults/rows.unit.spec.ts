import { readFileSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { needing, slow } from '../support/fault-rows.js';
import { type RowOfTests, missingTests, testsIn } from '../support/named-tests.js';
import { ROOT } from '../support/root.js';

const FOLDER = 'e2e/faults';

/** `| A7 | fault | what happens | tests |` */
function rowsOf(page: string): RowOfTests[] {
  return [...page.matchAll(/^\| ([A-FH]\d+) \| (?:.+) \| (?:.+) \| (.+) \|$/gm)].map(([, number, tests]) => ({ number: number!, tests: testsIn(tests!) }));
}

/** The tests of the fault suite that are named by a row: `slow('A11 ...',`, `it('A5 ...',`. */
function writtenRows(): string[] {
  const files = readdirSync(resolve(ROOT, FOLDER)).filter((file) => file.endsWith('.faults.spec.ts'));
  return files.flatMap((file) => [...readFileSync(resolve(ROOT, FOLDER, file), 'utf8').matchAll(/\((['"`])([A-FH]\d+\b.*?)\1,/g)].map(([, , name]) => `${FOLDER}/${file}: ${name}`));
}

const namedWrongly = (rows: readonly RowOfTests[]) =>
  rows.flatMap(({ number, tests }) => tests.filter(({ name }) => !new RegExp(`\\b${number}\\b`).test(name)).map(({ name }) => `${number} ${name}`));
const unlisted = (rows: readonly RowOfTests[], written: readonly string[]) => {
  const listed = new Set(rows.flatMap(({ tests }) => tests.map(({ file, name }) => `${file}: ${name}`)));
  return written.filter((test) => !listed.has(test));
};

const rows = rowsOf(readFileSync(resolve(ROOT, 'docs/reference/faults.md'), 'utf8'));

it('every fault of the page is held by tests that are there and say its row, and every test of the suite has its line', () => {
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.map(({ number }) => number)).toEqual([...new Set(rows.map(({ number }) => number))]);
  expect(missingTests(rows)).toEqual([]);
  expect(namedWrongly(rows)).toEqual([]);
  expect(unlisted(rows, writtenRows())).toEqual([]);
});

it('control: a renamed test, one that does not say its row, and one without a line are found', () => {
  const { number, tests } = rows[0]!;
  const { file, name } = tests[0]!;
  expect(missingTests([{ number, tests: [{ file, name: `${name} any more` }] }])).toEqual([`${number} ${file}: ${name} any more`]);
  expect(namedWrongly([{ number: 'A99', tests: [{ file, name }] }])).toEqual([`A99 ${name}`]);
  expect(unlisted(rows, ['e2e/faults/new.faults.spec.ts: A98 something'])).toEqual(['e2e/faults/new.faults.spec.ts: A98 something']);
});

describe('a row', () => {
  const registered = (register: () => void) => {
    const names: unknown[] = [];
    const tests = it;
    const { skip } = tests;
    tests.skip = Object.assign((name: unknown) => void names.push(name), skip);
    register();
    tests.skip = skip;
    return names;
  };
  const test = () => Promise.reject(new Error('this row was to be left out'));

  it('runs where nothing is missing, and is left out with its reason where something is', () => {
    expect(needing(undefined)).toBe(it);
    expect(registered(() => needing('there is no strace')('E99 a fault', test))).toEqual(['E99 a fault (skipped: there is no strace)']);
  });

  it('that is slow is left out unless the whole suite is asked for', () => {
    expect(process.env['FACTLINE_FAULTS']).toBeUndefined();
    expect(registered(() => slow('E98 a slow fault', test))).toEqual(['E98 a slow fault (skipped: it is slow: npm run test:faults runs it)']);
  });
});
