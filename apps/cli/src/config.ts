import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FactlineError, messageOf } from 'factline/kernel';
import type { RebuildConnections } from 'factline/projections';

/** One app in factline.config.json; paths are relative to that file. */
export interface AppDeclaration {
  /** contracts.yaml */
  contracts: string;
  /** Name of the environment variable that holds the app's database URL. */
  databaseUrl: string;
  /** Module that exports the fact types the app produces (the generated one); needed for `factline relay`. */
  facts?: string;
  /** Modules that export projections; needed for `factline replay`. */
  projections?: string[];
  /** What `factline dev` and the demo start. */
  main?: string;
}

/** factline.config.json: the apps of a repository, as the command line finds them. */
export interface FactlineConfig {
  root: string;
  schemas: string;
  apps: Readonly<Record<string, AppDeclaration>>;
}

export const CONFIG_FILE = 'factline.config.json';
const APP_KEYS = ['contracts', 'databaseUrl', 'facts', 'projections', 'main'];

export async function loadConfig(root: string = process.cwd()): Promise<FactlineConfig> {
  let text: string;
  try {
    text = await readFile(resolve(root, CONFIG_FILE), 'utf8');
  } catch (error) {
    throw configurationError(`There is no ${CONFIG_FILE} in ${root}.`, 'Run this in the folder that has it, or pass --root <folder>.', error);
  }
  try {
    const { schemas = 'schemas', apps } = JSON.parse(text) as Partial<FactlineConfig>;
    assertApps(apps);
    return { root, schemas, apps };
  } catch (error) {
    if (error instanceof FactlineError) throw error;
    throw configurationError(`${CONFIG_FILE} is not JSON: ${messageOf(error)}.`, 'Correct it; docs/reference/configuration.md shows one.', error);
  }
}

function assertApps(apps: unknown): asserts apps is FactlineConfig['apps'] {
  if (typeof apps !== 'object' || apps === null) throw configurationError(`${CONFIG_FILE} has no 'apps'.`, 'Add "apps": { "<name>": { "contracts": ..., "databaseUrl": ... } }.');
  const faults = Object.entries(apps as Record<string, Record<string, unknown>>).flatMap(([name, app]) => [
    ...['contracts', 'databaseUrl'].filter((key) => typeof app[key] !== 'string').map((key) => `apps.${name}.${key} is missing`),
    ...Object.keys(app)
      .filter((key) => !APP_KEYS.includes(key))
      .map((key) => `apps.${name}.${key} is not known`),
  ]);
  if (faults.length > 0) throw configurationError(`${CONFIG_FILE}: ${faults.join('; ')}.`, `An app has: ${APP_KEYS.join(', ')}.`);
}

export function appOf(config: FactlineConfig, name: string): AppDeclaration {
  const app = Object.hasOwn(config.apps, name) ? config.apps[name] : undefined;
  if (app) return app;
  throw new FactlineError({
    code: 'cli.app-unknown',
    kind: 'not-found',
    message: `There is no app '${name}' in ${CONFIG_FILE}.`,
    advice: `Known are: ${Object.keys(config.apps).join(', ')}.`,
  });
}

export function moduleUrl(config: FactlineConfig, path: string): string {
  return pathToFileURL(resolve(config.root, path)).href;
}

/** Settings that come from the environment; `.factline/env`, which `npm run dev` writes, fills in what is not set. All that is missing is reported at once. */
export async function connectionsOf(config: FactlineConfig, app: AppDeclaration, env: NodeJS.ProcessEnv = process.env): Promise<RebuildConnections> {
  const [databaseUrl, kafka, registryUrl] = await settings(config, [app.databaseUrl, 'FACTLINE_KAFKA', 'FACTLINE_REGISTRY_URL'], env);
  return { databaseUrl: databaseUrl!, kafka: { brokers: kafka!.split(',').map((broker) => broker.trim()) }, registryUrl: registryUrl! };
}

export async function databaseUrlOf(config: FactlineConfig, app: AppDeclaration, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  return (await settings(config, [app.databaseUrl], env))[0]!;
}

/** What all apps share. */
export async function platformOf(config: FactlineConfig, env: NodeJS.ProcessEnv = process.env): Promise<{ brokers: string[]; registryUrl: string }> {
  const [kafka, registryUrl] = await settings(config, ['FACTLINE_KAFKA', 'FACTLINE_REGISTRY_URL'], env);
  return { brokers: kafka!.split(',').map((broker) => broker.trim()), registryUrl: registryUrl! };
}

async function settings(config: FactlineConfig, names: readonly string[], env: NodeJS.ProcessEnv): Promise<string[]> {
  const known = { ...(await developmentEnvironment(config.root)), ...env };
  const missing = names.filter((name) => !known[name]);
  if (missing.length === 0) return names.map((name) => known[name]!);
  throw configurationError(`Not set: ${missing.join(', ')}.`, 'Set them in the environment, or start everything locally with: npm run dev');
}

/** What `npm run dev` says of the stack it runs; nothing when none runs. */
export async function developmentEnvironment(root: string): Promise<Record<string, string>> {
  try {
    const text = await readFile(resolve(root, '.factline', 'env'), 'utf8');
    return Object.fromEntries(
      text.split('\n').flatMap((line) => {
        const match = /^export ([A-Z_]+)='?([^']*)'?$/.exec(line.trim());
        return match ? [[match[1]!, match[2]!]] : [];
      }),
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}; // nothing runs locally
    throw error;
  }
}

function configurationError(message: string, advice: string, cause?: unknown): FactlineError {
  return new FactlineError({ code: 'cli.configuration', kind: 'configuration', message, advice, cause });
}
