import avro from 'avsc';
import { FactlineError } from 'factline/kernel';
import { LRUCache } from 'lru-cache';
import { canonicalJson } from './canonical.js';
import { within } from './deadline.js';
import type { CompatibilityLevel } from './facts.js';
import { DEFAULT_LEVEL, isTransitive } from './levels.js';
import { REGISTRY_NEGATIVE_ENTRIES, REGISTRY_NEGATIVE_MS, REGISTRY_PAGE_SUBJECTS } from './limits.js';
import { RegistryHttp, type RegistryOptions, misunderstood, refusal, translated } from './registry-http.js';
import { RegistryLevels } from './registry-levels.js';
import { type StoredSchema, selfContained, storedSchema, versionPath } from './stored-schema.js';

export type { RegistryOptions } from './registry-http.js';
export type { StoredSchema } from './stored-schema.js';

/**
 * A schema registry that speaks Confluent's REST API. Requests for one thing are shared while under way; "no such id" is believed for 30 s.
 * Subjects and versions that are deleted, softly or not, are not there.
 * @throws FactlineError from every call: `registry.unavailable` (no answer in time, or a failure of its own; retry), `registry.unauthorized`,
 * `registry.schema-unknown`, `registry.incompatible` (conflict), `registry.refused` (invalid schema).
 */
export class SchemaRegistry {
  readonly #http: RegistryHttp;
  readonly #levels: RegistryLevels;
  readonly #underWay = new Map<string, Promise<unknown>>();
  readonly #unknown = new LRUCache<number, FactlineError>({ max: REGISTRY_NEGATIVE_ENTRIES, ttl: REGISTRY_NEGATIVE_MS });

  /** @throws FactlineError `registry.url-invalid` (configuration) */
  constructor(options: RegistryOptions) {
    this.#http = new RegistryHttp(options);
    this.#levels = new RegistryLevels(this.#http);
  }

  /** Without credentials. */
  get address(): string {
    return this.#http.address;
  }

  /**
   * Registers a schema under a subject and answers its id; schemas that say the same give the same id. A subject that has no level, or for which none is enforced, gets
   * `level` first; a level that somebody set is left alone, and NONE is never set. What avsc cannot read is refused before anything is asked.
   */
  async register(subject: string, schema: object, level: CompatibilityLevel = DEFAULT_LEVEL): Promise<number> {
    const text = canonicalJson(schema); // Apicurio gives another id to another order of keys
    const ask = async () => {
      avro.Type.forSchema(schema as never);
      await this.#levels.ensure(subject, level);
      const answer = await this.#http.request('POST', `/subjects/${encodeURIComponent(subject)}/versions`, { schema: text });
      if (answer.status !== 200) throw refusal(answer);
      const { id } = answer.body as { id?: unknown };
      if (typeof id !== 'number') throw misunderstood(answer.body);
      return id;
    };
    return this.#shared(`register ${subject}`, ask, text);
  }

