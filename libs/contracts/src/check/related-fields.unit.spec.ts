import { related } from './finding.js';
import { RelatedFields } from './related-fields.js';

const PATHS = ['', 'a', 'a.b', 'a.bc', 'a.b.c', 'ab', 'lines', 'lines[].sku', 'lines[].sku.code', 'labels{}.text', 'z'];

it('finds what `related` finds, in the order given', () => {
  for (const given of [PATHS, PATHS.slice(1), PATHS.toReversed(), ['a.b', 'a.b'], []]) {
    const index = new RelatedFields(given, (path) => path);
    for (const field of [...PATHS, 'lines.sku', 'a.b.c.d', 'labels']) {
      const expected = given.filter((path) => related(path, field));
      expect([field, index.of(field)]).toEqual([field, expected]);
      expect(index.has(field)).toBe(expected.length > 0);
    }
  }
});
