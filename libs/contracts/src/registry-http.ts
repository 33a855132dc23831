import { type Duration, FactlineError, messageOf, milliseconds } from 'factline/kernel';
import { REGISTRY_TIMEOUT_MS } from './limits.js';

/** Thrown by avsc, not by a request: what should be a schema is none. */
const NO_SCHEMA = 'no schema';

export interface RegistryOptions {
  /** Base address of the Confluent API, path included. A user and password in it are taken for `auth`, and appear nowhere else. */
  url: string;
  auth?: { username: string; password: string };
  /** Longest wait for one answer. Default 10 s. */
  timeout?: Duration;
}

export interface RegistryAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Requests to one registry, with its credentials and a deadline. */
export class RegistryHttp {
  /** Without credentials. */
  readonly address: string;
  readonly auth: { username: string; password: string } | undefined;
  readonly timeoutMs: number;
  readonly #headers: Record<string, string>;

  /** @throws FactlineError `registry.url-invalid` (configuration) */
  constructor({ url, auth, timeout = REGISTRY_TIMEOUT_MS }: RegistryOptions) {
    const parsed = parsedUrl(url);
    this.address = parsed.address;
    this.auth = auth ?? parsed.auth;
    this.timeoutMs = milliseconds(timeout);
    const credentials = this.auth && Buffer.from(`${this.auth.username}:${this.auth.password}`).toString('base64');
    this.#headers = { 'user-agent': 'factline', 'content-type': 'application/vnd.schemaregistry.v1+json', ...(credentials && { authorization: `Basic ${credentials}` }) };
  }

  /** Any answer at all. @throws RestFailure when there is none. */
  async request(method: string, path: string, body?: object): Promise<RegistryAnswer> {
    try {
      const response = await fetch(this.address + path, {
        method,
        headers: this.#headers,
        signal: AbortSignal.timeout(this.timeoutMs),
        ...(body && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: /^[[{]/.test(text) ? (JSON.parse(text) as unknown) : text };
    } catch (error) {
      const { cause } = error as Error;
      throw new RestFailure(undefined, cause ? `${messageOf(error)}: ${messageOf(cause)}` : messageOf(error));
    }
  }

  /** The answer of a GET; undefined for 404. @throws RestFailure for every other status but 200. */
  async get(path: string): Promise<unknown> {
    const answer = await this.request('GET', path);
    if (answer.status === 404) return undefined;
    if (answer.status === 200) return answer.body;
    throw refusal(answer);
  }

  /** The same for what must be there. @throws RestFailure for every status but 200. */
  async found(path: string): Promise<unknown> {
    const body = await this.get(path);
    if (body === undefined) throw new RestFailure(404, path);
    return body;
  }
}

/** An answer that says no; without a status: no answer, or none that can be understood. */
export class RestFailure extends Error {
  constructor(
    readonly status: number | undefined,
    message: string,
  ) {
    super(message);
  }
}

export function refusal({ status, body }: RegistryAnswer): RestFailure {
  return new RestFailure(status, typeof body === 'object' && body !== null ? String((body as { message?: unknown }).message) : String(body));
}

/** A 200 that holds something else than its call answers: a proxy's page, or another service. */
export function misunderstood(body: unknown): RestFailure {
  return new RestFailure(undefined, `it answered something else: ${String(JSON.stringify(body)).slice(0, 80)}`);
}

function parsedUrl(url: string): { address: string; auth: RegistryOptions['auth'] | undefined } {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:') {
    throw new FactlineError({ code: 'registry.url-invalid', kind: 'configuration', message: 'The address of the schema registry is no http(s) URL.', advice: 'Write it with its path: http://registry:8081, or https://host/apis/ccompat/v7 for Apicurio.' });
  }
  const auth = parsed.username === '' ? undefined : { username: unescaped(parsed.username), password: unescaped(parsed.password) };
  parsed.username = parsed.password = '';
  return { address: parsed.href.replace(/\/+$/, ''), auth };
}

/** A percent sign that escapes nothing is one: a password was pasted as it is. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What a failed call means to those who work with facts. */
export function translated(error: unknown, what: string): FactlineError {
  const status = error instanceof RestFailure ? error.status : NO_SCHEMA;
  const message = messageOf(error);
  const details = { request: what, ...(typeof status === 'number' && { status }) };
  switch (status) {
    case 404:
      return new FactlineError({ code: 'registry.schema-unknown', kind: 'not-found', message: `The schema registry does not know ${what}.`, advice: 'If it was restored from a backup, register the schemas again.', details, cause: error });
    case 409:
      return new FactlineError({ code: 'registry.incompatible', kind: 'conflict', message: `The schema registry refuses ${what}: ${message}`, advice: 'Give new fields a default and keep the old ones, or make a new fact type.', details, cause: error });
    case NO_SCHEMA:
    case 422:
      return new FactlineError({ code: 'registry.refused', kind: 'invalid', message: `The schema registry finds ${what} invalid: ${message}`, advice: 'Correct the schema; `factline contracts check` finds most faults offline.', details, cause: error });
    case 401:
    case 403:
      return new FactlineError({ code: 'registry.unauthorized', kind: 'configuration', message: `The schema registry refuses the credentials for ${what}.`, advice: 'Check user, password and the rights on the subject.', details, cause: error });
    default:
      return new FactlineError({ code: 'registry.unavailable', kind: 'unavailable', message: `The schema registry did not answer ${what}: ${message}`, advice: 'Producers and consumers go on with the schemas they remember; new ones wait.', details, cause: error });
  }
}
