import type { AvroNode } from '../avro-json.js';
import type { RawContract } from '../raw-contract.js';
import type { DeclaredFact, DeclaredSchemas } from '../schemas.js';
import { type Selection, verdictOf } from './consumers.js';
import { type ConsumerVerdict, type Finding, type Verdict, related } from './finding.js';
import { changesOfMeaning } from './meaning.js';
import type { Places } from './places.js';
import { RULES, type RuleId } from './rules.js';
import { type Version, changesOnTheWire } from './wire.js';

/** Schemas and contracts at one moment. */
export interface Landscape {
  /** `working tree`, `git 4f1c2a9`. */
  readonly name: string;
  readonly schemas: DeclaredSchemas;
  readonly contracts: readonly RawContract[];
  readonly places: Places;
}

export interface CheckResult {
  readonly findings: readonly Finding[];
  /** One entry per app and fact it consumes. */
  readonly consumers: readonly ConsumerVerdict[];
  /** Counts of fact types: looked at, new, changed, gone. */
  readonly facts: { readonly checked: number; readonly added: number; readonly changed: number; readonly removed: number };
}

interface Subject {
  readonly factName: string;
  readonly now: DeclaredFact | undefined;
  readonly before: DeclaredFact | undefined;
  readonly versions: readonly Version[];
  readonly consumers: readonly ConsumerVerdict[];
}

/**
 * Compares what is declared now with what was declared before, and says whom it breaks.
 *
 * Judged are the apps as they are declared now and as they were before: one that stops selecting a field in the same change still runs with the old selection
 * until it is deployed. Not judged: apps that declare nothing here.
 */
export function checkContracts(now: Landscape, before: Landscape): CheckResult {
  const subjects = [...new Set([...now.schemas.facts.keys(), ...before.schemas.facts.keys(), ...consumedIn(now)])].toSorted().map((factName) => subjectOf(factName, now, before));
  const findings = subjects.flatMap((subject) => findingsOf(subject, now, before));
  const changed = subjects.filter(({ now: is, before: was }) => is && was && JSON.stringify(is.schema) !== JSON.stringify(was.schema));
  return {
    findings: findings.toSorted((one, other) => compare(`${one.place.file}:`, `${other.place.file}:`) || one.place.line - other.place.line),
    consumers: subjects.flatMap(({ consumers }) => consumers),
    facts: {
      checked: now.schemas.facts.size,
      added: subjects.filter(({ now: is, before: was }) => is && !was).length,
      changed: changed.length,
      removed: subjects.filter(({ now: is, before: was }) => !is && was).length,
    },
  };
}

function consumedIn({ contracts }: Landscape): string[] {
  return contracts.flatMap(({ consumes }) => consumes.map(({ fact }) => fact));
}

function subjectOf(factName: string, now: Landscape, before: Landscape): Subject {
  const [is, was] = [now, before].map(({ schemas }) => schemas.facts.get(factName));
  const versions = was ? [{ name: before.name, schema: was.schema }] : [];
  const here = consumersOf(factName, now, versions, is?.schema);
  const there = consumersOf(factName, before, versions, is?.schema).filter(({ app, verdict }) => worse(verdict, here.find((other) => other.app === app)?.verdict));
  const worst = [...here.filter(({ app }) => !there.some((other) => other.app === app)), ...there.map((verdict) => ({ ...verdict, tree: before.name }))];
  return { factName, now: is, before: was, versions, consumers: worstFirst(worst) };
}

const RANK: Readonly<Record<Verdict, number>> = { SAFE: 0, DEGRADED: 1, BROKEN: 2 };

function worstFirst(consumers: readonly ConsumerVerdict[]): ConsumerVerdict[] {
  return consumers.toSorted((one, other) => RANK[other.verdict] - RANK[one.verdict] || compare(one.app, other.app));
}

function worse(verdict: Verdict, than: Verdict | undefined): boolean {
  return than === undefined ? verdict !== 'SAFE' : RANK[verdict] > RANK[than];
}

function consumersOf(fact: string, { contracts, places }: Landscape, versions: readonly Version[], after: AvroNode | undefined): ConsumerVerdict[] {
  return contracts.flatMap(({ app, file, consumes }) =>
    consumes
      .filter((consumed) => consumed.fact === fact)
      .map((consumed) => {
        const found = verdictOf(selectionOf(consumed.select), versions, after);
        const { verdict, reasons } = found === 'unknown' ? { verdict: 'BROKEN' as const, reasons: [] } : found;
        const entry = consumed.select === '*' ? undefined : consumed.select.find(({ field }) => reasons.some((reason) => related(field, reason.field)));
        return { app, fact, verdict, reasons, place: places.inFile(file, entry?.path ?? consumed.path) };
      }),
  );
}

