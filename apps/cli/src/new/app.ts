import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CONFIG_FILE } from '../config.js';
import { APPS, type Ground } from './ground.js';
import { type AppParts, configFile, contractsYaml, mainFile, moduleFile, specFile } from './app-templates.js';
import { appFaults, pascal, portFaults, upper } from './names.js';

export interface NewApp {
  owner: string;
  port?: string;
}

const FIRST_PORT = 3001;

/** `factline new app`: the files of the recipe for an app. @returns what people do next. */
export async function newApp(ground: Ground, app: string, { owner, port }: NewApp): Promise<string[]> {
  ground.fault(...appFaults(app), ...(port === undefined ? [] : portFaults(port)));
  if (!/^[A-Za-z][\w ./-]*$/.test(owner) || /^(true|false|null)$/i.test(owner)) ground.fault(`--owner '${owner}' is no name of a team: letters, digits, spaces and - _ . /, a letter first`);
  if (ground.config && Object.hasOwn(ground.config.apps, app)) ground.fault(`${CONFIG_FILE} has an app '${app}' already`);
  const taken = await portsOf(ground);
  const sharing = port === undefined ? undefined : taken.get(Number(port));
  if (sharing !== undefined) ground.fault(`--port ${port} is that of ${sharing}`);
  const parts: AppParts = { app, owner, port: Number(port ?? Math.max(FIRST_PORT - 1, ...taken.keys()) + 1), type: pascal(app), prefix: upper(app) };
  const source = `${APPS}/${app}/src`;
  await ground.create(`${APPS}/${app}/contracts.yaml`, contractsYaml(parts));
  await ground.create(`${source}/config.ts`, configFile(parts));
  await ground.create(`${source}/${app}.module.ts`, moduleFile(parts));
  await ground.create(`${source}/main.ts`, mainFile(parts));
  await ground.create(`${source}/${app}.int.spec.ts`, specFile(parts));
  ground.refuse();
  await declare(ground, parts);
  return [
    `factline new fact ${app.replaceAll('-', '_')}.<PastTense> --key <field>: what it states; factline new projection <name> --app ${app} --of <facts> ...: what it keeps`,
    `create its database, and set ${parts.prefix}_DATABASE_URL, FACTLINE_KAFKA and FACTLINE_REGISTRY_URL (factline stack up prints the last two)`,
    `build, so that dist/${source}/main.js is there, and start it; its spec needs a runner with it() and expect(), such as Jest, and the stack's addresses in the environment`,
  ];
}

/** The ports of the other apps, as their settings have them. */
async function portsOf({ root, config }: Ground): Promise<Map<number, string>> {
  const ports = new Map<number, string>();
  for (const app of Object.keys(config?.apps ?? {})) {
    const text = await readFile(join(root, APPS, app, 'src', 'config.ts'), 'utf8').catch(() => ''); // an app of another shape has its port elsewhere
    const port = /setting\.service\(\{ port: (\d[\d_]*) \}\)/.exec(text)?.[1];
    if (port !== undefined) ports.set(Number(port.replaceAll('_', '')), app);
  }
  return ports;
}

async function declare({ workspace, config }: Ground, { app, prefix }: AppParts): Promise<void> {
  const compiled = `dist/${APPS}/${app}/src`;
  const entry = { contracts: `${APPS}/${app}/contracts.yaml`, databaseUrl: `${prefix}_DATABASE_URL`, facts: `${compiled}/contracts.generated.js`, main: `${compiled}/main.js` };
  if (config && Object.keys(config.apps).length > 0) (await workspace.draft(CONFIG_FILE)).addMember('$.apps', app, entry);
  else await workspace.put(CONFIG_FILE, `${JSON.stringify({ ...(config && config.schemas !== 'schemas' && { schemas: config.schemas }), apps: { [app]: entry } }, null, 2)}\n`);
}
