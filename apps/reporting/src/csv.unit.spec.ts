import { csvOf } from './csv.js';

const rows = (...names: (string | null)[]) => csvOf<{ name: string | null; n: number }>(['name', 'n'], names.map((name) => ({ name, n: -1 })));

it('is a line of names and a line for each row', () => {
  expect(rows('a', 'b')).toBe('name,n\r\na,-1\r\nb,-1\r\n');
  expect(rows()).toBe('name,n\r\n');
});

it.each([
  ['a,b', '"a,b"'],
  ['say "a"', '"say ""a"""'],
  ['two\r\nlines', '"two\r\nlines"'],
  ['=1+1', "'=1+1"],
  ['@sum(A1,A2)', `"'@sum(A1,A2)"`],
  ['', ''],
  [null, ''],
])('writes %j as %s', (value, cell) => {
  expect(rows(value)).toBe(`name,n\r\n${cell},-1\r\n`);
});
