import { junit } from './junit.js';
import { EVERYTHING, HOSTILE, consumer, finding, resultOf, told } from './report.spec.support.js';
import { type XmlElement, readXml } from './xml.spec.support.js';

/** junit-10.xsd of Jenkins' xunit plugin: what may be in what, with which attributes (the first ones are required). */
const SCHEMA: Readonly<Record<string, { elements: string[]; attributes: string[] }>> = {
  testsuites: { elements: ['testsuite'], attributes: ['name', 'tests', 'failures', 'errors'] },
  testsuite: { elements: ['testcase', 'system-out'], attributes: ['name', 'tests', 'failures', 'errors'] },
  testcase: { elements: ['failure', 'system-out'], attributes: ['name', 'classname'] },
  failure: { elements: [], attributes: ['type', 'message'] },
  'system-out': { elements: [], attributes: [] },
};

/** Every element as the schema has it, in its order, and the counts true. */
function checked(element: XmlElement): XmlElement {
  const { elements, attributes } = SCHEMA[element.name]!;
  const places = element.children.map(({ name }) => elements.indexOf(name));
  expect({ [element.name]: Object.keys(element.attributes).toSorted(), places }).toEqual({ [element.name]: attributes.toSorted(), places: places.filter((place) => place >= 0).toSorted((one, other) => one - other) });
  if (element.attributes['tests']) {
    expect(Number(element.attributes['tests'])).toBe(within(element, 'testcase').length);
    expect(Number(element.attributes['failures'])).toBe(within(element, 'failure').length);
  }
  element.children.forEach(checked);
  return element;
}

function within(element: XmlElement, name: string): XmlElement[] {
  return element.children.flatMap((child) => [...(child.name === name ? [child] : []), ...within(child, name)]);
}

it('has a suite for each fact, with a test of its declaration and one for each app', () => {
  const root = checked(readXml(told(junit, EVERYTHING)));
  const tests = within(root, 'testcase').map(({ attributes, children }) => `${attributes['classname']} / ${attributes['name']}: ${children.find(({ name }) => name === 'failure')?.attributes['type'] ?? 'passed'}`);
  expect(tests).toMatchInlineSnapshot(`
[
  "contracts / check: passed",
  "shop.OrderPaid / declaration: passed",
  "shop.OrderPlaced / declaration: error",
  "shop.OrderPlaced / read by audit: passed",
  "shop.OrderPlaced / read by board: error",
  "shop.OrderPlaced / read by mailer: error",
]
`);
  expect(new Set(tests).size).toBe(tests.length);
});

it('tells the whole finding in the failure, and what is accepted or only new outside of it', () => {
  const root = readXml(told(junit, EVERYTHING));
  const [order] = within(root, 'testsuite').filter(({ attributes }) => attributes['name'] === 'shop.OrderPlaced');
  const [mailer] = within(order!, 'testcase').filter(({ attributes }) => attributes['name'] === 'read by mailer');
  expect(mailer!.children[0]!.attributes['message']).toBe('field-removed shop.OrderPlaced.customer.email: It was string without a default, and is gone.');
  expect(mailer!.children[0]!.text).toMatch(/OrderPlaced\.avsc:14:5 {2}error[\s\S]*BREAKS +mailer {2}selects it at apps\/mailer\/contracts\.yaml:6, deployed to prod 4f1c2a9/);
  expect(mailer!.children[0]!.text).not.toContain('OrderPlaced.note');
  expect(order!.children.at(-1)!.text).toMatch(/OrderPlaced\.note[\s\S]*accepted +until 2026-12-31 by lea: nobody reads it/);
  expect(within(root, 'system-out').map(({ text }) => text).join('')).toContain('shop.OrderPaid is new.');
});

it('passes when nothing breaks, and is never empty', () => {
  expect(told(junit, resultOf())).toMatchInlineSnapshot(`
"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="factline contracts" tests="1" failures="0" errors="0">
  <testsuite name="contracts" tests="1" failures="0" errors="0">
    <testcase classname="contracts" name="check"><system-out>3 fact types against git 4f1c2a9 (merge base with origin/main): 0 new, 1 changed, 0 gone; nothing breaks</system-out></testcase>
  </testsuite>
</testsuites>
"
`);
  const quiet = checked(readXml(told(junit, { ...resultOf(), consumers: [consumer('mailer', 'SAFE')] })));
  expect(within(quiet, 'testcase').map(({ attributes }) => attributes['name'])).toEqual(['check', 'declaration', 'read by mailer']);
  expect(within(quiet, 'failure')).toEqual([]);
});

it('tells an app of itself, not of the other apps: with many of both a report would be as long as their square', () => {
  const apps = ['audit', 'board', 'mailer'].map((app) => consumer(app, 'BROKEN'));
  const root = checked(readXml(told(junit, resultOf(finding({ consumers: apps }), finding({ field: 'note', consumers: apps }), finding({ field: 'seen', severity: 'info', consumers: apps })))));
  const texts = new Map(within(root, 'testcase').map(({ attributes, children }) => [attributes['name'], children.find(({ name }) => name === 'failure')?.text ?? '']));
  const named = (text: string) => ['audit', 'board', 'mailer'].filter((app) => text.includes(`BREAKS    ${app}`));
  expect(named(texts.get('declaration')!)).toEqual(['audit', 'board', 'mailer']);
  expect(named(texts.get('read by board')!)).toEqual(['board']);
  const out = within(root, 'system-out').at(-1)!.text;
  expect([out.includes('customer.email'), out.includes('seen')]).toEqual([false, true]); // what failed is in the failures
});

describe('characters', () => {
  const hostile = resultOf(finding({ fact: HOSTILE, field: '', message: HOSTILE, consumers: [consumer(HOSTILE, 'BROKEN')] }));

  it('that XML knows come back as they were; the others are spelled out', () => {
    const root = checked(readXml(told(junit, hostile)));
    const spelled = HOSTILE.replace('\u0007', String.raw`\u0007`).replace('\u0000', String.raw`\u0000`).replace('\ud800', String.raw`\ud800`);
    expect(within(root, 'testcase')[1]!.attributes['classname']).toBe(spelled);
    expect(within(root, 'failure')[0]!.text).toContain(`  ${spelled}. Against`);
    expect(readXml(told(junit, resultOf(finding({ message: '\u{1f600}\tä' })))).children.at(-1)!.children[0]!.children[0]!.text).toContain('\u{1f600}\tä');
  });

  it('of a terminal are not in it', () => {
    expect(told(junit, hostile, { terminal: true })).toBe(told(junit, hostile));
  });

  it.each([
    ['<a>', 'not one root'],
    ['<a/><b/>', 'not one root'],
    ['text', 'not one root'],
    ['<a></b>', 'ends <a>'],
    ['<a b="<"/>', 'broken at 0'],
    ['<a b="1" b="2"/>', 'twice'],
    ['<a>&nope;</a>', 'unknown reference'],
    ['<a>a & b</a>', 'unknown reference'],
    ['<a>]]></a>', ']]>'],
    ['<a>\u0007</a>', 'not a character'],
  ])('the reader here refuses %j', (broken, why) => {
    expect(() => readXml(broken)).toThrow(why);
  });
});
