import { withImport, withListItem } from './module-text.js';

it.each([
  ['  providers: [],', '  providers: [X],'],
  ['  providers: [A],', '  providers: [A, X],'],
  ['  providers: [A, B],', '  providers: [A, B, X],'],
  ['  providers: [\n    A,\n  ],', '  providers: [\n    X,\n    A,\n  ],'],
  ['  providers: [use({ list: [1] })],', '  providers: [X, use({ list: [1] })],'],
  ['@Module({ imports: [M], providers: [A], exports: [A] })', '@Module({ imports: [M], providers: [A, X], exports: [A] })'],
])('adds to %j what becomes %j', (before, after) => {
  expect(withListItem(`a\n${before}\nb\n`, 'providers', 'X')).toBe(`a\n${after}\nb\n`);
});

it('leaves a module alone that has no such list, or two', () => {
  expect(withListItem('controllers: []\n', 'providers', 'X')).toBeUndefined();
  expect(withListItem('providers: []\nproviders: []\n', 'providers', 'X')).toBeUndefined();
});

it('imports a name beside others of the same module, once, or behind the last import', () => {
  expect(withImport("import { A, type C } from './x.js';\n", 'B', './x.js')).toBe("import { A, B, type C } from './x.js';\n");
  expect(withImport("import { A } from './x.js';\n", 'A', './x.js')).toBe("import { A } from './x.js';\n");
  expect(withImport("import { A } from './x.js';\nimport {\n  B,\n} from './y.js';\n\nconst a = A;\n", 'C', './z.js')).toBe("import { A } from './x.js';\nimport {\n  B,\n} from './y.js';\nimport { C } from './z.js';\n\nconst a = A;\n");
  expect(withImport('const a = 1;\n', 'C', './z.js')).toBe("import { C } from './z.js';\nconst a = 1;\n");
});