function selectionOf(select: RawContract['consumes'][number]['select']): Selection {
  return { select: select === '*' ? '*' : select.map(({ field }) => field) };
}

function findingsOf(subject: Subject, now: Landscape, before: Landscape): Finding[] {
  const { factName, now: is, before: was } = subject;
  if (!is) return was ? [finding('fact-removed', subject, '', `${factName} was declared in ${was.file}.`, before.places.ofField(factName, ''), [before.name])] : unknown(subject, now);
  const place = (path: string) => now.places.ofField(factName, path);
  const found: Finding[] = unknown(subject, now);
  if (!was) return [...found, finding('fact-added', subject, '', `${factName} is new.`, place(''), [before.name])];
  for (const { rule, path, message, against } of changesOnTheWire(is.schema, subject.versions, is.compatibility ?? 'FULL_TRANSITIVE')) {
    found.push(finding(rule, subject, path, message, place(path), against));
  }
  for (const { rule, path, message } of changesOfMeaning(was.schema, is.schema)) {
    if (!found.some((other) => other.field === path)) found.push(finding(rule, affectedBy(subject, path, message, before), path, message, place(path), [before.name]));
  }
  for (const key of ['keyField', 'partitions', 'name'] as const) {
    if (is.topic[key] !== was.topic[key]) found.push(finding('key-changed', subject, '', `${key} of the topic was ${was.topic[key]} and is ${is.topic[key]} now.`, place(''), [before.name]));
  }
  return [...found, ...unexplained(subject, found)];
}

/** Apps that are not SAFE for a reason that no other finding names: the level of the subject allows the change. */
function unexplained(subject: Subject, found: readonly Finding[]): Finding[] {
  return subject.consumers
    .filter(({ verdict }) => verdict !== 'SAFE')
    .flatMap((consumer) =>
      consumer.reasons
        .filter(({ field }) => !found.some((other) => related(other.field, field)))
        .map(({ field, message }) =>
          finding(consumer.verdict === 'BROKEN' ? 'consumer-broken' : 'consumer-degraded', subject, field, `${consumer.app}: ${field || subject.factName} ${message}`, consumer.place, subject.versions.map(({ name }) => name)),
        ),
    );
}

function unknown(subject: Subject, now: Landscape): Finding[] {
  return now.contracts.flatMap(({ file, consumes }) =>
    consumes
      .filter(({ fact }) => fact === subject.factName)
      .flatMap(({ select, path }) => {
        const schema = (subject.now ?? subject.before)?.schema;
        if (!schema) return [finding('selects-unknown', subject, '', `there is no fact '${subject.factName}'`, now.places.inFile(file, path), [now.name])];
        if (select === '*') return [];
        return select
          .filter(({ field }) => verdictOf({ select: [field] }, subject.versions, schema) === 'unknown')
          .map(({ field, path: at }) => finding('selects-unknown', subject, field, `${subject.factName} has no field '${field}'`, now.places.inFile(file, at), [now.name]));
      }),
  );
}

/** Who selects a field that means something else now reads on, and reads something else. */
function affectedBy(subject: Subject, path: string, message: string, before: Landscape): Subject {
  const selects = ({ app }: ConsumerVerdict) =>
    before.contracts.some((contract) => contract.app === app && contract.consumes.some(({ fact, select }) => fact === subject.factName && (select === '*' || select.some(({ field }) => related(field, path)))));
  return {
    ...subject,
    consumers: subject.consumers.map((consumer) => (consumer.verdict === 'SAFE' && selects(consumer) ? { ...consumer, verdict: 'DEGRADED', reasons: [{ field: path, message }] } : consumer)),
  };
}

function finding(rule: RuleId, subject: Subject, field: string, message: string, place: Finding['place'], against: readonly string[]): Finding {
  const { severity, instead } = RULES[rule];
  const consumers = subject.consumers.map((consumer) =>
    consumer.reasons.length === 0 || consumer.reasons.some((reason) => related(reason.field, field)) ? consumer : { ...consumer, verdict: 'SAFE' as const, reasons: [] },
  );
  const affected = consumers.some(({ verdict }) => verdict !== 'SAFE');
  const forbidden = severity === 'error' && !affected && consumers.length > 0;
  return { rule, severity, fact: subject.factName, field, place, message, against, consumers: worstFirst(consumers), advice: forbidden ? `No declared consumer is affected; the rule forbids it all the same, for consumers nobody declared. ${instead}` : instead };
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
