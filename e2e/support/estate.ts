import { createServer } from 'node:net';
import { resolve } from 'node:path';
import type { Environment } from 'factline/stack';
import { FactlineError, messageOf } from 'factline/kernel';
import type { Store } from 'factline/store';
import { type World, until, world } from 'factline/testing';
import { appOf, loadConfig } from '../../apps/cli/src/config.js';
import { Program, nodeCommand } from './program.js';
import { CLI, ROOT } from './root.js';

type Settings = Readonly<Record<string, string>>;

/** An app of this repository that answers requests. */
export interface App {
  readonly url: string;
  readonly program: Program;
}

/** One spec's apps and command line: processes built by `npm run build`, on a stack that runs, with databases that nobody else uses. */
export interface Estate {
  readonly world: World;
  /** Beginning of the ids of this spec's employees: the topic is shared, the people are not. */
  readonly prefix: string;
  /** Seed of this spec's made-up people, and part of the prefix. */
  readonly seed: number;
  /** What every program is given; a spec may change an address before it starts one. */
  readonly environment: Record<string, string>;
  /** A pool on the app's database. */
  store(app: string): Store;
  databaseUrl(app: string): string;
  /** Does not wait for an answer; always on the same port. @param shell what a shell does before it becomes the app: `ulimit -n 64`. */
  launch(app: string, settings?: Settings, shell?: string): Program;
  /** Waits until it is ready. */
  start(app: string, settings?: Settings, shell?: string): Promise<App>;
  /** Runs on until it is stopped, or until the estate is closed. */
  command(args: readonly string[], settings?: Settings): Program;
  /** Runs `factline ...` to its end. */
  factline(args: readonly string[], settings?: Settings): Promise<Answered>;
  close(): Promise<void>;
}

export interface Answered {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** An app starts in 2 s; on a machine with ten processes a core it was seen to take more than 30. */
const START_TIMEOUT = 90_000;

interface EstateOptions {
  /** Those that are used; each gets a database. Default hr and payroll. */
  apps?: readonly string[];
  /** Where the stack's addresses are, when it is not the one all specs share. */
  env?: Environment;
}

/** @throws FactlineError `testing.no-stack` (configuration) when no stack's addresses are in the environment. */
export async function estate({ apps = ['hr', 'payroll'], env = process.env }: EstateOptions = {}): Promise<Estate> {
  const here = await world({ ...env });
  const config = await loadConfig(ROOT);
  const databases: Record<string, string> = {};
  for (const app of apps) databases[appOf(config, app).databaseUrl] = await here.database(app.replaceAll('-', '_'));
  const stores = new Map<string, Store>();
  const databaseUrl = (app: string) => databases[appOf(config, app).databaseUrl]!;
  const environment: Record<string, string> = { ...databases, FACTLINE_KAFKA: here.kafka.join(','), FACTLINE_REGISTRY_URL: here.registryUrl, LOG_LEVEL: 'info' };
  const ports = new Map<string, number>();
  for (const app of Object.keys(config.apps)) ports.set(app, await freePort());
  const programs = new Set<Program>();
  const program = (args: readonly string[], settings: Settings = {}, shell?: string) => {
    const made = new Program(...nodeCommand(args, shell), { environment: { ...environment, ...settings }, cwd: ROOT });
    programs.add(made);
    return made;
  };
  const launch = (app: string, settings: Settings = {}, shell?: string) =>
    program(['--enable-source-maps', resolve(ROOT, appOf(config, app).main!)], { PORT: String(ports.get(app)), ...settings }, shell);
  const command = (args: readonly string[], settings?: Settings) => program([CLI, ...args], settings);
  const seed = Number.parseInt(here.name.slice(1), 16);
  return {
    world: here,
    seed,
    prefix: `e-${seed}-`,
    environment,
    store: (app) => {
      const store = stores.get(app) ?? here.store(databaseUrl(app));
      stores.set(app, store);
      return store;
    },
    databaseUrl,
    launch,
    start: async (app, settings, shell) => ready(app, `http://127.0.0.1:${ports.get(app)}`, launch(app, settings, shell)),
    command,
    factline: async (args, settings) => {
      const made = command(args, settings);
      const { code } = await made.ended;
      return { code, stdout: made.stdout, stderr: made.stderr };
    },
    close: async () => {
      await Promise.all([...programs].map((each) => each.stop('SIGKILL')));
      await here.close();
    },
  };
}

async function ready(name: string, url: string, program: Program): Promise<App> {
  let last = 'no answer yet';
  await until(
    `the app '${name}' to be ready`,
    async () => {
      if (!program.running) throw notReady(name, 'it ended', program);
      try {
        const answer = await fetch(`${url}/health/ready`);
        last = `it answers ${answer.status}`;
        return answer.ok;
      } catch (error) {
        last = messageOf(error);
        return false;
      }
    },
    START_TIMEOUT,
  ).catch((error: unknown) => {
    if (!program.running) throw error;
    program.signal('SIGKILL');
    throw notReady(name, last, program);
  });
  return { url, program };
}

function notReady(name: string, what: string, program: Program): FactlineError {
  return new FactlineError({ code: 'e2e.not-ready', kind: 'internal', message: `The app '${name}' is not ready: ${what}. It said:\n${program.tail}`, advice: 'Read what it said.' });
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((found, failed) => {
    const server = createServer();
    server.once('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address ? found(address.port) : failed(new Error('no port'))));
    });
  });
}
