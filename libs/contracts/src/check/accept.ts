import { FactlineError } from 'factline/kernel';
import { isDay } from '../day.js';
import { ACCEPTABLE, type Acceptance, acceptancesFile, acceptancesOf, appended } from './acceptances.js';
import { type FindingKey, type Fingerprints, affectedBy, fingerprintsOf, foundAgainst, keyOf, lastDay } from './accepting.js';
import { checkContracts } from './check.js';
import type { Finding } from './finding.js';
import type { Base, Landscape } from './landscape.js';
import { Readings } from './readings.js';
import { subjectsOf } from './subjects.js';
import type { FileTree } from '../trees/tree.js';

/** A finding, and who answers for it. */
export interface AcceptRequest extends FindingKey, Pick<Acceptance, 'reason' | 'approvedBy' | 'until'> {
  /** Folder of the schemas below the root. */
  readonly schemas: string;
  /** As YYYY-MM-DD. */
  readonly today: string;
}

/**
 * The text of accepted.yaml with one entry more: it is pinned to the schemas now and at the bases, and to the apps that are affected. Nothing is written.
 * @throws FactlineError `acceptance.nothing` (there is no such finding), `acceptance.exists`, `acceptance.until` (over, or too far away), and as `acceptancesOf` does.
 */
export async function acceptFinding(tree: FileTree, now: Landscape, bases: readonly Base[], request: AcceptRequest): Promise<{ file: string; text: string; accepted: Acceptance }> {
  const { today, until, schemas } = request;
  const last = lastDay(today);
  if (!isDay(until) || until < today || until > last) {
    throw new FactlineError({ code: 'acceptance.until', kind: 'invalid', message: `'${until}' is over, too far away, or no day.`, advice: `Write a day from ${today} to ${last}.`, details: { until } });
  }
  const file = acceptancesFile(schemas);
  const before = (await tree.list(schemas)).includes(file) ? await tree.read(file) : '';
  const wanted = { ...request, ...pinsOf(checkContracts(now, bases, { today }).findings, fingerprintsOf(subjectsOf(now, bases, new Readings())), request) };
  refuseTwice(acceptancesOf(before, file), wanted);
  const text = appended(before, wanted);
  return { file, text, accepted: acceptancesOf(text, file).at(-1)! };
}

type Pins = Pick<Acceptance, 'from' | 'to' | 'apps'>;

function pinsOf(findings: readonly Finding[], fingerprints: Fingerprints, wanted: FindingKey): Pins {
  const meant = findings.filter((finding) => keyOf(finding) === keyOf(wanted));
  if (meant.length === 0) throw nothing(findings, wanted);
  const compared = fingerprints(wanted.fact);
  const from = [...new Set(meant.flatMap((finding) => foundAgainst(finding, compared)))].toSorted();
  return { from, to: compared.to, apps: [...new Set(meant.flatMap(affectedBy))].toSorted() };
}

function refuseTwice(acceptances: readonly Acceptance[], wanted: FindingKey & Pins): void {
  const other = acceptances.find((acceptance) => keyOf(acceptance) === keyOf(wanted) && acceptance.to === wanted.to && wanted.from.every((print) => acceptance.from.includes(print)));
  if (!other) return;
  const { place, until, apps } = other;
  const more = wanted.apps.filter((app) => !apps.includes(app));
  throw new FactlineError({
    code: 'acceptance.exists',
    kind: 'conflict',
    message: `It is in ${place.file}:${place.line} already, until ${until}.`,
    advice: more.length > 0 ? `If ${more.join(', ')} may be affected too, add to its apps there.` : 'Change its `until` and its `reason` there.',
    details: { ...place },
  });
}

function nothing(findings: readonly Finding[], { rule, fact, field }: FindingKey): FactlineError {
  const others = findings.filter((finding) => finding.fact === fact && ACCEPTABLE.has(finding.rule)).map((finding) => `${finding.rule}${finding.field ? ` --field '${finding.field}'` : ''}`);
  return new FactlineError({
    code: 'acceptance.nothing',
    kind: 'not-found',
    message: `There is nothing to accept: no ${rule} at ${field ? `${fact}.${field}` : fact}.`,
    advice: others.length > 0 ? `Found of ${fact}: ${others.join(', ')}.` : `Nothing that can be accepted is found of ${fact}; \`factline contracts check\` lists what is.`,
    details: { rule, fact, field },
  });
}
