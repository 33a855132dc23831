import type { Finding } from 'factline/contracts/check';
import type { Output } from '../../output.js';
import { type Report, acceptance, counts, outcome, selectedAt, subjectOf, summary } from './telling.js';

/** Width of the first word of each line under a finding. */
export const LABEL = 10;

const VERDICTS = { BROKEN: ['BREAKS', 'red'], DEGRADED: ['DEGRADES', 'yellow'] } as const;
const SEVERITIES = { error: 'red', warning: 'yellow', info: 'cyan' } as const;

/** For people at a terminal, like a good compiler. */
export const text: Report = (output, result, against) => {
  const { errors, warnings } = counts(result);
  const verdict = output.paint(outcome(result), errors > 0 ? 'red' : warnings > 0 ? 'yellow' : 'green');
  const paint: Output['paint'] = (...painted) => output.paint(...painted);
  output.print(result, result.findings.flatMap((finding) => [...linesOf(finding, paint), '']), `${summary(result, against)}; ${verdict}`);
};

/** One finding; without `paint` it has no colours, whatever it is printed to. */
export function linesOf(finding: Finding, paint: Output['paint'] = (plain) => plain): string[] {
  const { place, severity, rule, message, against, consumers, advice } = finding;
  const label = (word: string, ...colours: Parameters<Output['paint']>[1][]) => `  ${paint(word.padEnd(LABEL), ...colours)}`;
  const lines = [
    `${place.file}:${place.line}:${place.column}  ${paint(severity, SEVERITIES[severity], 'bold')}  ${rule}  ${paint(subjectOf(finding), 'bold')}`,
    `  ${message}${message.endsWith('.') ? '' : '.'}${against.length > 0 ? ` ${paint(`Against ${against.join(', ')}.`, 'dim')}` : ''}`,
  ];
  for (const consumer of consumers) {
    if (consumer.verdict === 'SAFE') continue;
    const [word, colour] = VERDICTS[consumer.verdict];
    lines.push(`${label(word, colour, 'bold')}${consumer.app}  selects it at ${selectedAt(consumer)}`);
  }
  const safe = consumers.filter(({ verdict }) => verdict === 'SAFE').map(({ app }) => app);
  if (safe.length > 0) lines.push(`${label('safe', 'green')}${[...new Set(safe)].join(', ')}`);
  if (finding.accepted) lines.push(`${label('accepted', 'green')}${acceptance(finding)}`);
  else if (advice) lines.push(`${label('do this', 'bold')}${advice}`);
  return lines;
}
