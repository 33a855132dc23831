import { RULES, type RuleId, type Severity } from './rules.js';

/** Where something is written; line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/**
 * What a change does to one consumer of a fact. BROKEN: its reader cannot resolve the new writer, or what was stated before. DEGRADED: it reads, and a field it
 * selects comes from a default or means something else. SAFE: what it selects is untouched.
 */
export type Verdict = 'BROKEN' | 'DEGRADED' | 'SAFE';

/** One app that reads a fact, and what a change does to it. */
export interface ConsumerVerdict {
  readonly app: string;
  readonly fact: string;
  readonly verdict: Verdict;
  /** The selection of the field in question, or of the fact. */
  readonly place: Place;
  /** Where the contract was read, when that is not the working tree: an app as it was at the base, which may still run. */
  readonly tree?: string;
  /** Deployments in which it is not SAFE: `prod 4f1c2a9`. */
  readonly deployed?: readonly string[];
  /** Fields that are not what they were, with the reason. Empty when SAFE. */
  readonly reasons: readonly { readonly field: string; readonly message: string }[];
}

/** One rule that is broken at one place. The same declarations and bases give the same findings. */
export interface Finding {
  readonly rule: RuleId;
  readonly severity: Severity;
  readonly fact: string;
  /** `address.zip`, `lines[].sku` (array), `labels{}.text` (map); empty for the fact itself. */
  readonly field: string;
  readonly place: Place;
  readonly message: string;
  /** What it was compared with: names of bases and versions. */
  readonly against: readonly string[];
  /** Every consumer of the fact, the worst first. */
  readonly consumers: readonly ConsumerVerdict[];
  readonly advice: string;
  /** Somebody answers for it until that day: it is told, and counts as nothing. */
  readonly accepted?: { readonly reason: string; readonly approvedBy: string; readonly until: string };
}

/** A finding about what is declared, whoever reads it: no consumer is judged. `against` is what it was compared with, if anything. */
export function findingAt(rule: RuleId, at: { fact: string; field: string; place: Place }, message: string, { severity, against = [] }: { severity?: Severity; against?: readonly string[] } = {}): Finding {
  return { rule, severity: severity ?? RULES[rule].severity, ...at, message, against, consumers: [], advice: RULES[rule].instead };
}

/** A path without the marks of arrays `[]` and maps `{}`: as a selection names it. */
export function plain(path: string): string {
  return path.replaceAll(/\[\]|\{\}/g, '');
}

/** Whether two field paths speak of the same data: one is the other, or holds it. Elements of arrays and maps count as their field. */
export function related(one: string, other: string): boolean {
  const [a, b] = [plain(one), plain(other)];
  return a === b || a === '' || b === '' || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);
}
