import { namespaceOf } from '../avro-json.js';
import { fingerprintOf } from '../canonical.js';
import { levelOf } from '../levels.js';
import type { DeclaredFact } from '../schemas.js';
import { type Finding, findingAt } from '../check/finding.js';
import type { History, RegisteredSubject } from './history.js';
import { type Base, type Landscape, statedIn } from '../check/landscape.js';
import { normalForm, withoutDocs } from './normal-form.js';

/**
 * What a registry, or the lock, has beside what is declared. Documentation counts for nothing here.
 *
 * A change that is declared, merged, applied and pulled, in this order, is at most told (info): before it is applied it is in the working tree alone, after that
 * it is also in a base or the lock, and until it is pulled the working tree knows what the registry has. So `registered-out-of-band` (warning) is only said of
 * versions newer than every version that the working tree, the bases and their locks know, and only when there is a base beside the history itself; and
 * `level-drift` is a warning only for a registry whose level no base declares either.
 * @param bases everything else that is compared with, the base of this history included.
 */
export function registryFindings(now: Landscape, history: History, bases: readonly Base[] = []): Finding[] {
  return new Comparison(now, history, bases).findings();
}

class Comparison {
  readonly #prints = new WeakMap<object, string>();
  readonly #landscapes: readonly Landscape[];
  readonly #others: readonly History[];

  constructor(
    private readonly now: Landscape,
    private readonly history: History,
    bases: readonly Base[],
  ) {
    this.#landscapes = bases.flatMap((base) => base.landscapes);
    this.#others = bases.flatMap(({ history: other }) => (other?.file && other !== history ? [other] : []));
  }

  findings(): Finding[] {
    const declared = [...this.now.schemas.facts.values()].flatMap((fact) => [...this.#versions(fact), ...this.#level(fact)]);
    return [...declared, ...this.#undeclared()];
  }

  #versions(fact: DeclaredFact): Finding[] {
    const versions = this.history.subjects.get(fact.factName)?.versions ?? [];
    const newest = versions.at(-1);
    if (!newest) return this.#before(fact.factName).length > 0 ? [this.#about('registry-drift', fact, `No version of it is registered (${this.history.name}).`)] : [];
    const here = this.#print(fact.schema);
    if (this.#print(newest.schema) === here) return [];
    const unknown = this.#unknown(fact, versions);
    if (unknown.length > 0) return [this.#about('registered-out-of-band', fact, `${numbered(unknown)} in ${this.history.name} and nothing here knows ${unknown.length === 1 ? 'it' : 'them'}.`)];
    const same = versions.findLast(({ schema }) => this.#print(schema) === here);
    const message = same
      ? `The working tree has version ${same.version}, and version ${newest.version} is registered (${this.history.name}).`
      : `It is not registered yet: version ${newest.version} is the newest (${this.history.name}).`;
    return [this.#about('registry-drift', fact, message)];
  }

  /** Versions after the newest that is known here. An older one that is unknown was superseded before it was pulled, and the next pull shows it. */
  #unknown(fact: DeclaredFact, versions: RegisteredSubject['versions']): RegisteredSubject['versions'] {
    if (this.history.file || this.#landscapes.length + this.#others.length === 0) return [];
    const known = new Set([fact.schema, ...this.#before(fact.factName)].map((schema) => this.#print(schema)));
    return versions.slice(versions.findLastIndex(({ schema }) => known.has(this.#print(schema))) + 1);
  }

  /** Every schema that bases and locks have of a fact. */
  #before(factName: string): object[] {
    return [
      ...this.#landscapes.flatMap((landscape) => statedIn(landscape, factName)?.schema ?? []),
      ...this.#others.flatMap(({ subjects }) => (subjects.get(factName)?.versions ?? []).map(({ schema }) => schema)),
    ];
  }

  #level(fact: DeclaredFact): Finding[] {
    const enforced = this.history.subjects.get(fact.factName)?.level;
    const declared = levelOf(fact);
    if (enforced === undefined || enforced === declared) return [];
    const waits = this.history.file !== undefined || this.#landscapes.some((landscape) => {
      const before = statedIn(landscape, fact.factName);
      return before && levelOf(before) === enforced;
    });
    return [this.#about('level-drift', fact, `${enforced} is enforced (${this.history.name}), and ${declared} is declared.`, waits ? 'info' : undefined)];
  }

  /** Of a lock the check itself says it. Subjects of other namespaces belong to others: registries are shared. */
  #undeclared(): Finding[] {
    if (this.history.file) return [];
    const neighbours = new Map([...this.now.schemas.facts.keys()].map((factName) => [namespaceOf(factName), factName]));
    return [...this.history.subjects.keys()]
      .filter((subject) => !this.now.schemas.facts.has(subject))
      .flatMap((subject) => {
        const neighbour = neighbours.get(namespaceOf(subject));
        if (neighbour === undefined) return [];
        const place = this.now.places.ofField(neighbour, '');
        return [findingAt('registered-undeclared', { fact: subject, field: '', place }, `${subject} is registered, and not declared.`, { against: [this.history.name] })];
      });
  }

  #about(rule: 'registry-drift' | 'registered-out-of-band' | 'level-drift', { factName }: DeclaredFact, message: string, severity?: 'info'): Finding {
    return findingAt(rule, { fact: factName, field: '', place: this.now.places.ofField(factName, '') }, message, { against: [this.history.name], ...(severity && { severity }) });
  }

  #print(schema: object): string {
    let print = this.#prints.get(schema);
    if (print === undefined) this.#prints.set(schema, (print = fingerprintOf(withoutDocs(normalForm(schema as DeclaredFact['schema'])) as object)));
    return print;
  }
}

function numbered(versions: RegisteredSubject['versions']): string {
  const [one] = versions;
  return versions.length === 1 ? `Version ${one!.version} (id ${one!.id}) is registered` : `Versions ${versions.map(({ version }) => version).join(', ')} are registered`;
}
