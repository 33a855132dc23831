import type { FactDefinition } from 'factline/contracts';
import { type Duration, FactlineError, milliseconds } from 'factline/kernel';
import type { PressureLimits } from 'factline/outbox';
import type { Migration } from 'factline/store';
import type { AdmissionOptions } from '../admission/options.js';

export interface RelayChoice {
  /** false: another process publishes. Default true for an app that produces facts. */
  enabled?: boolean;
  /** Longest pause between two looks when nothing happens. Default 250 ms. */
  pollInterval?: Duration;
  /** Facts of one page. Default 3,000. */
  batchSize?: number;
  /** After this a send counts as unanswered and is repeated. Default 45 s. */
  publishTimeout?: Duration;
}

/** What an app says about itself, once. Its read models are found among its providers (`provideProjection`). */
export interface FactlineOptions {
  /** Name of the app: owner of its topics, prefix of its consumer groups. */
  app: string;
  databaseUrl: string;
  kafka: { brokers: readonly string[]; ssl?: boolean | object; sasl?: object; clientId?: string };
  registryUrl: string;
  /** The fact types it states. Default none. */
  produces?: readonly FactDefinition[];
  /** Its own tables, applied in order after the product's. */
  migrations?: readonly Migration[];
  /** false: this process never publishes. */
  relay?: RelayChoice | false;
  /** When the outbox warns and when it refuses. */
  limits?: Partial<PressureLimits>;
  /** Database connections. Default 10. */
  connections?: number;
  /** Who its clients are and when it has too much to do; see `Admission`. */
  admission?: AdmissionOptions;
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string' && value !== '';
const isDuration: Check = (value) => {
  try {
    return milliseconds(value as Duration) >= 0;
  } catch {
    return false;
  }
};
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) > 0;
const isFunction: Check = (value) => typeof value === 'function';
const isObject: Check = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isUrl = (...protocols: string[]): Check => (value) => typeof value === 'string' && URL.canParse(value) && protocols.includes(new URL(value).protocol);

interface Expectation {
  check: Check;
  expects: string;
  required?: true;
  inside?: Record<string, Expectation>;
}

const OPTIONS: Record<string, Expectation> = {
  app: { check: (value) => typeof value === 'string' && /^[a-z][a-z0-9-]{0,39}$/.test(value), expects: 'a name of lower-case letters, digits and hyphens', required: true },
  databaseUrl: { check: isUrl('postgres:', 'postgresql:'), expects: 'a postgres:// address', required: true },
  kafka: {
    check: isObject,
    expects: 'an object with brokers',
    required: true,
    inside: {
      brokers: { check: (value) => Array.isArray(value) && value.length > 0 && value.every(isText), expects: 'a list of host:port', required: true },
      ssl: { check: (value) => typeof value === 'boolean' || isObject(value), expects: 'true, false or TLS settings' },
      sasl: { check: isObject, expects: 'an object' },
      clientId: { check: isText, expects: 'text' },
    },
  },
  registryUrl: { check: isUrl('http:', 'https:'), expects: 'an http(s):// address', required: true },
  produces: { check: (value) => Array.isArray(value) && value.every((type) => typeof type === 'function' && 'factName' in type), expects: 'a list of generated fact types' },
  migrations: { check: (value) => Array.isArray(value) && value.every(isObject), expects: 'a list of migrations' },
  relay: {
    check: (value) => value === false || isObject(value),
    expects: 'false or an object',
    inside: {
      enabled: { check: (value) => typeof value === 'boolean', expects: 'true or false, not text' },
      pollInterval: { check: isDuration, expects: "a duration such as '250ms'" },
      batchSize: { check: isCount, expects: 'a whole number from 1' },
      publishTimeout: { check: isDuration, expects: "a duration such as '45s'" },
    },
  },
  limits: { check: isObject, expects: 'an object', inside: { soft: { check: isObject, expects: 'an object' }, hard: { check: isObject, expects: 'an object' } } },
  connections: { check: isCount, expects: 'a whole number from 1' },
  admission: {
    check: isObject,
    expects: 'an object',
    inside: {
      client: { check: isFunction, expects: 'a function of the request' },
      trustProxy: { check: (value) => isCount(value) || isText(value) || (Array.isArray(value) && value.every(isText)), expects: 'a number of proxies, or their addresses' },
      rate: { check: isObject, expects: 'an object with count and per' },
      limits: { check: isObject, expects: 'an object' },
      minConcurrency: { check: (value) => value === 0 || isCount(value), expects: 'a whole number' },
      measure: { check: isFunction, expects: 'a function' },
    },
  },
};

/** @throws FactlineError `nest.options` (configuration) naming every wrong, missing and unknown option at once, never a value. */
export function validateOptions(options: FactlineOptions): FactlineOptions {
  const faults = faultsOf(options, OPTIONS, '');
  if (faults.length === 0) return options;
  throw new FactlineError({
    code: 'nest.options',
    kind: 'configuration',
    message: `The options of FactlineModule cannot be used: ${faults.join('; ')}.`,
    advice: 'Correct them where FactlineModule.forRoot or forRootAsync is called.',
    details: { faults },
  });
}

function faultsOf(given: unknown, expected: Record<string, Expectation>, path: string): string[] {
  if (!isObject(given)) return [`${path || 'options'} must be an object`];
  const found = given as Record<string, unknown>;
  const unknown = Object.keys(found).filter((name) => !Object.hasOwn(expected, name));
  return [
    ...unknown.map((name) => `${path}${name} is not an option (known: ${Object.keys(expected).join(', ')})`),
    ...Object.entries(expected).flatMap(([name, { check, expects, required, inside }]) => {
      const value = found[name];
      if (value === undefined) return required ? [`${path}${name} is missing: ${expects}`] : [];
      if (!check(value)) return [`${path}${name} must be ${expects}`];
      return inside && isObject(value) ? faultsOf(value, inside, `${path}${name}.`) : [];
    }),
  ];
}
