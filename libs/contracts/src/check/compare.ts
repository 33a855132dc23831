import { levelOf } from '../levels.js';
import { type ConsumerVerdict, type Finding, findingAt } from './finding.js';
import { type Base, type Landscape, selectionsOf } from './landscape.js';
import { changesOfMeaning } from './meaning.js';
import { Readings } from './readings.js';
import { RelatedFields } from './related-fields.js';
import type { RuleId } from './rules.js';
import { selectionFindings } from './selection-findings.js';
import { type Subject, subjectsOf, worstFirst } from './subjects.js';
import { changesOnTheWire } from './wire.js';

/** What comparing found, and what it compared. */
export interface Comparison {
  readonly findings: readonly Finding[];
  readonly subjects: readonly Subject[];
  /** One entry per app and fact it consumes. */
  readonly consumers: readonly ConsumerVerdict[];
  /** Counts of fact types: looked at, new, changed, gone. */
  readonly facts: { readonly checked: number; readonly added: number; readonly changed: number; readonly removed: number };
}

/**
 * Compares what is declared now with what was declared, registered or deployed before, and says whom it breaks.
 *
 * Judged are the apps as they are declared now and as they are at the bases. Not judged: apps that declare nothing there.
 */
export function compareContracts(now: Landscape, bases: readonly Base[]): Comparison {
  const readings = new Readings();
  const subjects = subjectsOf(now, bases, readings);
  const comparing = new Comparing(now, bases, readings);
  const findings = subjects.map((subject) => comparing.findings(subject));
  return {
    findings: findings.flat(),
    subjects,
    consumers: subjects.flatMap(({ consumers }, at) => atWorst(consumers, findings[at]!)),
    facts: {
      checked: now.schemas.facts.size,
      added: subjects.filter(isNew).length,
      changed: subjects.filter(({ now: is, versions }) => is && versions.some(({ last, schema }) => last && readings.print(schema) !== readings.print(is.schema))).length,
      removed: subjects.filter(({ now: is, versions }) => !is && versions.length > 0).length,
    },
  };
}

/** Not where only a deployed consumer knows it: its producer is not deployed there, and the fact is none the newer for that. */
function isNew({ now, versions, consumptions }: Subject): boolean {
  return now !== undefined && versions.length === 0 && consumptions.every(({ landscape, entry }) => !landscape.apps || !landscape.schemas.facts.has(entry.fact));
}

/** As the findings have it: a field that means something else now degrades who reads on. */
function atWorst(consumers: readonly ConsumerVerdict[], findings: readonly Finding[]): ConsumerVerdict[] {
  const hit = new Map<string, ConsumerVerdict>();
  for (const finding of findings) {
    for (const consumer of finding.consumers) if (consumer.verdict !== 'SAFE' && !hit.has(consumer.app)) hit.set(consumer.app, consumer);
  }
  return consumers.map((consumer) => (consumer.verdict === 'SAFE' ? (hit.get(consumer.app) ?? consumer) : consumer));
}

class Comparing {
  readonly #reasons = new WeakMap<ConsumerVerdict['reasons'], RelatedFields<ConsumerVerdict['reasons'][number]>>();

  constructor(
    private readonly now: Landscape,
    private readonly bases: readonly Base[],
    private readonly readings: Readings,
  ) {}

