import { parseSettings } from './settings.js';

const KNOWN = { facts: ['shop.OrderPlaced'], types: ['shop.OrderPlaced', 'shop.Address'] };
const entry = (rest: string) => `ignore: [{rule: doc-required, fact: shop.Address, field: street, reason: r}, {${rest}}]`;

it('without a file there are the defaults', () => {
  expect(parseSettings(undefined, KNOWN)).toEqual({ compatibility: 'FULL_TRANSITIVE', subjects: {}, style: {}, ignore: [] });
  expect(parseSettings('style:\nignore:\n', KNOWN)).toEqual(parseSettings(undefined, KNOWN));
});

it('reads levels and exceptions; off is a word', () => {
  const text = `
compatibility: BACKWARD
subjects: {shop.OrderPlaced: FULL}
style:
  doc-required: off
  money-as-float: error
ignore:
  - rule: field-name-lower-camel
    fact: shop.Address
    field: zip_code
    reason: Stated like this since 2019.
  - {rule: doc-required, fact: shop.OrderPlaced, reason: r}
`;
  expect(parseSettings(text, KNOWN)).toEqual({
    compatibility: 'BACKWARD',
    subjects: { 'shop.OrderPlaced': 'FULL' },
    style: { 'doc-required': 'off', 'money-as-float': 'error' },
    ignore: [
      { rule: 'field-name-lower-camel', fact: 'shop.Address', field: 'zip_code', reason: 'Stated like this since 2019.', path: '$.ignore[0]' },
      { rule: 'doc-required', fact: 'shop.OrderPlaced', reason: 'r', path: '$.ignore[1]' },
    ],
  });
});

it.each([
  ['compatibility: [FULL]', '$.compatibility', /Known: NONE/],
  ['compatibility: FULLY', '$.compatibility', /Did you mean 'FULL'/],
  ['subjects: {shop.OrderPlacd: FULL}', '$.subjects.shop.OrderPlacd', /Did you mean 'shop.OrderPlaced'/],
  ['subjects: [FULL]', '$.subjects', /name: value/],
  ['styles: {}', '$.styles', /Did you mean 'style'/],
  ['style: off', '$.style', /name: value/],
  ['style: {doc-requird: off}', '$.style.doc-requird', /Did you mean 'doc-required'/],
  ['style: {field-removed: off}', '$.style.field-removed', /Known: namespace-matches-path, /],
  ['style: {toString: off}', '$.style.toString', /Known: /],
  ['style: {doc-required: warn}', '$.style.doc-required', /Known: off, info, warning, error/],
  ['style: {doc-required: [off]}', '$.style.doc-required', /Known: off/],
  ['ignore: {rule: doc-required}', '$.ignore', /"- rule:"/],
  ['ignore: [doc-required]', '$.ignore[0]', /name: value/],
  [entry('rule: doc-requires, fact: shop.Address, reason: r'), '$.ignore[1].rule', /Did you mean 'doc-required'/],
  [entry('fact: shop.Address, reason: r'), '$.ignore[1].rule', /rule, fact, reason/],
  [entry('rule: doc-required, reason: r'), '$.ignore[1].fact', /rule, fact, reason/],
  [entry('rule: doc-required, fact: shop.Adress, reason: r'), '$.ignore[1].fact', /Did you mean 'shop.Address'/],
  [entry('rule: doc-required, fact: shop.Address, field: 7, reason: r'), '$.ignore[1].field', /rule, fact, reason/],
  [entry("rule: doc-required, fact: shop.Address, reason: ' '"), '$.ignore[1].reason', /why the rule does not hold/],
  [entry('rule: doc-required, fact: shop.Address'), '$.ignore[1].reason', /why the rule does not hold/],
  [entry('rule: doc-required, fact: shop.Address, why: r'), '$.ignore[1].why', /Known: rule, fact, field, reason/],
])('%s is refused at %s', (text, path, advice) => {
  expect(() => parseSettings(text, KNOWN)).toThrow(
    expect.objectContaining({ code: 'settings.invalid', kind: 'configuration', advice: expect.stringMatching(advice) as string, details: expect.objectContaining({ file: 'contracts.config.yaml', path }) as object }),
  );
});
