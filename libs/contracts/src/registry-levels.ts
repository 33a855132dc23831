import type { CompatibilityLevel } from './facts.js';
import { isLevel } from './levels.js';
import { type RegistryHttp, misunderstood, refusal } from './registry-http.js';

/** The levels that one registry keeps. @throws RestFailure from every call. */
export class RegistryLevels {
  readonly #http: RegistryHttp;

  constructor(http: RegistryHttp) {
    this.#http = http;
  }

  /** The level that is set for a subject itself. Apicurio says NONE of a subject that has versions and no level. */
  async own(subject: string): Promise<CompatibilityLevel | undefined> {
    return this.#read(configOf(subject));
  }

  /** The level that counts for a subject. */
  async enforced(subject: string): Promise<CompatibilityLevel> {
    return (await this.#read(`${configOf(subject)}?defaultToGlobal=true`)) ?? (await this.#read('/config')) ?? 'NONE';
  }

  /** Two apps that start at once both find none, and one of them may be refused: then the level counts that the other set. */
  async set(subject: string, level: CompatibilityLevel): Promise<void> {
    const put = await this.#http.request('PUT', configOf(subject), { compatibility: level });
    if (put.status === 200 || (put.status === 404 && level === 'NONE')) return; // Apicurio knows no NONE of a subject without versions
    if (put.status !== 409 || !(await this.own(subject))) throw refusal(put);
  }

  /** Sets the level of a subject that has none, or for which nothing is enforced. One that somebody set stays, and NONE is never set: to enforce nothing is asked for by `setLevel` alone. */
  async ensure(subject: string, level: CompatibilityLevel): Promise<void> {
    if (level === 'NONE') return;
    const own = await this.own(subject);
    if (own === undefined || (own === 'NONE' && (await this.enforced(subject)) === 'NONE')) await this.set(subject, level);
  }

  async #read(path: string): Promise<CompatibilityLevel | undefined> {
    const body = await this.#http.get(path);
    if (body === undefined) return undefined;
    const level = String((body as { compatibilityLevel?: unknown }).compatibilityLevel).toUpperCase();
    if (isLevel(level)) return level;
    throw misunderstood(body);
  }
}

function configOf(subject: string): string {
  return `/config/${encodeURIComponent(subject)}`;
}
