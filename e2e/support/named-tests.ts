import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ROOT } from './root.js';

/** A row of a page under docs/reference, and the tests that it rests on. */
export interface RowOfTests {
  number: string;
  tests: readonly { file: string; name: string }[];
}

/** The tests of a cell: `` `file`: name<br>`file`: name ``. */
export function testsIn(cell: string): RowOfTests['tests'] {
  return cell.split('<br>').map((test) => {
    const [, file, name] = /^`(.+?)`: (.+)$/.exec(test) ?? [];
    return { file: file ?? test, name: name ?? '' };
  });
}

/** What is named and not there: a file, or in it a test or a group of this very name. */
export function missingTests(rows: readonly RowOfTests[]): string[] {
  return rows.flatMap(({ number, tests }) =>
    tests.flatMap(({ file, name }) => {
      if (!file.endsWith('.spec.ts') || !existsSync(resolve(ROOT, file))) return [`${number} ${file}`];
      const text = readFileSync(resolve(ROOT, file), 'utf8');
      return ["'", '"', '`'].some((quote) => text.includes(`(${quote}${name}${quote},`)) ? [] : [`${number} ${file}: ${name}`];
    }),
  );
}
