import type { Acceptance } from './acceptances.js';
import { fingerprintsOf, withAcceptances } from './accepting.js';
import { type Comparison, compareContracts } from './compare.js';
import { deprecationFindings } from './deprecation.js';
import type { Finding } from './finding.js';
import { grantFindings } from './grants.js';
import type { Base, Landscape } from './landscape.js';
import { registryFindings } from '../lock/findings.js';
import { byText } from '../sorted.js';
import { productionFindings } from './production-findings.js';
import { styleFindings } from './style.js';

/** What a check found, whom it hits, and how much was looked at. */
export interface CheckResult extends Omit<Comparison, 'subjects'> {
  /** Why it was compared with less than it should have been, and how to get at it. */
  readonly reduced?: { readonly message: string; readonly advice: string };
}

export interface CheckOptions {
  /** As YYYY-MM-DD: deprecations and acceptances have dates. */
  readonly today: string;
  readonly acceptances?: readonly Acceptance[];
  /** What a look at the code of the apps found. */
  readonly usage?: readonly Finding[];
}

/**
 * Everything there is to say about declarations: whom a change breaks (`compareContracts`), and what is wrong with them whoever reads them: deprecations and removals,
 * grants of personal data, what is registered beside them, style. Sorted by place; accepted findings are marked.
 */
export function checkContracts(now: Landscape, bases: readonly Base[], { today, acceptances = [], usage = [] }: CheckOptions): CheckResult {
  const { findings, subjects, consumers, facts } = compareContracts(now, bases);
  const landscapes = bases.flatMap((base) => base.landscapes);
  const histories = bases.flatMap(({ history }) => (history ? [history] : []));
  const deprecations = deprecationFindings(now, landscapes, today);
  const removed = new Set(deprecations.filter(({ rule }) => rule.startsWith('removed-')).map(({ fact, field }) => `${fact} ${field}`)); // says who would read a default as well
  const all = [
    ...findings.filter(({ rule, fact, field }) => rule !== 'consumer-degraded' || !removed.has(`${fact} ${field}`)),
    ...deprecations,
    ...productionFindings(now, landscapes),
    ...grantFindings(now, landscapes),
    ...histories.flatMap((history) => registryFindings(now, history, bases).filter(({ rule }) => rule !== 'registry-drift' || !history.file)), // a lock is behind until what is merged is applied
    ...styleFindings(now),
    ...usage,
  ];
  const told = withAcceptances(all, acceptances, { today, fingerprints: fingerprintsOf(subjects) });
  return { findings: told.toSorted((one, other) => byText(one.place.file, other.place.file) || one.place.line - other.place.line), consumers, facts };
}
