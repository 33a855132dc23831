import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { type FactlineError, messageOf } from 'factline/kernel';
import { canonicalJson, fingerprintOf } from '../canonical.js';
import { declarationError } from '../declaration-error.js';
import { LOCK_MAX_BYTES, SCHEMA_JSON_MAX_DEPTH } from '../limits.js';
import type { History, RegisteredSubject, RegisteredVersion } from './history.js';
import { isLevel } from '../levels.js';
import { registeredRecord } from './normal-form.js';
import { sorted } from '../sorted.js';
import type { FileTree } from '../trees/tree.js';

/** In the folder of the schemas. */
const LOCK_FILE = 'registry.lock.json';

const FORMAT = 1;
const PULL = 'Write it anew: factline contracts pull --replace.';

/** The lock file of a tree, or undefined when it has none. @throws FactlineError as `parseLock` does. */
export async function readLock(tree: FileTree, schemasFolder: string): Promise<History | undefined> {
  const file = posix.join(schemasFolder, LOCK_FILE);
  if (!(await tree.list(schemasFolder)).includes(file)) return undefined;
  return parseLock(await tree.read(file), file);
}

/**
 * The text of a lock file: one JSON document in which each version is one line, subjects by name and versions by number. The same history gives the same bytes.
 * Commas begin a line, because a comma at the end would change the line of the version before.
 */
export function formatLock({ subjects }: History): string {
  const texts = sorted(subjects, ([subject]) => subject).map(([subject, { level, versions }]) => {
    const head = `{"subject": ${JSON.stringify(subject)}, ${level ? `"level": "${level}", ` : ''}"versions": [`;
    return `${head}\n  ${versions.map(versionLine).join('\n ,')}\n ]}`;
  });
  return `{"version": ${FORMAT}, "subjects": [\n ${texts.join('\n,')}\n]}\n`;
}

function versionLine({ version, id, schema }: RegisteredVersion): string {
  const text = canonicalJson(schema);
  return `{"version": ${version}, "id": ${id}, "fingerprint": "${hashOf(text)}", "schema": ${text}}`;
}

/**
 * Reads a lock file, at most 64 MiB of it. Each schema is compared with its fingerprint, which finds damage and edits by hand, not malice: whoever edits both is
 * found by the next `pull --check`.
 * @throws FactlineError (configuration, with `details.file` and `details.path`) `lock.invalid`, `lock.tampered`.
 */
export function parseLock(text: string, file: string): History {
  return new LockReader(file).read(text);
}

class LockReader {
  constructor(private readonly file: string) {}

  read(text: string): History {
    if (text.length > LOCK_MAX_BYTES) throw this.#invalid('$', `it has more than ${LOCK_MAX_BYTES} characters.`, 'Pull the subjects of this repository only.');
    const { version, subjects } = this.#object(this.#json(text), '$');
    if (version !== FORMAT) throw this.#invalid('$.version', `the version of its format is ${String(version)}, and this program reads ${FORMAT}.`, 'Use the version of factline that wrote it.');
    const found = new Map<string, RegisteredSubject>();
    for (const [at, entry] of this.#list(subjects, '$.subjects').entries()) {
      const path = `$.subjects[${at}]`;
      const { subject, level, versions } = this.#object(entry, path);
      if (typeof subject !== 'string' || subject === '') throw this.#invalid(`${path}.subject`, 'a subject needs a name.');
      if (found.has(subject)) throw this.#invalid(`${path}.subject`, `'${subject}' is there twice.`);
      if (level !== undefined && !isLevel(level)) throw this.#invalid(`${path}.level`, `${JSON.stringify(level)} is no compatibility level.`);
      found.set(subject, { ...(level && { level }), versions: this.#versions(subject, versions, `${path}.versions`) });
    }
    return { name: 'lock', file: this.file, subjects: found };
  }

  #versions(subject: string, versions: unknown, path: string): RegisteredVersion[] {
    let last = 0;
    return this.#list(versions, path).map((entry, at) => {
      const here = `${path}[${at}]`;
      const { version, id, fingerprint, schema } = this.#object(entry, here);
      if (!isCount(version) || version <= last) throw this.#invalid(`${here}.version`, `versions of '${subject}' must be whole numbers that rise.`);
      if (!isCount(id)) throw this.#invalid(`${here}.id`, 'an id must be a whole number.');
      last = version;
      const node = this.#object(schema, `${here}.schema`);
      // As we write it, the text is canonical already; 3,000 versions take 30 ms this way, and 200 ms the other way
      const text = textOf(node);
      if (text === undefined || isDeep(text, node)) throw this.#invalid(`${here}.schema`, `the schema is nested more than ${SCHEMA_JSON_MAX_DEPTH} deep.`);
      if (hashOf(text) !== fingerprint && fingerprintOf(node) !== fingerprint) {
        throw declarationError('lock.tampered', { file: this.file, path: here }, `version ${version} of '${subject}' is not what its fingerprint says.`, `Undo the edit. ${PULL}`, { subject, version });
      }
      const record = registeredRecord(node);
      if (typeof record === 'string') throw this.#invalid(`${here}.schema`, `version ${version} of '${subject}' ${record}`);
      return { version, id, schema: record };
    });
  }

  #json(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (error) {
      throw this.#invalid('$', `it is not JSON: ${messageOf(error)}`, `After a merge keep the lines of both sides. ${PULL}`, error);
    }
  }

  #object(value: unknown, path: string): Record<string, unknown> {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    throw this.#invalid(path, 'there must be an object.');
  }

  #list(value: unknown, path: string): unknown[] {
    if (Array.isArray(value)) return value;
    throw this.#invalid(path, 'there must be a list.');
  }

  #invalid(path: string, message: string, advice = PULL, cause?: unknown): FactlineError {
    return declarationError('lock.invalid', { file: this.file, path }, message, advice, {}, cause);
  }
}

/** Undefined when it is too deep for that. */
function textOf(schema: object): string | undefined {
  try {
    return JSON.stringify(schema);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Whoever reads the schema goes down by recursion. Most schemas have fewer brackets than that, which is told without walking through them. */
function isDeep(text: string, schema: object): boolean {
  return countOf('{', text) + countOf('[', text) > SCHEMA_JSON_MAX_DEPTH && isDeeper(schema, SCHEMA_JSON_MAX_DEPTH);
}

function countOf(sign: string, text: string): number {
  let count = 0;
  for (let at = text.indexOf(sign); at >= 0; at = text.indexOf(sign, at + 1)) count++;
  return count;
}

function isDeeper(value: object, levels: number): boolean {
  if (levels === 0) return true;
  return Object.values(value).some((part: unknown) => typeof part === 'object' && part !== null && isDeeper(part, levels - 1));
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
