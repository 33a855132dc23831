import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { FactlineError, messageOf, pause } from 'factline/kernel';
import { type StackAddresses, stackEnvironment } from 'factline/stack';
import { Store, identifier } from 'factline/store';
import { type AppDeclaration, type FactlineConfig, appOf } from './config.js';

/** How long an app may take until it answers; a first start also migrates and registers. */
const START_TIMEOUT = 30_000;
const LOOK_INTERVAL = 50;
/** Longer than the apps' own shutdown deadline of 10 s. */
const STOP_TIMEOUT = 15_000;

/** An app of this repository, as a process of its own. */
export interface RunningApp {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  /** Where its output goes. */
  readonly logFile: string;
  /** SIGTERM and the app's own deadline; or the given signal at once. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Where apps run: a stack, one database each on it, and fixed ports so that a restarted app keeps its address. */
export interface AppHost {
  readonly environment: Readonly<Record<string, string>>;
  start(name: string, settings?: Readonly<Record<string, string>>): Promise<RunningApp>;
  stopAll(): Promise<void>;
}

/** Makes the databases that are missing. @throws FactlineError `dev.no-main` for an app without `main` when it is started. */
export async function hostApps(config: FactlineConfig, stack: StackAddresses, names: readonly string[]): Promise<AppHost> {
  const environment = { ...stackEnvironment(stack), ...(await createDatabases(config, stack, names)) };
  const ports = new Map(await Promise.all(names.map(async (name) => [name, await freePort()] as const)));
  const running = new Set<RunningApp>();
  const folder = resolve(config.root, '.factline', 'logs');
  mkdirSync(folder, { recursive: true });
  return {
    environment,
    start: async (name, settings = {}) => {
      const app = await startApp({ name, main: mainOf(config, name), port: ports.get(name)!, folder, root: config.root, environment: { ...environment, ...settings } });
      running.add(app);
      return app;
    },
    stopAll: async () => {
      await Promise.all([...running].map((app) => app.stop()));
      running.clear();
    },
  };
}

interface Start {
  name: string;
  main: string;
  port: number;
  folder: string;
  root: string;
  environment: Readonly<Record<string, string>>;
}

async function startApp({ name, main, port, folder, root, environment }: Start): Promise<RunningApp> {
  const logFile = resolve(folder, `${name}.log`);
  const output = createWriteStream(logFile, { flags: 'a' });
  await once(output, 'open');
  const child = spawn(process.execPath, ['--enable-source-maps', main], {
    cwd: root,
    env: { PATH: process.env['PATH'], ...environment, PORT: String(port) },
    stdio: ['ignore', output, output],
  });
  output.close();
  const url = `http://127.0.0.1:${port}`;
  await ready(name, url, child, logFile);
  return { name, url, pid: child.pid!, logFile, stop: (signal) => stopApp(child, signal) };
}

async function ready(name: string, url: string, child: ChildProcess, logFile: string): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT;
  let last = 'no answer yet';
  while (performance.now() < deadline && child.exitCode === null && child.signalCode === null) {
    try {
      const answer = await fetch(`${url}/health/ready`);
      if (answer.ok) return;
      last = `it answers ${answer.status}`;
    } catch (error) {
      last = messageOf(error);
    }
    await pause(LOOK_INTERVAL);
  }
  const ended = child.exitCode !== null || child.signalCode !== null;
  if (!ended) child.kill('SIGKILL');
  throw new FactlineError({
    code: 'dev.app-not-ready',
    kind: 'unavailable',
    message: ended ? `The app '${name}' ended while starting (${child.signalCode ?? `exit code ${child.exitCode}`}).` : `The app '${name}' was not ready within ${START_TIMEOUT} ms: ${last}.`,
    advice: `Read ${logFile}`,
  });
}

async function stopApp(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  const late = new AbortController();
  const outcome = await Promise.race([ended, pause(STOP_TIMEOUT, late.signal).then(() => 'late' as const)]);
  late.abort();
  if (outcome !== 'late') return;
  child.kill('SIGKILL');
  await ended;
}

function mainOf(config: FactlineConfig, name: string): string {
  const { main } = appOf(config, name);
  if (main) return resolve(config.root, main);
  throw new FactlineError({
    code: 'dev.no-main',
    kind: 'configuration',
    message: `The app '${name}' has no 'main' in factline.config.json, so it cannot be started from here.`,
    advice: `Set apps.${name}.main to its compiled entry file.`,
  });
}

async function createDatabases(config: FactlineConfig, { postgresUrl }: StackAddresses, names: readonly string[]): Promise<Record<string, string>> {
  const admin = new Store({ url: postgresUrl, applicationName: 'factline dev', connections: 1 });
  try {
    const urls: Record<string, string> = {};
    for (const name of names) {
      const database = name.replaceAll('-', '_');
      const { rows } = await admin.query('select from pg_database where datname = $1', [database]);
      if (rows.length === 0) await admin.query(`create database ${identifier(database)}`);
      const url = new URL(postgresUrl);
      url.pathname = `/${database}`;
      const { databaseUrl }: AppDeclaration = appOf(config, name);
      urls[databaseUrl] = url.href;
    }
    return urls;
  } finally {
    await admin.close();
  }
}

function freePort(): Promise<number> {
  return new Promise((resolvePort, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address ? resolvePort(address.port) : reject(new Error('no port'))));
    });
  });
}
