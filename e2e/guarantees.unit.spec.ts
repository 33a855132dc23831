import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type RowOfTests, missingTests, testsIn } from './support/named-tests.js';
import { ROOT } from './support/root.js';

interface Guarantee {
  number: string;
  heldBy: RowOfTests['tests'];
  /** Undefined where the page says that there is none. */
  control: RowOfTests['tests'] | undefined;
}

const NO_CONTROL = 'none of its own';

/** `| P1 | promised | not promised | held by | control |` */
function guaranteesOf(page: string): Guarantee[] {
  return [...page.matchAll(/^\| ([A-Z]\d+) \| (?:.+) \| (?:.*)\| (`.+) \| (.+) \|$/gm)].map(([, number, heldBy, control]) => ({ number: number!, heldBy: testsIn(heldBy!), control: control === NO_CONTROL ? undefined : testsIn(control!) }));
}

const asRows = (guarantees: readonly Guarantee[]): RowOfTests[] => guarantees.map(({ number, heldBy, control = [] }) => ({ number, tests: [...heldBy, ...control] }));
const page = readFileSync(resolve(ROOT, 'docs/reference/guarantees.md'), 'utf8');
const guarantees = guaranteesOf(page);

it('every guarantee is held by tests that are there, and has a control that is there or says that it has none', () => {
  const numbers = [...page.matchAll(/^\| ([A-Z]\d+) \|/gm)].map(([, number]) => number!);
  expect(numbers.length).toBeGreaterThan(0);
  expect(guarantees.map(({ number }) => number)).toEqual([...new Set(numbers)]);
  expect(missingTests(asRows(guarantees))).toEqual([]);
  expect(guarantees.filter(({ control }) => control === undefined).length).toBeLessThan(guarantees.length / 4);
});

it('control: a renamed test, a control that is gone, and a row of another form are found', () => {
  const [first] = guarantees;
  const { file, name } = first!.heldBy[0]!;
  expect(missingTests(asRows([{ ...first!, heldBy: [{ file, name: `${name} any more` }] }]))).toEqual([`${first!.number} ${file}: ${name} any more`]);
  expect(missingTests(asRows([{ ...first!, control: [{ file: 'e2e/gone.e2e.spec.ts', name }] }]))).toEqual([`${first!.number} e2e/gone.e2e.spec.ts`]);
  expect(guaranteesOf('| Z1 | promised | not promised | tests that are not named | none of its own |')).toEqual([]);
});
