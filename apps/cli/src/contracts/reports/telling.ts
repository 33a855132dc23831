import type { CheckResult, ConsumerVerdict, Finding } from 'factline/contracts/check';
import { type Output, count } from '../../output.js';

/** Tells the result of `contracts check` in one format; `against` names what it was compared with. */
export type Report = (output: Output, result: CheckResult, against: string) => void;

export function summary({ facts }: CheckResult, against: string): string {
  return `${count(facts.checked)} fact types against ${against}: ${facts.added} new, ${facts.changed} changed, ${facts.removed} gone`;
}

/** What was compared less than usual, and how to get at the rest; empty when nothing was. */
export function reduction({ reduced }: CheckResult): string {
  return reduced ? `Reduced: ${reduced.message} ${reduced.advice}` : '';
}

/** Whether it makes the check fail: what is only told, or accepted, does not. */
export function stands({ severity, accepted }: Finding): boolean {
  return severity !== 'info' && !accepted;
}

export function counts({ findings }: CheckResult): { errors: number; warnings: number; accepted: number } {
  const standing = findings.filter(stands);
  const errors = standing.filter(({ severity }) => severity === 'error').length;
  return { errors, warnings: standing.length - errors, accepted: findings.filter(({ accepted }) => accepted).length };
}

/** `2 errors, 0 warnings, 1 accepted`. */
export function outcome(result: CheckResult): string {
  const { errors, warnings, accepted } = counts(result);
  return `${errors + warnings === 0 ? 'nothing breaks' : `${errors} errors, ${warnings} warnings`}${accepted > 0 ? `, ${accepted} accepted` : ''}`;
}

/** Who answers for a finding, and how long; empty when nobody does. */
export function acceptance({ accepted }: Finding): string {
  return accepted ? `until ${accepted.until} by ${accepted.approvedBy}: ${accepted.reason}` : '';
}

/** The field with its fact, or the fact. */
export function subjectOf({ fact, field }: Finding): string {
  return field ? `${fact}.${field}` : fact;
}

export function affectedBy({ consumers }: Finding): ConsumerVerdict[] {
  return consumers.filter(({ verdict }) => verdict !== 'SAFE');
}

/** Where a selection is written, and where else it runs: `apps/payroll/contracts.yaml:6, as it was at git 4f1c2a9, deployed to prod 4f1c2a9`. */
export function selectedAt({ place, tree, deployed = [] }: ConsumerVerdict): string {
  return [`${place.file}:${place.line}`, tree && `as it was at ${tree}`, deployed.length > 0 && `deployed to ${deployed.join(' and ')}`].filter(Boolean).join(', ');
}

const SEVERITIES = ['error', 'warning', 'info'] as const;

/** Errors first, what is accepted last, otherwise as they come: what a limit cuts off is the least of it. */
export function gravestFirst(findings: readonly Finding[]): Finding[] {
  return [false, true].flatMap((accepted) => SEVERITIES.flatMap((severity) => findings.filter((finding) => finding.severity === severity && Boolean(finding.accepted) === accepted)));
}
