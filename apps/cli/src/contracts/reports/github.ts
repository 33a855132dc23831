import { type Report, acceptance, affectedBy, reduction, subjectOf, summary } from './telling.js';

const COMMANDS = { error: 'error', warning: 'warning', info: 'notice' } as const;

/** Workflow commands that GitHub Actions turns into annotations of the changed lines: of a step it shows ten errors and ten warnings, the log has all. */
export const github: Report = (output, result, against) => {
  const lines = result.findings.map((finding) => {
    const affected = affectedBy(finding).map(({ app, verdict }) => `${app} ${verdict}`);
    const said = [`${subjectOf(finding)}: ${finding.message}`, affected.join(', '), finding.accepted ? `Accepted ${acceptance(finding)}` : finding.advice].filter(Boolean).join('\n');
    const { file, line, column } = finding.place;
    return `::${COMMANDS[finding.accepted ? 'info' : finding.severity]} file=${property(file)},line=${line},col=${column},title=${property(finding.rule)}::${data(said)}`;
  });
  const reduced = reduction(result);
  output.print(result, reduced ? [`::warning title=reduced::${data(reduced)}`] : [], lines, summary(result, against));
};

/** Escapes of @actions/core, toolkit/packages/core/src/command.ts. */
function data(value: string): string {
  return value.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(value: string): string {
  return data(value).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
