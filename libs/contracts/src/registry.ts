import { COMPATIBILITY, SchemaRegistry as RegistryClient, SchemaType } from '@kafkajs/confluent-schema-registry';
import { type Duration, FactlineError, messageOf, milliseconds } from 'factline/kernel';
import { LRUCache } from 'lru-cache';
import { within } from './deadline.js';
import type { CompatibilityLevel } from './facts.js';
import { REGISTRY_NEGATIVE_ENTRIES, REGISTRY_NEGATIVE_MS, REGISTRY_TIMEOUT_MS } from './limits.js';

/** Stands for a connection that failed, as in the client library, which has no other code for it; a registry refuses a schema with 422. */
const NO_ANSWER = 400;

export interface RegistryOptions {
  /** Base address of the Confluent API, path included. */
  url: string;
  auth?: { username: string; password: string };
  /** Longest wait for one answer. Default 10 s. */
  timeout?: Duration;
}

/**
 * A schema registry that speaks Confluent's REST API. Requests for one thing are shared while under way; "no such id" is believed for 30 s.
 * @throws FactlineError from every call: `registry.unavailable` (no answer in time, or a failure of its own; retry), `registry.unauthorized`,
 * `registry.schema-unknown`, `registry.incompatible` (conflict), `registry.refused` (invalid schema).
 */
export class SchemaRegistry {
  readonly #client: RegistryClient;
  readonly #timeoutMs: number;
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #underWay = new Map<string, Promise<unknown>>();
  readonly #unknown = new LRUCache<number, FactlineError>({ max: REGISTRY_NEGATIVE_ENTRIES, ttl: REGISTRY_NEGATIVE_MS });

  constructor({ url, auth, timeout = REGISTRY_TIMEOUT_MS }: RegistryOptions) {
    this.#url = url.replace(/\/+$/, '');
    const timeoutMs = milliseconds(timeout);
    this.#timeoutMs = timeoutMs;
    const credentials = auth && Buffer.from(`${auth.username}:${auth.password}`).toString('base64');
    this.#headers = { 'content-type': 'application/vnd.schemaregistry.v1+json', ...(credentials && { authorization: `Basic ${credentials}` }) };
    this.#client = new RegistryClient({
      host: this.#url,
      clientId: 'factline',
      ...(auth && { auth }),
      retry: { retries: 0 }, // callers retry, with their own deadline
      middlewares: [() => ({ prepareRequest: async (next) => (await next()).enhance({ timeout: timeoutMs }) })],
    });
  }

  /**
   * Registers a schema under a subject and answers its id; the same schema gives the same id. A subject without a level gets `level` before its first version,
   * because a registry may enforce nothing until then; a level that somebody set is left alone.
   */
  async register(subject: string, schema: object, level: CompatibilityLevel = 'FULL_TRANSITIVE'): Promise<number> {
    return this.#shared(`register ${subject} ${JSON.stringify(schema)}`, async () => {
      const set = await this.#ensureLevel(subject, level);
      const { id } = await this.#client.register(
        { type: SchemaType.AVRO, schema: JSON.stringify(schema) },
        { subject, compatibility: COMPATIBILITY[set], updateConfig: false },
      );
      return id;
    });
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

  async #ensureLevel(subject: string, level: CompatibilityLevel): Promise<CompatibilityLevel> {
    const path = `/config/${encodeURIComponent(subject)}`;
    const existing = await this.#level(path);
    if (existing) return existing;
    const put = await this.#request('PUT', path, { compatibility: level });
    if (put.status === 200) return level;
    const meanwhile = put.status === 409 ? await this.#level(path) : undefined; // two apps that start at once both found none
    if (meanwhile) return meanwhile;
    throw new RestFailure(put.status, explanation(put.body));
  }

  async #level(path: string): Promise<CompatibilityLevel | undefined> {
    const { status, body } = await this.#request('GET', path);
    if (status === 404) return undefined;
    const level = String((body as { compatibilityLevel?: unknown }).compatibilityLevel).toUpperCase();
    if (status === 200 && level in COMPATIBILITY) return level as CompatibilityLevel;
    throw new RestFailure(status === 200 ? NO_ANSWER : status, explanation(body));
  }

  async #request(method: string, path: string, body?: object): Promise<{ status: number; body: unknown }> {
    try {
      const response = await fetch(this.#url + path, {
        method,
        headers: this.#headers,
        signal: AbortSignal.timeout(this.#timeoutMs),
        ...(body && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: text.startsWith('{') ? (JSON.parse(text) as unknown) : text };
    } catch (error) {
      throw new RestFailure(NO_ANSWER, messageOf(error));
    }
  }

  /** One request at a time for one thing: 6 partitions that meet a new id at once ask once. */
  #shared<T>(what: string, ask: () => Promise<T>): Promise<T> {
    const running = this.#underWay.get(what) as Promise<T> | undefined;
    if (running) return running;
    const request = within(ask(), this.#timeoutMs)
      .catch((error: unknown) => {
        throw error instanceof FactlineError ? error : translated(error, what.split(' ', 2).join(' '));
      })
      .finally(() => this.#underWay.delete(what));
    this.#underWay.set(what, request);
    return request;
  }
}

/** An answer that says no, from the calls the client library does not have. */
class RestFailure extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

function explanation(body: unknown): string {
  return typeof body === 'object' && body !== null ? String((body as { message?: unknown }).message) : String(body);
}

function translated(error: unknown, what: string): FactlineError {
  const status = (error as { status?: unknown } | null)?.status;
  const message = messageOf(error);
  const details = { request: what, ...(typeof status === 'number' && { status }) };
  switch (status) {
    case 404:
      return new FactlineError({ code: 'registry.schema-unknown', kind: 'not-found', message: `The schema registry does not know ${what}.`, advice: 'If it was restored from a backup, register the schemas again.', details, cause: error });
    case 409:
      return new FactlineError({ code: 'registry.incompatible', kind: 'conflict', message: `The schema registry refuses ${what}: ${message}`, advice: 'Give new fields a default and keep the old ones, or make a new fact type.', details, cause: error });
    case undefined: // thrown by avsc: what should be a schema is none
    case 422:
      return new FactlineError({ code: 'registry.refused', kind: 'invalid', message: `The schema registry finds ${what} invalid: ${message}`, advice: 'Correct the schema; `factline contracts check` finds most faults offline.', details, cause: error });
    case 401:
    case 403:
      return new FactlineError({ code: 'registry.unauthorized', kind: 'configuration', message: `The schema registry refuses the credentials for ${what}.`, advice: 'Check user, password and the rights on the subject.', details, cause: error });
    default:
      return new FactlineError({ code: 'registry.unavailable', kind: 'unavailable', message: `The schema registry did not answer ${what}: ${message}`, advice: 'Producers and consumers go on with the schemas they remember; new ones wait.', details, cause: error });
  }
}
