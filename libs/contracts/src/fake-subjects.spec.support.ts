import type { CompatibilityLevel } from './facts.js';
import { type Line, Refusal, faultsOf, isSame, parsed } from './fake-schemas.spec.support.js';
import { isLevel } from './levels.js';

interface Version {
  readonly number: number;
  readonly id: number;
  deleted: boolean;
}

const noSubject = (name: string) => new Refusal(404, 40401, `Subject '${name}' not found.`);
const noVersion = (which: string) => new Refusal(404, 40402, `Version ${which} not found.`);
const noSchema = (what: string) => new Refusal(404, 40403, what);

/**
 * What a registry keeps and decides, as Apicurio does it; registry-conformance.int.spec.ts holds the two equal, and NOT_AS_CONFLUENT lists
 * where Apicurio is not as Confluent documents.
 * Not done: references, `normalize`, modes, contexts, other formats than Avro.
 */
export class FakeSubjects {
  readonly #versions = new Map<string, Version[]>();
  readonly #levels = new Map<string, CompatibilityLevel>();
  readonly #texts = new Map<number, string>();
  #lastId = 0;

  constructor(
    readonly line: Line,
    /** The global level; undefined until somebody sets one. */
    public level?: CompatibilityLevel,
  ) {}

  /** As after a restore from a backup: the id stands for another schema. */
  replace(id: number, schema: object): void {
    this.#texts.set(id, JSON.stringify(schema));
  }

