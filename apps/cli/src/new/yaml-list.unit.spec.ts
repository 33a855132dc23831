import { parse } from 'yaml';
import { withItem } from './yaml-list.js';

const item = { lines: ['fact: b.B', 'select: [x]'], flow: '{ fact: b.B, select: [x] }' };
const added = { fact: 'b.B', select: ['x'] };

it.each([
  ['an empty list', 'app: a\nlist: []\nmore: 1\n', 'app: a\nlist:\n  - fact: b.B\n    select: [x]\nmore: 1\n'],
  ['an empty list with a comment', 'list: [] # none yet\nmore: 1\n', 'list: # none yet\n  - fact: b.B\n    select: [x]\nmore: 1\n'],
  ['no list at all, and no end of the last line', 'app: a', 'app: a\nlist:\n  - fact: b.B\n    select: [x]\n'],
  ['a key without a value', 'list:\nmore: 1\n', 'list:\n  - fact: b.B\n    select: [x]\nmore: 1\n'],
  ['a block list with comments, in its indentation', 'list:\n    - fact: a.A   # first\n      select:\n        - y # why\n\n# next\nmore: 1\n', 'list:\n    - fact: a.A   # first\n      select:\n        - y # why\n    - fact: b.B\n      select: [x]\n\n# next\nmore: 1\n'],
  ['a block list without indentation, at the end of the text', 'list:\n- fact: a.A\n', 'list:\n- fact: a.A\n- fact: b.B\n  select: [x]\n'],
  ['a flow list', 'list: [{ fact: a.A }]\nmore: 1\n', 'list: [{ fact: a.A }, { fact: b.B, select: [x] }]\nmore: 1\n'],
])('adds to %s and leaves the rest as it was', (_what, before, after) => {
  const found = withItem(before, 'list', item);
  expect(found).toBe(after);
  const was = (parse(before) as { list?: object[] }).list ?? [];
  expect(parse(found)).toEqual({ ...(parse(before) as object), list: [...was, added] });
});
