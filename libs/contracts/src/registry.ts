import { COMPATIBILITY, SchemaRegistry as RegistryClient, SchemaType } from '@kafkajs/confluent-schema-registry';
import { FactlineError } from 'factline/kernel';
import { LRUCache } from 'lru-cache';
import { canonicalJson } from './canonical.js';
import { within } from './deadline.js';
import type { CompatibilityLevel } from './facts.js';
import { REGISTRY_NEGATIVE_ENTRIES, REGISTRY_NEGATIVE_MS, REGISTRY_PAGE_SUBJECTS } from './limits.js';
import { RegistryHttp, type RegistryOptions, misunderstood, refusal, translated } from './registry-http.js';

export type { RegistryOptions } from './registry-http.js';

/** One version of a subject, as a registry keeps it. */
export interface StoredSchema {
  readonly id: number;
  /** `AVRO`, `JSON`, `PROTOBUF`. */
  readonly type: string;
  /** As it was registered, or as the registry rewords it. */
  readonly text: string;
  /** Whether it needs the schemas of other subjects to be read. */
  readonly references: boolean;
}

/**
 * A schema registry that speaks Confluent's REST API. Requests for one thing are shared while under way; "no such id" is believed for 30 s.
 * Subjects and versions that are deleted, softly or not, are not there.
 * @throws FactlineError from every call: `registry.unavailable` (no answer in time, or a failure of its own; retry), `registry.unauthorized`,
 * `registry.schema-unknown`, `registry.incompatible` (conflict), `registry.refused` (invalid schema).
 */
export class SchemaRegistry {
  readonly #client: RegistryClient;
  readonly #http: RegistryHttp;
  readonly #underWay = new Map<string, Promise<unknown>>();
  readonly #unknown = new LRUCache<number, FactlineError>({ max: REGISTRY_NEGATIVE_ENTRIES, ttl: REGISTRY_NEGATIVE_MS });

  /** @throws FactlineError `registry.url-invalid` (configuration) */
  constructor(options: RegistryOptions) {
    this.#http = new RegistryHttp(options);
    const { address, auth, timeoutMs } = this.#http;
    this.#client = new RegistryClient({
      host: address,
      clientId: 'factline',
      ...(auth && { auth }),
      retry: { retries: 0 }, // callers retry, with their own deadline
      middlewares: [() => ({ prepareRequest: async (next) => (await next()).enhance({ timeout: timeoutMs }) })],
    });
  }

  /** Without credentials. */
  get address(): string {
    return this.#http.address;
  }

  /**
   * Registers a schema under a subject and answers its id; schemas that say the same give the same id. A subject without a level gets `level` before its first
   * version, because a registry may enforce nothing until then; a level that somebody set is left alone.
   */
  async register(subject: string, schema: object, level: CompatibilityLevel = 'FULL_TRANSITIVE'): Promise<number> {
    const text = canonicalJson(schema); // Apicurio gives another id to another order of keys
    const ask = async () => {
      const set = (await this.#level(configOf(subject))) ?? (await this.#putLevel(subject, level));
      const { id } = await this.#client.register({ type: SchemaType.AVRO, schema: text }, { subject, compatibility: COMPATIBILITY[set], updateConfig: false });
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
        const schema = await this.#client.getSchema(id);
        if (!('schema' in schema)) throw new FactlineError({ code: 'registry.schema-unknown', kind: 'not-found', message: `Schema id ${id} is not an Avro schema.`, advice: 'Find who wrote records with it to this topic.' });
        return (schema as unknown as { schema(options: object): object }).schema({ exportAttrs: true });
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
    return this.#shared(`version ${number} of ${subject}`, async () => stored(await this.#http.get(`/subjects/${encodeURIComponent(subject)}/versions/${number}`)));
  }

  /** What the registry has under an id now, whatever was asked before, or undefined. */
  async stored(id: number): Promise<StoredSchema | undefined> {
    return this.#shared(`schema id ${id}`, async () => stored(await this.#http.get(`/schemas/ids/${id}`), id));
  }

  /** The level that was set for a subject itself, and the one that is enforced: that of all subjects when it has none, NONE when they have none either. */
  async levels(subject: string): Promise<{ own: CompatibilityLevel | undefined; enforced: CompatibilityLevel }> {
    return this.#shared(`the level of ${subject}`, async () => {
      const path = configOf(subject);
      const enforced = (await this.#level(`${path}?defaultToGlobal=true`)) ?? (await this.#level('/config')) ?? 'NONE';
      const own = await this.#level(path);
      return { own: own === enforced ? own : undefined, enforced }; // Apicurio says NONE of a subject that has none of its own, and enforces the other
    });
  }

  /** Sets the level of a subject, also before its first version. A registry may answer well and enforce another one: read it back. */
  async setLevel(subject: string, level: CompatibilityLevel): Promise<void> {
    await this.#shared(`the level of ${subject}`, () => this.#putLevel(subject, level), level);
  }

  /** What the registry itself says of a new version, under the level it enforces now; a subject without versions takes any valid schema. */
  async accepts(subject: string, schema: object): Promise<boolean> {
    const text = canonicalJson(schema);
    const ask = async () => {
      const { status, body } = await this.#http.request('POST', `/compatibility/subjects/${encodeURIComponent(subject)}/versions?verbose=true`, { schema: text });
      if (status === 404) return true;
      if (status !== 200) throw refusal({ status, body });
      const { is_compatible: compatible } = body as { is_compatible?: unknown };
      if (typeof compatible !== 'boolean') throw misunderstood(body);
      return compatible;
    };
    return this.#shared(`the check of ${subject}`, ask, text);
  }

  /** Two apps that start at once both find none, and one of them may be refused: then the level counts that the other set. */
  async #putLevel(subject: string, level: CompatibilityLevel): Promise<CompatibilityLevel> {
    const put = await this.#http.request('PUT', configOf(subject), { compatibility: level });
    if (put.status === 200 || (put.status === 404 && level === 'NONE')) return level; // Apicurio knows no NONE of a subject without versions
    const meanwhile = put.status === 409 ? await this.#level(configOf(subject)) : undefined;
    if (meanwhile) return meanwhile;
    throw refusal(put);
  }

  async #level(path: string): Promise<CompatibilityLevel | undefined> {
    const body = await this.#http.get(path);
    if (body === undefined) return undefined;
    const level = String((body as { compatibilityLevel?: unknown }).compatibilityLevel).toUpperCase();
    if (level in COMPATIBILITY) return level as CompatibilityLevel;
    throw misunderstood(body);
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

function configOf(subject: string): string {
  return `/config/${encodeURIComponent(subject)}`;
}

function stored(body: unknown, asked?: number): StoredSchema | undefined {
  if (body === undefined) return undefined;
  const { id = asked, schema, schemaType = 'AVRO', references = [] } = body as { id?: unknown; schema?: unknown; schemaType?: unknown; references?: unknown };
  if (typeof id !== 'number' || typeof schema !== 'string') throw misunderstood(body);
  return { id, type: String(schemaType), text: schema, references: Array.isArray(references) && references.length > 0 };
}