  register(name: string, text: unknown): object {
    if (typeof text !== 'string' || text === '') throw new Refusal(500, 0, 'no schema');
    parsed(text);
    const known = this.#live(name).find(({ id }) => isSame(this.line, this.#texts.get(id)!, text));
    if (known) return { id: known.id };
    const level = this.#levels.get(name) ?? this.level;
    const against = this.#live(name).slice(level?.endsWith('_TRANSITIVE') ? 0 : -1);
    const faults = against.flatMap(({ id }) => faultsOf(level, text, this.#texts.get(id)!));
    const different = this.line === '3.0' ? faults : [...new Set(faults)];
    if (different.length > 0) {
      throw new Refusal(409, 409, `RuleViolationException: Incompatible artifact: ${name} [AVRO], num of incompatible diffs: {${different.length}}, list of diff types: [${different.join(', ')}]`);
    }
    const id = this.#idOf(text);
    const versions = this.#versions.get(name) ?? [];
    this.#versions.set(name, [...versions, { number: (versions.at(-1)?.number ?? 0) + 1, id, deleted: false }]);
    return { id };
  }

  lookup(name: string, text: string, deleted: boolean): object {
    const found = this.#seen(name, deleted).findLast(({ id }) => isSame(this.line, this.#texts.get(id)!, text));
    if (!found) throw noSchema(`The given schema does not match any schema under the subject ${name}`);
    const { schemaType: _none, ...answer } = this.#shown(name, found);
    return answer;
  }

  subjects(deleted: boolean): string[] {
    return [...this.#versions.keys()].filter((name) => deleted || this.#live(name).length > 0);
  }

  versions(name: string, deleted: boolean): number[] {
    return this.#seen(name, deleted).map(({ number }) => number);
  }

  version(name: string, which: string, deleted: boolean): { schema: string } {
    return this.#shown(name, this.#one(name, which, deleted));
  }

  /** Against one version, or against all with `which` undefined; the level says in which direction. */
  check(name: string, which: string | undefined, text: unknown): object {
    const against = this.#checkedAgainst(name, which);
    if (typeof text !== 'string') throw new Refusal(422, 42201, 'no schema');
    parsed(text);
    const level = this.#levels.get(name) ?? this.level ?? (this.line === '3.0' ? undefined : 'BACKWARD');
    return { is_compatible: against.every(({ id }) => faultsOf(level, text, this.#texts.get(id)!).length === 0) };
  }

  deleteVersion(name: string, which: string, permanent: boolean): number {
    const found = this.#one(name, which, true);
    if (permanent && !found.deleted) throw new Refusal(409, 40407, `Subject ${name} version ${which} must be soft deleted first`);
    if (!permanent && found.deleted) throw new Refusal(409, 40406, 'Schema is already soft deleted');
    found.deleted = true;
    if (permanent) this.#keep(name, this.#versions.get(name)!.filter((version) => version !== found));
    return found.number;
  }

  deleteSubject(name: string, permanent: boolean): number[] {
    const all = this.#seen(name, true);
    const live = this.#live(name);
    if (permanent && live.length > 0) throw new Refusal(409, 40405, `Subject ${name} must be soft deleted first`);
    if (!permanent && live.length === 0) throw new Refusal(404, 40404, `Subject ${name} is in soft deleted state.`);
    const told = (permanent || this.line === '3.3' ? all : live).map(({ number }) => number);
    for (const version of live) version.deleted = true;
    if (permanent) this.#keep(name, []);
    return told;
  }

  /** Of a subject; `NONE` when it exists and has no level of its own. */
  levelOf(name: string, orGlobal: boolean): CompatibilityLevel {
    const own = this.#levels.get(name);
    if (own) return own;
    if (!this.#versions.has(name)) throw noSubject(name);
    return orGlobal ? (this.level ?? 'NONE') : 'NONE';
  }

  setLevel(name: string | undefined, wanted: unknown): object {
    const level = String(wanted);
    if (!isLevel(level)) throw this.line === '3.0' ? new Refusal(500, 0, `Illegal compatibility level: ${level}`) : new Refusal(422, 42203, `Invalid compatibility level: ${level}`);
    const unset = level === 'NONE' && this.line === '3.0'; // its NONE takes the level away, so that the global one counts
    if (name === undefined) this.level = unset ? undefined : level;
    else if (!unset) this.#levels.set(name, level);
    else if (!this.#levels.delete(name) && !this.#versions.has(name)) throw noSubject(name);
    return this.line === '3.0' ? { compatibilityLevel: level } : { compatibility: level, normalize: false };
  }

  unsetGlobalLevel(): CompatibilityLevel {
    if (this.line === '3.0') throw new Refusal(405, 0, '');
    const before = this.level ?? 'NONE';
    this.level = undefined;
    return before;
  }

  unsetLevel(name: string): CompatibilityLevel {
    const before = this.levelOf(name, false);
    this.#levels.delete(name);
    return before;
  }

  schema(id: number): { schema: string } {
    if (!this.#used(id)) throw noSchema(`Schema ${id} not found.`);
    return { schema: this.#texts.get(id)!, ...this.#format() };
  }

  usesOf(id: number, deleted: boolean): object[] {
    this.schema(id);
    return [...this.#versions].flatMap(([subject, versions]) => versions.filter((version) => version.id === id && (deleted || !version.deleted)).map(({ number }) => ({ subject, version: number })));
  }

  #live(name: string): Version[] {
    return (this.#versions.get(name) ?? []).filter((version) => !version.deleted);
  }

  #seen(name: string, deleted: boolean): Version[] {
    const found = deleted ? (this.#versions.get(name) ?? []) : this.#live(name);
    if (found.length === 0) throw noSubject(name);
    return found;
  }

  #one(name: string, which: string, deleted: boolean): Version {
    const seen = this.#seen(name, deleted);
    const found = which === 'latest' || which === '-1' ? seen.at(-1) : seen.find(({ number }) => String(number) === which);
    if (!found) throw noVersion(which);
    return found;
  }

  #checkedAgainst(name: string, which: string | undefined): Version[] {
    if (which === undefined) return this.#seen(name, false);
    if (this.#live(name).length > 0) return [this.#one(name, which, false)];
    if (which === 'latest') return [];
    throw noVersion(which);
  }

  #shown(subject: string, { number, id }: Version): { schema: string; schemaType?: string } {
    return { subject, version: number, id, schema: this.#texts.get(id)!, ...this.#format() } as { schema: string };
  }

  #format(): object {
    return this.line === '3.0' ? { schemaType: 'AVRO', references: [] } : {};
  }

  #idOf(text: string): number {
    const known = [...this.#texts].find(([, content]) => content === text);
    const id = known?.[0] ?? ++this.#lastId;
    this.#texts.set(id, text);
    return id;
  }

  #keep(name: string, versions: Version[]): void {
    if (versions.length > 0) this.#versions.set(name, versions);
    else if (this.#versions.delete(name)) this.#levels.delete(name);
    if (this.line === '3.3') return; // it remembers what it no longer tells: the same schema gets the same id again
    for (const id of this.#texts.keys()) if (!this.#used(id)) this.#texts.delete(id);
  }

  #used(id: number): boolean {
    return [...this.#versions.values()].flat().some((version) => version.id === id);
  }
}
