import { readFileSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { ROOT } from './support/root.js';

const read = (file: string) => readFileSync(resolve(ROOT, file), 'utf8');

interface Documented {
  states: readonly string[];
  /** Text by state. */
  pages: ReadonlyMap<string, string>;
  overview: string;
  errors: string;
}

const SECTIONS = ['## You see', '## It means', '## Do', '## How long, and what happens by itself', '## Not lost'];

/** The states of the type, as it is written: there is nothing of it at run time. */
function statesOf(source: string): string[] {
  const [, union] = /export type SubscriptionState = ([^;]+);/.exec(source) ?? [];
  return [...(union ?? '').matchAll(/'([A-Z-]+)'/g)].map(([, state]) => state!);
}

function faultsOf({ states, pages, overview, errors }: Documented): string[] {
  const ofStates = states.flatMap((state) => {
    const page = pages.get(state);
    if (page === undefined) return [`${state}: no page`];
    return [
      ...(page.startsWith(`# ${state}\n`) ? [] : [`${state}: another title`]),
      ...SECTIONS.filter((section) => !page.includes(`\n${section}\n`)).map((section) => `${state}: no '${section}'`),
      ...(page.includes(`"state": "${state}"`) ? [] : [`${state}: no fragment of /health`]),
      ...[...page.matchAll(/"code": "([^"]+)"/g)].filter(([, code]) => !errors.includes(`| \`${code!}\` |`)).map(([, code]) => `${state}: nobody throws ${code!}`),
      ...(overview.includes(`\n| [${state}](states/${state}.md) | `) ? [] : [`${state}: no row in the overview`]),
    ];
  });
  return [...ofStates, ...[...pages.keys()].filter((page) => !states.includes(page)).map((page) => `${page}: a page of no state`)];
}

const FOLDER = 'docs/operating/states';
const documented: Documented = {
  states: statesOf(read('libs/consumer/src/status.ts')),
  pages: new Map(readdirSync(resolve(ROOT, FOLDER)).map((file) => [file.replace(/\.md$/, ''), read(`${FOLDER}/${file}`)])),
  overview: read('docs/operating/README.md'),
  errors: read('docs/reference/errors.md'),
};

it('each state of a subscription has a page that says what to do, and its row in the overview', () => {
  expect(documented.states).toContain('LIVE');
  expect(documented.states.length).toBeGreaterThan(10);
  expect(faultsOf(documented)).toEqual([]);
});

it('control: a state without a page, a page of no state, a page without a section or with a wrong code, and a missing row are found', () => {
  const { states, pages, overview } = documented;
  expect(faultsOf({ ...documented, states: [...states, 'ASLEEP'] })).toEqual(['ASLEEP: no page']);
  expect(faultsOf({ ...documented, states: states.filter((state) => state !== 'GAP') })).toEqual(['GAP: a page of no state']);
  expect(faultsOf({ ...documented, overview: overview.replace('states/GAP.md', 'states/gap.md') })).toEqual(['GAP: no row in the overview']);
  const page = pages.get('GAP')!.replace('## Not lost', '## Lost').replace('consumer.gap', 'consumer.hole');
  expect(faultsOf({ ...documented, pages: new Map([...pages, ['GAP', page]]) })).toEqual(["GAP: no '## Not lost'", 'GAP: nobody throws consumer.hole']);
});