  findings(subject: Subject): Finding[] {
    const { factName, now: is, versions } = subject;
    if (!is) return versions.length > 0 ? [this.#removed(subject)] : selectionFindings(subject, this.now, this.readings);
    const unreadable = this.readings.faultsOf(is.schema).map(({ rule, path, message }) => this.#finding(rule, subject, path, message, this.#place(subject, path), [this.now.name]));
    if (isNew(subject)) return [...selectionFindings(subject, this.now, this.readings), ...unreadable, this.#finding('fact-added', subject, '', `${factName} is new.`, this.#place(subject, ''), this.bases.map(({ name }) => name))];
    const wire = changesOnTheWire(is.schema, versions, levelOf(is), this.readings).map(({ rule, path, message, against }) =>
      this.#finding(rule, subject, path, message, this.#place(subject, path), against),
    );
    const said = new Set(unreadable.map(({ rule, field }) => `${rule} ${field}`));
    const known = [...selectionFindings(subject, this.now, this.readings), ...unreadable, ...wire.filter(({ rule, field }) => !said.has(`${rule} ${field}`))];
    const found = [...known, ...this.#meaning(subject, known), ...this.#topic(subject)];
    return [...found, ...this.#unexplained(subject, found)];
  }

  #place({ factName }: Subject, field: string): Finding['place'] {
    return this.now.places.ofField(factName, field);
  }

  #removed(subject: Subject): Finding {
    const { factName, before, versions } = subject;
    const against = [...new Set(versions.flatMap(({ names }) => names))];
    const [last] = before;
    if (last) return this.#finding('fact-removed', subject, '', `${factName} was declared in ${last.fact.file}.`, last.landscape.places.ofField(factName, ''), against);
    return this.#finding('fact-removed', subject, '', `${factName} was registered, and is not declared.`, this.#registeredAt(subject), against);
  }

  /** The lock; of what only a registry has, who consumes it here: nothing else would have asked for it. */
  #registeredAt({ factName, consumptions }: Subject): Finding['place'] {
    const lock = this.bases.find(({ history }) => history?.file && history.subjects.has(factName))?.history;
    if (lock) return { file: lock.file!, line: 1, column: 1 };
    const { file, entry } = consumptions.find(({ landscape }) => landscape === this.now)!;
    return this.now.places.inFile(file, entry.path);
  }

  /** What is said once about the bytes is not said again about their meaning. */
  #meaning(subject: Subject, said: readonly Finding[]): Finding[] {
    const found = new Map<string, Finding>();
    const about = new Set(said.map(({ field }) => field));
    const is = this.readings.print(subject.now!.schema);
    for (const { names, schema } of subject.versions.filter(({ last, schema: was }) => last && this.readings.print(was) !== is)) {
      for (const { rule, path, message } of changesOfMeaning(schema, subject.now!.schema)) {
        if (about.has(path)) continue;
        const key = `${rule} ${path} ${message}`;
        const against = [...(found.get(key)?.against ?? []), ...names];
        found.set(key, this.#finding(rule, degradedBy(subject, path, message), path, message, this.#place(subject, path), against));
      }
    }
    return [...found.values()];
  }

  #topic(subject: Subject): Finding[] {
    const is = subject.now!.topic;
    return (['keyField', 'partitions', 'name'] as const).flatMap((key) => {
      const others = subject.before.filter(({ fact }) => fact.topic[key] !== is[key]);
      const [first] = others;
      if (!first) return [];
      return [this.#finding('key-changed', subject, '', `${key} of the topic was ${first.fact.topic[key]} and is ${is[key]} now.`, this.#place(subject, ''), others.map(({ landscape }) => landscape.name))];
    });
  }

  /** Apps that are not SAFE for a reason that no other finding names: the level of the subject allows the change. One finding a field, at the worst of them. */
  #unexplained(subject: Subject, found: readonly Finding[]): Finding[] {
    const against = subject.versions.flatMap(({ names }) => names);
    const said = new Map<string, Finding>();
    const explained = new RelatedFields(found, (other) => other.field);
    for (const consumer of subject.consumers.filter(({ verdict }) => verdict !== 'SAFE')) {
      for (const { field, message } of consumer.reasons) {
        if (said.has(field) || explained.has(field)) continue;
        const rule = consumer.verdict === 'BROKEN' ? 'consumer-broken' : 'consumer-degraded';
        said.set(field, this.#finding(rule, subject, field, `${field || subject.factName} ${message}.`, consumer.place, against.length > 0 ? against : (consumer.deployed ?? [])));
      }
    }
    return [...said.values()];
  }

  #finding(rule: RuleId, subject: Subject, field: string, message: string, place: Finding['place'], against: readonly string[]): Finding {
    const found = findingAt(rule, { fact: subject.factName, field, place }, message, { against });
    const consumers = subject.consumers.map((consumer) =>
      consumer.reasons.length === 0 || this.#reasonsOf(consumer).has(field) ? consumer : { ...consumer, verdict: 'SAFE' as const, reasons: [] },
    );
    const affected = consumers.some(({ verdict }) => verdict !== 'SAFE');
    const forbidden = found.severity === 'error' && !affected && consumers.length > 0;
    return { ...found, consumers: worstFirst(consumers), advice: forbidden ? `No declared consumer is affected; the rule forbids it all the same, for consumers nobody declared. ${found.advice}` : found.advice };
  }

  #reasonsOf({ reasons }: ConsumerVerdict): RelatedFields<ConsumerVerdict['reasons'][number]> {
    let index = this.#reasons.get(reasons);
    if (!index) this.#reasons.set(reasons, (index = new RelatedFields(reasons, ({ field }) => field)));
    return index;
  }
}

/** Who selects a field that means something else now reads on, and reads something else. */
function degradedBy(subject: Subject, path: string, message: string): Subject {
  const selecting = new Map(
    subject.consumptions.flatMap(({ app, file, entry, landscape }) => {
      const [selected] = selectionsOf(entry, path);
      return selected ? [[app, landscape.places.inFile(file, selected.path)] as const] : [];
    }).toReversed(), // the first one, of the working tree, counts
  );
  const degraded = (consumer: ConsumerVerdict): ConsumerVerdict => ({ ...consumer, verdict: 'DEGRADED', reasons: [{ field: path, message }], place: selecting.get(consumer.app)! });
  return { ...subject, consumers: subject.consumers.map((consumer) => (consumer.verdict === 'SAFE' && selecting.has(consumer.app) ? degraded(consumer) : consumer)) };
}
