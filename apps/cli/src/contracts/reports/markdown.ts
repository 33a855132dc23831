import type { Finding } from 'factline/contracts/check';
import { count } from '../../output.js';
import { atMost, code, folded, inline, within } from './markdown-text.js';
import { type Report, acceptance, affectedBy, gravestFirst, outcome, reduction, selectedAt, stands, subjectOf, summary } from './telling.js';

/** The first line of every comment: by it a later run finds the comment that it is to replace. */
const MARK = '<!-- factline contracts check -->';

/** GitHub refuses a comment of more than 65,536 characters. Together these leave 3,500 for the heading, the sentences about what is left out, and the words of a workflow. */
const CHARACTERS = { apps: 12_000, table: 40_000, advice: 8_000, safe: 2_000 } as const;
/** In one row: more are on top of the comment, or counted there. */
const APPS_IN_A_ROW = 10;

/** A comment for a pull request: who breaks, then why, then what to do. */
export const markdown: Report = (output, result, against) => {
  const findings = gravestFirst(result.findings);
  const reduced = reduction(result);
  const title = `### Contracts: ${outcome(result)}`;
  output.print(result, MARK, title, '', ...hitFirst(findings.filter(stands)), `${inline(summary(result, against))}.`, ...(reduced ? ['', inline(reduced)] : []), ...table(findings), ...advice(findings.filter(stands)), ...safe(findings));
};

const VERDICTS = { BROKEN: 'breaks', DEGRADED: 'degrades' } as const;

/** `- **payroll** breaks: hr.EmployeeCreated.salaryCents`; those that break before those that degrade. */
function hitFirst(findings: readonly Finding[]): string[] {
  const lines = (['BROKEN', 'DEGRADED'] as const).flatMap((wanted) => {
    const subjects = new Map<string, Set<string>>();
    for (const finding of findings) {
      for (const { app } of finding.consumers.filter(({ verdict }) => verdict === wanted)) subjects.set(app, (subjects.get(app) ?? new Set()).add(subjectOf(finding)));
    }
    return [...subjects.keys()].toSorted().map((app) => `- **${inline(app)}** ${VERDICTS[wanted]}: ${atMost(APPS_IN_A_ROW, [...subjects.get(app)!].map(code)).join(', ')}`);
  });
  return lines.length === 0 ? [] : [...within(CHARACTERS.apps, lines, (left) => [`- and ${count(left)} more lines of this list`]), ''];
}

function table(findings: readonly Finding[]): string[] {
  if (findings.length === 0) return [];
  const rows = findings.map((finding) => {
    const affected = affectedBy(finding).map((consumer) => `**${inline(consumer.app)}** ${consumer.verdict} (${inline(selectedAt(consumer))})`);
    const { severity, rule, message, place, accepted } = finding;
    const told = accepted ? `${message} Accepted ${acceptance(finding)}` : message;
    return `| ${accepted ? 'accepted' : severity} | ${code(rule)} | ${code(subjectOf(finding))} | ${inline(told)} | ${atMost(APPS_IN_A_ROW, affected).join('<br>') || 'no declared consumer'} | ${inline(`${place.file}:${place.line}`)} |`;
  });
  const leftOut = (left: number) => ['', `**${count(left)} more findings** are not in this comment, because GitHub limits its length; \`factline contracts check\` tells all of them.`];
  return ['', '| | rule | what | | who | where |', '|---|---|---|---|---|---|', ...within(CHARACTERS.table, rows, leftOut)];
}

function advice(findings: readonly Finding[]): string[] {
  const lines = new Set(findings.filter((finding) => finding.advice).map((finding) => `- ${code(finding.rule)}: ${inline(finding.advice)}`));
  return folded('What to do', within(CHARACTERS.advice, [...lines], (left) => [`- and ${count(left)} more; \`factline contracts explain <rule>\` tells each`]));
}

/** Apps that read a fact with findings, and are not hit by any. */
function safe(findings: readonly Finding[]): string[] {
  const hit = new Set(findings.flatMap(affectedBy).map(({ app }) => app));
  const apps = [...new Set(findings.flatMap(({ consumers }) => consumers.map(({ app }) => app)))].filter((app) => !hit.has(app)).toSorted();
  return folded(`Safe apps: ${count(apps.length)}`, within(CHARACTERS.safe, apps.map((app) => `- ${inline(app)}`), (left) => [`- and ${count(left)} more`]));
}
