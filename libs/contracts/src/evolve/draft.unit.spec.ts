import { diffOf } from './diff.js';
import { Draft } from './draft.js';

const NOTE = { effective: '2026-11-21', removal: '2027-02-01' };

/** As people and other programs write JSON: nothing here is how JSON.stringify would. */
const ODD = [
  '{ "type":"record" , "name" : "Odd",',
  '\t"namespace": "shop",   "doc": "Caf\\u00e9 \\/ bar",',
  '',
  '\t"fields" : [',
  '\t\t{"name":"meta","type":"factline.Meta"} ,',
  '\t\t{ "name": "a", "type": [ "null", "string" ], "default": null },',
  '\t\t{',
  '\t\t\t"name": "b",',
  '\t\t\t"type": {"type": "int", "logicalType": "date"}',
  '\t\t}, {"name":"c", "type":"long", "default": 1.0e3}',
  '\t]',
  '}',
].join('\r\n'); // and no line end behind the last line

function drafted(text: string, change: (draft: Draft) => void): Draft {
  const draft = new Draft('Odd.avsc', text);
  change(draft);
  return draft;
}

/** Lines of the one that are not in the other, in order. */
const onlyIn = (one: string, other: string) => one.split('\n').filter((line) => !other.split('\n').includes(line));

describe('a draft', () => {
  it.each<[string, (draft: Draft) => void, string[], string[]]>([
    ['a key at the end of an object on lines of its own', (draft) => draft.addMember('$.fields[2]', 'deprecated', NOTE), ['\t\t\t"type": {"type": "int", "logicalType": "date"}\r'], ['\t\t\t"type": {"type": "int", "logicalType": "date"},\r', '\t\t\t"deprecated": {\r', '\t\t\t\t"effective": "2026-11-21",\r', '\t\t\t\t"removal": "2027-02-01"\r', '\t\t\t}\r']],
    ['a key at the end of an object on one line', (draft) => draft.addMember('$.fields[1]', 'deprecated', NOTE), ['\t\t{ "name": "a", "type": [ "null", "string" ], "default": null },\r'], ['\t\t{ "name": "a", "type": [ "null", "string" ], "default": null, "deprecated": {"effective": "2026-11-21", "removal": "2027-02-01"} },\r']],
    ['a key before another one', (draft) => draft.addMember('$', 'deprecated', NOTE, 'fields'), [], ['\t"deprecated":{\r', '\t\t"effective": "2026-11-21",\r', '\t\t"removal": "2027-02-01"\r', '\t},\r']],
    ['an item behind one on its own line', (draft) => draft.addItemAfter('$.fields[1]', { name: 'd', type: 'string' }), [], ['\t\t{"name": "d", "type": "string"},\r']],
    ['an item behind one in the middle of a line', (draft) => draft.addItemAfter('$.fields[3]', { name: 'd' }), ['\t\t}, {"name":"c", "type":"long", "default": 1.0e3}\r'], ['\t\t}, {"name":"c", "type":"long", "default": 1.0e3}, {"name":"d"}\r']],
    ['another text', (draft) => draft.replaceText('$.namespace', 'shop.v2'), ['\t"namespace": "shop",   "doc": "Caf\\u00e9 \\/ bar",\r'], ['\t"namespace": "shop.v2",   "doc": "Caf\\u00e9 \\/ bar",\r']],
  ])('%s: no other line changes', (_name, change, removed, added) => {
    const { after } = drafted(ODD, change);
    expect(onlyIn(ODD, after)).toEqual(removed);
    expect(onlyIn(after, ODD)).toEqual(added);
    expect(() => JSON.parse(after) as unknown).not.toThrow();
  });

  it('control: writing the whole file anew changes every line of it', () => {
    const anew = JSON.stringify(JSON.parse(ODD), null, 2);
    expect(onlyIn(ODD, anew)).toHaveLength(ODD.split('\n').filter((line) => line.trim() !== '').length);
  });

  it('says what the same change of the parsed file would say', () => {
    const { after } = drafted(ODD, (draft) => {
      draft.addItemAfter('$.fields[2]', { name: 'd', type: ['null', 'int'], default: null });
      draft.addMember('$.fields[2]', 'deprecated', NOTE);
      draft.replaceText('$.fields[3].name', 'e');
    });
    const parsed = JSON.parse(ODD) as { fields: object[] };
    parsed.fields[2] = { ...parsed.fields[2], deprecated: NOTE };
    parsed.fields[3] = { ...parsed.fields[3], name: 'e' };
    parsed.fields.splice(3, 0, { name: 'd', type: ['null', 'int'], default: null });
    expect(JSON.parse(after)).toEqual(parsed);
  });

  it.each([
    ['a block list', 'produces:\n  - a # first\n  - b\nconsumes: []\n', 'produces:\n  - a # first\n  - x.y\n  - b\nconsumes: []\n'],
    ['the last line of a file', 'produces:\r\n- a', 'produces:\r\n- a\r\n- x.y'],
    ['a flow list', 'produces: [a, b] # all\n', 'produces: [a, x.y, b] # all\n'],
    ['a flow list in quotes', "produces: ['a']\n", "produces: ['a', \"x.y\"]\n"],
  ])('adds to %s of YAML, comments kept', (_name, text, expected) => {
    expect(drafted(text, (draft) => draft.addItemAfter('$.produces[0]', 'x.y')).after).toBe(expected);
  });

  it('refuses a place that is not there', () => {
    expect(() => new Draft('Odd.avsc', ODD).addMember('$.fields[9]', 'a', 1)).toThrow(expect.objectContaining({ code: 'evolve.place-unknown', kind: 'internal' }));
  });
});

it.each([
  ['a\nb\nc\n', 'a\nx\nc\n', { from: 2, to: 3, text: 'x' }],
  ['aaa\n', 'aaaa\n', { from: 3, to: 3, text: 'a' }],
  ['abab\n', 'ab\n', { from: 2, to: 4, text: '' }],
  ['', 'a\n', { from: 0, to: 0, text: 'a\n' }],
  ['a\n', 'a\n', undefined],
])('takes another text for the whole of %j: %j is one edit, as small as the difference', (before, after, edit) => {
  const draft = new Draft('x.ts', before);
  draft.rewrite(after);
  expect([draft.after, ...draft.edits]).toEqual([after, ...(edit ? [edit] : [])]);
});

describe('a difference', () => {
  it('shows the changed lines, three around them, and a missing line end', () => {
    const text = Array.from({ length: 30 }, (_, at) => `line${at}: ${at}`).join('\n');
    const diff = diffOf(
      drafted(text, (draft) => {
        draft.replaceText('$.line2', 'two');
        draft.replaceText('$.line9', 'nine');
        draft.replaceText('$.line29', 'last');
      }),
    );
    expect(diff.split('\n').filter((line) => /^(@@|[-+\\])/.test(line))).toEqual([
      '--- a/Odd.avsc',
      '+++ b/Odd.avsc',
      '@@ -1,13 +1,13 @@',
      '-line2: 2',
      '+line2: two',
      '-line9: 9',
      '+line9: nine',
      '@@ -27,4 +27,4 @@',
      '-line29: 29',
      '\\ No newline at end of file',
      '+line29: last',
      '\\ No newline at end of file',
    ]);
    expect(diffOf(new Draft('Odd.avsc', text))).toBe('');
  });
});
