import { parse } from 'yaml';
import { searchedBy } from './searches.spec.support.js';
import { parseYaml } from './yaml.js';

const refused = (message: RegExp) => expect.objectContaining({ code: 'declaration.unreadable', message: expect.stringMatching(message) as string, details: { file: 'x.yaml' } }) as Error;

describe('YAML', () => {
  it.each([
    ['at the top', 'a: 1\nb: 2\na: 3\n', /'a' is written twice in one map, at line 1 and at line 3/],
    ['in a map below', 'a:\n  - x: 1\n    y: 2\n    x: 3\n', /'x' .* at line 2 and at line 4/],
    ['in one line', 'a: {b: 1, b: 2}\n', /'b' .* at line 1 and at line 1/],
    ['that is one key of an object', '1: a\n"1": b\n', /'1' .* at line 1 and at line 2/],
    ['by an alias', 'a: &x k\nk: 1\n*x : 2\n', /must be text/],
    ['that is a list', '? [1, 2]\n: 3\n', /must be text/],
  ])('refuses a key twice %s', (_where, text, message) => {
    expect(() => parseYaml(text, 'x.yaml')).toThrow(refused(message));
  });

  it('takes the same key in different maps, and an alias as a value', () => {
    expect(parseYaml('a: &x {k: 1}\nb: {k: 2}\nc: [{k: 3}, {k: 4}]\nd: *x\n', 'x.yaml')).toEqual({ a: { k: 1 }, b: { k: 2 }, c: [{ k: 3 }, { k: 4 }], d: { k: 1 } });
  });

  it.each([
    ['syntax', 'a: 1\nb: [\n', /line 3/],
    ['an unknown alias', 'a: *x\n', /alias/],
    ['aliases that multiply', `a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\nb: &b [${Array(10).fill('*a').join()}]\nc: &c [${Array(10).fill('*b').join()}]\nd: [${Array(10).fill('*c').join()}]\n`, /Excessive alias count/],
    ['two documents', 'a: 1\n---\nb: 2\n', /multiple documents/],
  ])('refuses %s', (_what, text, message) => {
    expect(() => parseYaml(text, 'x.yaml')).toThrow(refused(message));
  });

  it('looks at each key once, however wide a map is', () => {
    const keys = 2_000; // each costs the parser 22 looks into short lists
    const text = Array.from({ length: keys }, (_each, at) => `key${at}: ${at}`).join('\n');
    expect(searchedBy(() => parseYaml(text, 'x.yaml'))).toBeLessThan(50 * keys);
    expect(searchedBy(() => expect(() => parseYaml(`${text}\nkey7: 7\n`, 'x.yaml')).toThrow(refused(/'key7' .* at line 8 and at line 2001/)))).toBeLessThan(50 * keys);
    // control: what the library does by itself, comparing each key with all before it
    expect(searchedBy(() => parse(text) as unknown)).toBeGreaterThan(500 * keys);
  });
});
