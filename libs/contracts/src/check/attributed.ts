import type { BareChange, DeclaredChange } from './declared-change.js';
import { type ConsumerVerdict, type Finding, plain, related } from './finding.js';
import type { Landscape } from './landscape.js';
import { WIRE_RULES } from './rules/wire.js';
import { type Subject, worstFirst } from './subjects.js';

interface Judged {
  readonly change: BareChange;
  readonly subject?: Subject;
  readonly findings: Finding[];
}

/**
 * Puts each finding beside the change it is about: the field itself, else the nearest one above or below it; the setting of the topic; else what an app reads otherwise.
 * A finding about a changed fact that none of them explains becomes a change of its own. What is found where nothing has changed was so before, and is left out.
 */
export function attributed(facts: readonly { subject: Subject; changes: readonly BareChange[] }[], others: readonly BareChange[], findings: readonly Finding[], now: Landscape): DeclaredChange[] {
  const around = others.map((change): Judged => ({ change, findings: [] }));
  const told = findings.filter(({ severity }) => severity !== 'info');
  const judged = facts.flatMap(({ subject, changes }) => {
    const own = changes.map((change): Judged => ({ change, subject, findings: [] }));
    const unexplained = new Map<string, Judged>();
    for (const finding of told.filter(({ fact }) => fact === subject.factName)) {
      const places = placesOf(finding, own, around, subject);
      for (const place of places) place.findings.push(finding);
      if (places.length > 0 || own.length === 0) continue;
      const path = plain(finding.field);
      const found = unexplained.get(path) ?? { change: { of: 'fact', name: subject.factName, path, kind: 'changed', message: finding.message.replace(/\.$/, ''), place: now.places.ofField(subject.factName, path) }, subject, findings: [] };
      found.findings.push(finding);
      unexplained.set(path, found);
    }
    return [...own, ...unexplained.values()];
  });
  return [...judged, ...around].map(verdict);
}

function placesOf(finding: Finding, own: readonly Judged[], around: readonly Judged[], { now }: Subject): readonly Judged[] {
  const { fact, field } = finding;
  if (finding.rule === 'key-changed') {
    const setting = around.filter(({ change }) => change.of === 'topic' && change.name === now?.topic.name && finding.message.startsWith(`${change.path} `));
    if (setting.length > 0) return setting;
  }
  const near = own
    .filter(({ change: { path, kind } }) => (path === '' && kind === 'changed' ? field === '' : related(path, field)))
    .toSorted((one, other) => distance(one, field) - distance(other, field));
  if (near.length > 0) return near.slice(0, 1);
  return around.filter(({ change }) => change.of === 'app' && change.path === fact && concerns(finding, change.name));
}

function distance({ change: { path } }: Judged, field: string): number {
  return Math.abs(path.length - plain(field).length);
}

function concerns({ consumers, place, rule }: Finding, app: string): boolean {
  return consumers.some((consumer) => consumer.app === app && consumer.verdict !== 'SAFE') || (rule === 'selects-unknown' && place.file.includes(`/${app}/`));
}

function verdict({ change, subject, findings }: Judged): DeclaredChange {
  const judged = subject?.now && subject.versions.length > 0 ? { name: subject.now.compatibility ?? 'FULL_TRANSITIVE', allows: !findings.some(({ rule }) => Object.hasOwn(WIRE_RULES, rule)) } : undefined;
  return { ...change, ...(judged && { level: judged }), rules: [...new Set(findings.map(({ rule }) => rule))], consumers: hitBy(findings, change) };
}

/** Each app once, at its worst; beside the change of an app's contract that app alone. Resolution does not look at topics: whom a fact breaks, it breaks by its fields. */
function hitBy(findings: readonly Finding[], { of, name }: BareChange): ConsumerVerdict[] {
  if (of === 'topic') return [];
  const hit = findings.flatMap(({ consumers }) => consumers).filter(({ app, verdict: how }) => how !== 'SAFE' && (of !== 'app' || app === name));
  return worstFirst(hit).filter(({ app }, at, all) => all.findIndex((other) => other.app === app) === at);
}
