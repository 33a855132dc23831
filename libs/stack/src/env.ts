import { homedir } from 'node:os';
import { join } from 'node:path';
import { FactlineError } from 'factline/kernel';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The only place of this library that reads the process's own environment, when the caller gave none. */
export function environment(given: Environment = process.env): Environment {
  return given;
}

/** Where the three services answer. */
export interface StackAddresses {
  /** Bootstrap servers of Kafka, `host:port` each. */
  readonly kafka: readonly string[];
  /** Base of the Confluent-compatible registry interface: `http://127.0.0.1:8080/apis/ccompat/v7`. */
  readonly registryUrl: string;
  /** A superuser's URL to the database `postgres`. */
  readonly postgresUrl: string;
}

const NAMES = ['FACTLINE_KAFKA', 'FACTLINE_REGISTRY_URL', 'FACTLINE_POSTGRES_URL'] as const;

/**
 * The addresses given in the environment, or undefined when none is.
 * @throws FactlineError `stack.environment` (configuration) naming what is missing or malformed, never its value.
 */
export function addressesFrom(env: Environment): StackAddresses | undefined {
  const missing = NAMES.filter((name) => !env[name]?.trim());
  if (missing.length === NAMES.length) return undefined;
  const wrong = missing.map((name) => `${name} is missing`);
  const kafka = (env['FACTLINE_KAFKA'] ?? '').split(',').map((each) => each.trim()).filter(Boolean);
  if (!kafka.every((each) => /^(\[[0-9a-f:]+\]|[^\s:/]+):\d{1,5}$/i.test(each))) {
    wrong.push('FACTLINE_KAFKA is not a list of host:port, separated by commas');
  }
  const registryUrl = env['FACTLINE_REGISTRY_URL']?.trim().replace(/\/+$/, '') ?? '';
  if (registryUrl && !isUrl(registryUrl, ['http:', 'https:'])) wrong.push('FACTLINE_REGISTRY_URL is not an http(s) URL');
  const postgresUrl = env['FACTLINE_POSTGRES_URL']?.trim() ?? '';
  if (postgresUrl && !isUrl(postgresUrl, ['postgres:', 'postgresql:'])) wrong.push('FACTLINE_POSTGRES_URL is not a postgres:// URL');
  if (wrong.length > 0) {
    throw new FactlineError({
      code: 'stack.environment',
      kind: 'configuration',
      message: `The stack's addresses in the environment cannot be used: ${wrong.join('; ')}.`,
      advice: `Set all of ${NAMES.join(', ')}, or none of them to have a stack started.`,
      details: { missing },
    });
  }
  return { kafka, registryUrl, postgresUrl };
}

/** The three variables that make a child process use this stack. */
export function stackEnvironment(stack: StackAddresses): Record<string, string> {
  return {
    FACTLINE_KAFKA: stack.kafka.join(','),
    FACTLINE_REGISTRY_URL: stack.registryUrl,
    FACTLINE_POSTGRES_URL: stack.postgresUrl,
  };
}

/** Where downloads and the records of running stacks are kept: outside the repository, so that a fresh clone finds them. */
export function cacheDirectory(env: Environment): string {
  if (env['FACTLINE_CACHE_DIR']) return env['FACTLINE_CACHE_DIR'];
  return join(env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache'), 'factline');
}

function isUrl(text: string, protocols: string[]): boolean {
  return URL.canParse(text) && protocols.includes(new URL(text).protocol);
}
