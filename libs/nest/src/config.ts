import { type Duration, FactlineError, milliseconds } from 'factline/kernel';
import { ADMIN_PORT_OFFSET, SECRET_CHARACTERS, SHUTDOWN_DEADLINE_MS } from './limits.js';

/** One setting: where it is, what is expected of it, and how its text becomes a value (undefined: not as expected). */
export interface Setting<T> {
  readonly name: string;
  readonly expects: string;
  readonly fallback?: T;
  read(text: string): T | undefined;
}

type Values<Schema extends Record<string, Setting<unknown>>> = { readonly [Key in keyof Schema]: Schema[Key] extends Setting<infer T> ? T : never };

/**
 * Reads an app's settings, once, from its environment.
 * @throws FactlineError `config.invalid` (configuration) that names every missing and wrong setting at once, by name and expectation, never by value.
 */
export function loadConfig<Schema extends Record<string, Setting<unknown>>>(schema: Schema, env: Readonly<Record<string, string | undefined>>): Values<Schema> {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, { name, expects, fallback, read }] of Object.entries(schema)) {
    const text = env[name]?.trim();
    if (!text && fallback === undefined) faults.push(`${name} is missing: ${expects}`);
    const value = text ? read(text) : fallback;
    if (text && value === undefined) faults.push(`${name} must be ${expects}`);
    values[key] = value;
  }
  if (faults.length === 0) return values as Values<Schema>;
  throw new FactlineError({
    code: 'config.invalid',
    kind: 'configuration',
    message: `The settings cannot be used: ${faults.join('; ')}.`,
    advice: 'Set these environment variables and start again.',
    details: { faults },
  });
}

function url(name: string, protocols: readonly string[]): Setting<string> {
  return {
    name,
    expects: `an address beginning with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    read: (text) => (URL.canParse(text) && protocols.includes(new URL(text).protocol) ? text : undefined),
  };
}

/** What every service needs: where it listens, how much it logs, how long it may take to stop. */
export interface ServiceConfig {
  /** 127.0.0.1 unless the network in front of it is trusted. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly shutdownDeadlineMs: number;
  /** Opens the admin interface; whoever has it repairs and gives up facts. Empty or absent: there is none. */
  readonly adminToken?: string;
  /** 127.0.0.1 unless only operators reach the network in front of it. */
  readonly adminHost?: string;
  readonly adminPort?: number;
}

/** Kinds of settings for `loadConfig`. A setting with a fallback may be left out. */
export const setting = {
  text: (name: string, fallback?: string): Setting<string> => ({ name, expects: 'text', ...(fallback !== undefined && { fallback }), read: (text) => text }),
  whole: (name: string, { min, max, fallback }: { min: number; max: number; fallback?: number }): Setting<number> => ({
    name,
    expects: `a whole number from ${min} to ${max}`,
    ...(fallback !== undefined && { fallback }),
    read: (text) => (/^\d{1,15}$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : undefined),
  }),
  oneOf: <const T extends string>(name: string, choices: readonly T[], fallback?: T): Setting<T> => ({
    name,
    expects: `one of ${choices.join(', ')}`,
    ...(fallback !== undefined && { fallback }),
    read: (text) => choices.find((choice) => choice === text),
  }),
  duration: (name: string, fallback: Duration): Setting<number> => ({
    name,
    expects: "a duration such as '500ms' or '10s'",
    fallback: milliseconds(fallback),
    read: (text) => (/^\d+(\.\d+)?(ms|s|m|h|d)$/.test(text) ? milliseconds(text as Duration) : undefined),
  }),
  databaseUrl: (name: string): Setting<string> => url(name, ['postgres:', 'postgresql:']),
  httpUrl: (name: string): Setting<string> => url(name, ['http:', 'https:']),
  brokers: (name: string): Setting<readonly string[]> => ({
    name,
    expects: 'host:port, several separated by commas',
    read: (text) => {
      const brokers = text.split(',').map((broker) => broker.trim());
      return brokers.every((broker) => /^(\[[0-9a-f:]+\]|[^\s:/]+):\d{1,5}$/i.test(broker)) ? brokers : undefined;
    },
  }),
  /** Something nobody may guess. */
  secret: (name: string, fallback?: string): Setting<string> => ({
    name,
    expects: `at least ${SECRET_CHARACTERS} visible ASCII characters`,
    ...(fallback !== undefined && { fallback }),
    read: (text) => (new RegExp(`^[\\x21-\\x7e]{${SECRET_CHARACTERS},}$`).test(text) ? text : undefined),
  }),
  /** The settings behind `ServiceConfig`: HOST, PORT, LOG_LEVEL, SHUTDOWN_DEADLINE, ADMIN_TOKEN, ADMIN_HOST, ADMIN_PORT. */
  service: (defaults: { port: number }) => ({
    host: setting.text('HOST', '127.0.0.1'),
    port: setting.whole('PORT', { min: 0, max: 65_535, fallback: defaults.port }),
    logLevel: setting.oneOf('LOG_LEVEL', ['debug', 'info', 'warn', 'error', 'silent'], 'info'),
    shutdownDeadlineMs: setting.duration('SHUTDOWN_DEADLINE', SHUTDOWN_DEADLINE_MS),
    adminToken: setting.secret('ADMIN_TOKEN', ''),
    adminHost: setting.text('ADMIN_HOST', '127.0.0.1'),
    adminPort: setting.whole('ADMIN_PORT', { min: 0, max: 65_535, fallback: defaults.port === 0 ? 0 : defaults.port + ADMIN_PORT_OFFSET }),
  }),
};
