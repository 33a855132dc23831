import type { CheckResult, Finding } from 'factline/contracts/check';
import { linesOf } from './text.js';
import { type Report, gravestFirst, outcome, reduction, stands, subjectOf, summary } from './telling.js';

interface Case {
  readonly suite: string;
  readonly name: string;
  /** What makes it fail: empty when it passed. */
  readonly findings: readonly Finding[];
  /** Whom it is about, when it is not the declaration: of other apps it tells nothing, or the report would have as many lines as findings and apps squared. */
  readonly app?: string;
}

/**
 * JUnit XML as Jenkins, GitLab, Azure and CircleCI read it: a suite for each fact type, in it a test `declaration` and a test for each app that consumes the fact. So
 * a test keeps its name while it fails and when it passes again, and the list of failed tests names the apps that break.
 *
 * Errors and warnings are failures, since both make the check answer 100; what is only told, or accepted, is in `system-out`. Elements and attributes are those of
 * the schema that Jenkins' xunit plugin checks with (junit-10.xsd); no times and no host, so that the same findings give the same bytes.
 */
export const junit: Report = (output, result, against) => {
  const suites = factsOf(result).map(([name, fact]) => suite(name, fact));
  const check = `    ${open('testcase', { classname: 'contracts', name: 'check' })}<system-out>${escaped([`${summary(result, against)}; ${outcome(result)}`, reduction(result)].filter(Boolean).join('\n'))}</system-out></testcase>`;
  const all = [{ tests: 1, failures: 0, lines: [open('testsuite', { name: 'contracts', tests: 1, failures: 0, errors: 0 }), check, '  </testsuite>'] }, ...suites];
  const sum = (of: 'tests' | 'failures') => all.reduce((total, each) => total + each[of], 0);
  const root = open('testsuites', { name: 'factline contracts', tests: sum('tests'), failures: sum('failures'), errors: 0 });
  output.print(result, '<?xml version="1.0" encoding="UTF-8"?>', root, all.flatMap(({ lines: [first, ...rest] }) => [`  ${first}`, ...rest]), '</testsuites>');
};

interface Fact {
  readonly findings: Finding[];
  /** Every app that consumes it, with what fails it. */
  readonly apps: Map<string, Finding[]>;
}

/** Facts that somebody consumes or that have a finding, by name. */
function factsOf({ findings, consumers }: CheckResult): [string, Fact][] {
  const facts = new Map<string, Fact>();
  const factOf = (name: string) => getOr(facts, name, { findings: [], apps: new Map() });
  for (const { fact, app } of consumers) getOr(factOf(fact).apps, app, []);
  for (const finding of gravestFirst(findings)) {
    const fact = factOf(finding.fact);
    fact.findings.push(finding);
    for (const { app, verdict } of finding.consumers) {
      const failing = getOr(fact.apps, app, []);
      if (verdict !== 'SAFE' && stands(finding) && failing.at(-1) !== finding) failing.push(finding);
    }
  }
  return byName(facts);
}

function getOr<T>(map: Map<string, T>, key: string, otherwise: T): T {
  const found = map.get(key) ?? otherwise;
  map.set(key, found);
  return found;
}

function byName<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map.keys()].toSorted().map((name) => [name, map.get(name)!]);
}

function suite(fact: string, { findings, apps }: Fact) {
  const cases: Case[] = [{ suite: fact, name: 'declaration', findings: findings.filter(stands) }, ...byName(apps).map(([app, failing]) => ({ suite: fact, name: `read by ${app}`, findings: failing, app }))];
  const failures = cases.filter((each) => each.findings.length > 0).length;
  const rest = findings.filter((finding) => !stands(finding));
  const told = rest.length === 0 ? [] : [`    <system-out>${escaped(textOf(rest))}</system-out>`];
  return { tests: cases.length, failures, lines: [open('testsuite', { name: fact, tests: cases.length, failures, errors: 0 }), ...cases.map(testcase), ...told, '  </testsuite>'] };
}

function testcase({ suite: classname, name, findings, app }: Case): string {
  const [gravest] = findings;
  if (!gravest) return `    ${open('testcase', { classname, name }, '/')}`;
  const more = findings.length > 1 ? ` (and ${findings.length - 1} more)` : '';
  const failure = open('failure', { type: gravest.severity, message: `${gravest.rule} ${subjectOf(gravest)}: ${gravest.message}${more}` });
  return `    ${open('testcase', { classname, name })}${failure}${escaped(textOf(findings, app))}</failure></testcase>`;
}

function textOf(findings: readonly Finding[], app?: string): string {
  const told = app === undefined ? findings : findings.map((finding) => ({ ...finding, consumers: finding.consumers.filter((consumer) => consumer.app === app) }));
  return told.map((finding) => linesOf(finding).join('\n')).join('\n\n');
}

function open(element: string, attributes: Readonly<Record<string, string | number>>, end: '' | '/' = ''): string {
  const written = Object.entries(attributes).map(([name, value]) => ` ${name}="${escaped(String(value)).replaceAll(/[\t\n]/g, (space) => `&#${space.charCodeAt(0)};`)}"`);
  return `<${element}${written.join('')}${end}>`;
}

/** What XML 1.0 has no way to write ("Characters" of its recommendation), not even escaped: it is spelled out, as `\\u0007`. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const UNWRITABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\r': '&#13;' };

function escaped(value: string): string {
  return value.replaceAll(UNWRITABLE, (character) => String.raw`\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`).replaceAll(/[&<>"\r]/g, (character) => ENTITIES[character]!);
}