  /** The schema of an id, self-contained, as Avro JSON without documentation. */
  async byId(id: number): Promise<object> {
    const unknown = this.#unknown.get(id);
    if (unknown) throw unknown;
    try {
      return await this.#shared(`id ${id}`, async () => {
        const answer = await this.#http.found(`/schemas/ids/${id}`);
        if (storedSchema(answer, id).type === 'AVRO') return selfContained(answer, id, this.#http);
        throw new FactlineError({ code: 'registry.schema-unknown', kind: 'not-found', message: `Schema id ${id} is not an Avro schema.`, advice: 'Find who wrote records with it to this topic.' });
      });
    } catch (error) {
      if (error instanceof FactlineError && error.code === 'registry.schema-unknown') this.#unknown.set(id, error);
      throw error;
    }
  }

  /**
   * Every subject, sorted. Asked for in pages of 1,000. A registry that knows no pages (Apicurio) answers as many as it is set to list, 1,000 unless told otherwise:
   * `complete` is false when the list has exactly the length at which such a one would have cut it.
   */
  async subjects(): Promise<{ names: string[]; complete: boolean }> {
    return this.#shared('the list of subjects', async () => {
      const names = new Set<string>();
      for (;;) {
        const before = names.size;
        const page = await this.#http.get(`/subjects?offset=${before}&limit=${REGISTRY_PAGE_SUBJECTS}`);
        if (!Array.isArray(page)) throw misunderstood(page);
        for (const name of page) names.add(String(name));
        if (page.length < REGISTRY_PAGE_SUBJECTS || names.size === before) return { names: [...names].toSorted(), complete: page.length !== REGISTRY_PAGE_SUBJECTS };
      }
    });
  }

  /** Numbers of a subject's versions, oldest first; none of a subject that is not there. */
  async versions(subject: string): Promise<number[]> {
    return this.#shared(`the versions of ${subject}`, async () => {
      const numbers = (await this.#http.get(`/subjects/${encodeURIComponent(subject)}/versions`)) ?? [];
      if (!Array.isArray(numbers)) throw misunderstood(numbers);
      return numbers.map(Number).toSorted((one, other) => one - other);
    });
  }

  /** A version by its number, or undefined. */
  async version(subject: string, number: number): Promise<StoredSchema | undefined> {
    return this.#shared(`version ${number} of ${subject}`, () => this.#stored(versionPath(subject, number)));
  }

  /** What the registry has under an id now, whatever was asked before, or undefined. */
  async stored(id: number): Promise<StoredSchema | undefined> {
    return this.#shared(`schema id ${id}`, () => this.#stored(`/schemas/ids/${id}`, id));
  }

  /** The level that was set for a subject itself, and the one that is enforced: that of all subjects when it has none, NONE when they have none either. */
  async levels(subject: string): Promise<{ own: CompatibilityLevel | undefined; enforced: CompatibilityLevel }> {
    return this.#shared(`the level of ${subject}`, async () => {
      const enforced = await this.#levels.enforced(subject);
      const own = await this.#levels.own(subject);
      return { own: own === enforced ? own : undefined, enforced }; // Apicurio says NONE of a subject that has none of its own, and enforces the other
    });
  }

  /** Sets the level of a subject, also before its first version. A registry may answer well and enforce another one: read it back. */
  async setLevel(subject: string, level: CompatibilityLevel): Promise<void> {
    await this.#shared(`the level of ${subject}`, () => this.#levels.set(subject, level), level);
  }

  /** What the registry itself says of a new version, under the level it enforces now; a subject without versions takes any valid schema. */
  async accepts(subject: string, schema: object): Promise<boolean> {
    const text = canonicalJson(schema);
    const ask = async () => {
      const enforced = await this.#levels.enforced(subject);
      const against = isTransitive(enforced) ? '' : '/latest'; // without it Apicurio compares with all versions, whatever the level
      const answer = await this.#http.request('POST', `/compatibility/subjects/${encodeURIComponent(subject)}/versions${against}?verbose=true`, { schema: text });
      if (answer.status === 404) return true;
      if (answer.status !== 200) throw refusal(answer);
      const { is_compatible: compatible } = answer.body as { is_compatible?: unknown };
      if (typeof compatible !== 'boolean') throw misunderstood(answer.body);
      return compatible || enforced === 'NONE'; // Apicurio 3.3 answers as for BACKWARD where no level is set, and registers all the same
    };
    return this.#shared(`the check of ${subject}`, ask, text);
  }

  async #stored(path: string, asked?: number): Promise<StoredSchema | undefined> {
    const body = await this.#http.get(path);
    return body === undefined ? undefined : storedSchema(body, asked);
  }

  /** One request at a time for one thing: 6 partitions that meet a new id at once ask once. */
  #shared<T>(what: string, ask: () => Promise<T>, exactly = ''): Promise<T> {
    const thing = `${what} ${exactly}`;
    const running = this.#underWay.get(thing) as Promise<T> | undefined;
    if (running) return running;
    const request = within(ask(), this.#http.timeoutMs)
      .catch((error: unknown) => {
        throw error instanceof FactlineError ? error : translated(error, what);
      })
      .finally(() => this.#underWay.delete(thing));
    this.#underWay.set(thing, request);
    return request;
  }
}
