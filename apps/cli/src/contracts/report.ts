import type { CheckResult, Finding } from 'factline/contracts/check';
import { type Output, count } from '../output.js';

export type ReportFormat = 'text' | 'json' | 'markdown' | 'github';

/** How the result of `contracts check` is told; `against` names the base. */
export const REPORTS: Readonly<Record<ReportFormat, (output: Output, result: CheckResult, against: string) => void>> = { text, json, markdown, github };

/** Width of the first word of each line under a finding. */
export const LABEL = 10;

const VERDICTS = { BROKEN: ['BREAKS', 'red'], DEGRADED: ['DEGRADES', 'yellow'] } as const;
const SEVERITIES = { error: 'red', warning: 'yellow', info: 'cyan' } as const;

function text(output: Output, result: CheckResult, against: string): void {
  const { errors, warnings } = counts(result);
  const verdict = errors + warnings === 0 ? output.paint('nothing breaks', 'green') : output.paint(`${errors} errors, ${warnings} warnings`, errors > 0 ? 'red' : 'yellow');
  output.print(result, ...result.findings.flatMap((finding) => [...linesOf(output, finding), '']), `${summary(result, against)}; ${verdict}`);
}

function json(output: Output, { findings, consumers, facts }: CheckResult, against: string): void {
  const data = { version: 1, against, facts, findings, consumers };
  output.print(data, JSON.stringify(data));
}

/** A comment for a pull request. */
function markdown(output: Output, result: CheckResult, against: string): void {
  const rows = result.findings.map(({ severity, rule, fact, field, place, message, consumers }) => {
    const affected = consumers.filter(({ verdict }) => verdict !== 'SAFE').map(({ app, verdict, place: at }) => `**${app}** ${verdict} (${at.file}:${at.line})`);
    return `| ${severity} | \`${rule}\` | \`${field ? `${fact}.${field}` : fact}\` | ${cell(message)} | ${affected.join('<br>') || 'no declared consumer'} | ${place.file}:${place.line} |`;
  });
  const table = rows.length === 0 ? [] : ['', '| | rule | what | | who | where |', '|---|---|---|---|---|---|', ...rows];
  output.print(result, `### Contracts: ${rows.length === 0 ? 'nothing breaks' : `${counts(result).errors} errors, ${counts(result).warnings} warnings`}`, '', `${summary(result, against)}.`, ...table);
}

const COMMANDS = { error: 'error', warning: 'warning', info: 'notice' } as const;

/** Workflow commands that GitHub Actions turns into annotations of the changed lines. */
function github(output: Output, result: CheckResult, against: string): void {
  const lines = result.findings.map(({ severity, rule, fact, field, place, message, consumers, advice }) => {
    const affected = consumers.filter(({ verdict }) => verdict !== 'SAFE').map(({ app, verdict }) => `${app} ${verdict}`);
    const said = [`${fact}${field ? `.${field}` : ''}: ${message}`, affected.join(', '), advice].filter(Boolean).join('\n');
    return `::${COMMANDS[severity]} file=${property(place.file)},line=${place.line},col=${place.column},title=${property(rule)}::${data(said)}`;
  });
  output.print(result, ...lines, summary(result, against));
}

/** Escapes of @actions/core, toolkit/packages/core/src/command.ts. */
function data(value: string): string {
  return value.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(value: string): string {
  return data(value).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

function cell(value: string): string {
  return value.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
}

function counts({ findings }: CheckResult): { errors: number; warnings: number } {
  return { errors: findings.filter(({ severity }) => severity === 'error').length, warnings: findings.filter(({ severity }) => severity === 'warning').length };
}

function summary({ facts }: CheckResult, against: string): string {
  return `${count(facts.checked)} fact types against ${against}: ${facts.added} new, ${facts.changed} changed, ${facts.removed} gone`;
}

function linesOf(output: Output, { place, severity, rule, fact, field, message, against, consumers, advice }: Finding): string[] {
  const label = (text: string, ...colours: Parameters<Output['paint']>[1][]) => `  ${output.paint(text.padEnd(LABEL), ...colours)}`;
  const lines = [
    `${place.file}:${place.line}:${place.column}  ${output.paint(severity, SEVERITIES[severity], 'bold')}  ${rule}  ${output.paint(field ? `${fact}.${field}` : fact, 'bold')}`,
    `  ${message}${message.endsWith('.') ? '' : '.'} ${output.paint(`Against ${against.join(', ')}.`, 'dim')}`,
  ];
  for (const { app, verdict, place: at, tree } of consumers) {
    if (verdict === 'SAFE') continue;
    const [word, colour] = VERDICTS[verdict];
    lines.push(`${label(word, colour, 'bold')}${app}  selects it at ${at.file}:${at.line}${tree ? `, as it was at ${tree}` : ''}`);
  }
  const safe = consumers.filter(({ verdict }) => verdict === 'SAFE').map(({ app }) => app);
  if (safe.length > 0) lines.push(`${label('safe', 'green')}${[...new Set(safe)].join(', ')}`);
  if (advice) lines.push(`${label('do this', 'bold')}${advice}`);
  return lines;
}
