import { grouped } from 'factline/kernel';
import { fingerprintOf } from '../canonical.js';
import { daysAfter } from '../day.js';
import { ACCEPTANCE_MAX_DAYS } from '../limits.js';
import { type Acceptance, GONE } from './acceptances.js';
import { type Finding, findingAt } from './finding.js';
import type { RuleId } from './rules.js';
import type { Subject } from './subjects.js';

/** Contract fingerprints of the versions of a fact that were compared: those before by the names that findings give them in `against`, and that of now. */
export interface Compared {
  readonly from: ReadonlyMap<string, string>;
  /** `gone` when the fact is not declared any more. */
  readonly to: string;
}

export type Fingerprints = (fact: string) => Compared;

/** Of everything that a check compares. Asked again, it answers what it found the first time. */
export function fingerprintsOf(subjects: readonly Subject[]): Fingerprints {
  const byName = new Map(subjects.map((subject) => [subject.factName, subject]));
  const known = new Map<string, Compared>();
  return (fact) => {
    let compared = known.get(fact);
    if (!compared) {
      const { now, versions = [] } = byName.get(fact) ?? {};
      const from = new Map(versions.flatMap(({ names, schema }) => names.map((name) => [name, fingerprintOf(schema)])));
      known.set(fact, (compared = { from, to: now ? fingerprintOf(now.schema) : GONE }));
    }
    return compared;
  };
}

/** Which finding is meant. */
export interface FindingKey {
  readonly rule: RuleId;
  readonly fact: string;
  readonly field: string;
}

/**
 * Marks the findings that are accepted, and adds what is wrong with acceptances, at their lines. A finding is accepted when one entry names its rule, fact and field,
 * the schema now, every schema before that it was found against, and every app that it affects, and has not expired; `until` itself still counts.
 *
 * After the merge the schema that was accepted is the base, and nothing is found any more; comparisons with older versions (registered, deployed) still need the entry.
 * So an entry without use is a warning only where its fact changes: a change elsewhere does not fail over it.
 * @param today as YYYY-MM-DD.
 */
export function withAcceptances(findings: readonly Finding[], acceptances: readonly Acceptance[], { today, fingerprints }: { today: string; fingerprints: Fingerprints }): Finding[] {
  const last = lastDay(today);
  const named = grouped(acceptances, keyOf);
  const used = new Set<Acceptance>();
  const missed = new Set<Acceptance>();
  const found = grouped(findings, keyOf);
  const told = findings.map((finding): Finding => {
    const covering = (named.get(keyOf(finding)) ?? []).filter((acceptance) => covers(acceptance, finding, fingerprints(finding.fact)));
    const inForce = covering.find(({ until }) => until >= today && until <= last);
    for (const acceptance of covering) {
      used.add(acceptance);
      if (!inForce) missed.add(acceptance);
    }
    return inForce ? { ...finding, accepted: { reason: inForce.reason, approvedBy: inForce.approvedBy, until: inForce.until } } : finding;
  });
  const faults = acceptances.flatMap((acceptance) => {
    if (acceptance.until > last) return faultOf('acceptance-too-long', acceptance, `${acceptance.until} is more than ${ACCEPTANCE_MAX_DAYS} days away.`);
    if (missed.has(acceptance)) return faultOf('acceptance-expired', acceptance, `${acceptance.rule} was accepted until ${acceptance.until} by ${acceptance.approvedBy}: ${acceptance.reason}`);
    return used.has(acceptance) ? [] : unused(acceptance, found.get(keyOf(acceptance)) ?? [], fingerprints(acceptance.fact));
  });
  return [...told, ...faults];
}

/** The last day that may be written today. @throws RangeError when `today` is no day. */
export function lastDay(today: string): string {
  return daysAfter(today, ACCEPTANCE_MAX_DAYS);
}

/** What names a finding in an acceptance. */
export function keyOf({ rule, fact, field }: FindingKey): string {
  return JSON.stringify([rule, fact, field]);
}

function covers(acceptance: Acceptance, finding: Finding, compared: Compared): boolean {
  const before = foundAgainst(finding, compared);
  return acceptance.to === compared.to && before.length > 0 && before.every((print) => acceptance.from.includes(print)) && affectedBy(finding).every((app) => acceptance.apps.includes(app));
}

/** Fingerprints of the schemas that a finding was found against. A name that stands for none is left, so that nothing covers it. */
export function foundAgainst({ against }: Finding, { from }: Compared): string[] {
  return against.map((name) => from.get(name) ?? name);
}

export function affectedBy({ consumers }: Finding): string[] {
  return consumers.filter(({ verdict }) => verdict !== 'SAFE').map(({ app }) => app);
}

function faultOf(rule: RuleId, { fact, field, place }: Acceptance, message: string): Finding[] {
  return [findingAt(rule, { fact, field, place }, message)];
}

/** @param near the findings of that rule and field. */
function unused(acceptance: Acceptance, near: readonly Finding[], compared: Compared): Finding[] {
  const { rule, fact, field, from, to, apps, until, place } = acceptance;
  const before = [...compared.from.values()];
  const merged = to === GONE ? compared.to === GONE && before.length === 0 : before.includes(to);
  if (near.length === 0 && (merged || before.every((print) => print === compared.to))) {
    const message = merged
      ? `The schema it accepts is part of what is compared with: it has done its work here. Comparisons with versions before it need it until ${until}.`
      : `It accepts the schema ${to}, which is neither that of now nor compared with. It can go.`;
    return [findingAt('acceptance-unused', { fact, field, place }, message, { severity: 'info' })];
  }
  if (compared.to !== to) return faultOf('acceptance-unused', acceptance, `It accepts the schema ${to}; now it is ${compared.to}.`);
  if (near.length === 0) return faultOf('acceptance-unused', acceptance, `Nothing is found for ${rule} at ${field || fact}.`);
  const more = [...new Set(near.flatMap(affectedBy))].filter((app) => !apps.includes(app));
  if (more.length > 0) return faultOf('acceptance-unused', acceptance, `${more.join(', ')} ${more.length === 1 ? 'is' : 'are'} affected too, which it does not name.`);
  const others = [...new Set(near.flatMap((finding) => foundAgainst(finding, compared)))];
  return faultOf('acceptance-unused', acceptance, `It accepts a change from ${from.join(', ')}; found is one from ${others.join(', ')}.`);
}
