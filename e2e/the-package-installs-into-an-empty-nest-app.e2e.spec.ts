import { cp, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { until } from 'factline/testing';
import { writeEmptyApp } from './support/empty-app.js';
import { type Estate, estate, freePort } from './support/estate.js';
import { type Ended, type Packed, ended, installInto, outsider, packInto } from './support/installed.js';
import type { Program } from './support/program.js';
import { ask } from './support/rest.js';
import { ROOT } from './support/root.js';

/** Packing, and an install of about 150 packages: 15 s from npm's cache, and a slow registry otherwise. */
const INSTALL_WITHIN = 180_000;
/** What the app needs beside the package itself, at the versions that are tested here. */
const BESIDE = ['@nestjs/common', '@nestjs/core', '@nestjs/microservices', '@nestjs/platform-express', '@nestjs/swagger', 'class-transformer', 'class-validator', 'helmet', 'reflect-metadata', 'rxjs', '@types/node'];

let here: Estate;
let folder: string;
let main: string;
let packed: Packed;
let entrances: string[];
let settings: Readonly<Record<string, string>>;
const programs: Program[] = [];

function program(command: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): Program {
  const made = outsider(command, args, folder, environment);
  programs.push(made);
  return made;
}

const run = (command: string, args: readonly string[]): Promise<Ended> => ended(program(command, args));

const factline = (...args: string[]) => run(resolve(folder, 'node_modules/.bin/factline'), args);

beforeAll(async () => {
  here = await estate();
  folder = await realpath(await mkdtemp(resolve(tmpdir(), 'factline-shop-')));
  const { exports, devDependencies } = JSON.parse(await readFile(resolve(ROOT, 'package.json'), 'utf8')) as { exports: Record<string, unknown>; devDependencies: Record<string, string> };
  entrances = Object.keys(exports).filter((path) => path !== './package.json').map((path) => `factline${path.slice(1)}`);
  packed = await packInto(folder);
  const beside = Object.fromEntries(BESIDE.map((name) => [name, devDependencies[name]!]));
  main = await writeEmptyApp(folder, { topic: here.world.topic('order'), dependencies: { factline: `file:${packed.filename}`, ...beside }, entrances });
  await installInto(folder);
  settings = {
    SHOP_DATABASE_URL: await here.world.database('shop'),
    FACTLINE_KAFKA: here.environment['FACTLINE_KAFKA']!,
    FACTLINE_REGISTRY_URL: here.environment['FACTLINE_REGISTRY_URL']!,
  };
}, INSTALL_WITHIN);

afterAll(async () => {
  await Promise.all(programs.map((each) => each.stop('SIGKILL')));
  if (folder) await rm(folder, { recursive: true, force: true });
  await here?.close();
});

it('contains what runs, its declarations and its licence, and nothing else', () => {
  const paths = packed.files.map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'CHANGELOG.md', 'package.json', 'dist/apps/cli/src/main.js', 'dist/libs/nest/src/index.js', 'dist/libs/nest/src/index.d.ts']));
  const strange = paths.filter((path) => !/^(LICENSE|README\.md|CHANGELOG\.md|package\.json)$/.test(path) && (!/^dist\/(libs|apps\/cli)\/.*\.(js|js\.map|d\.ts)$/.test(path) || /\.spec\./.test(path)));
  expect(strange).toEqual([]);
});

it('opens each of its entrances, and none of its inner files', async () => {
  const opened = await run(process.execPath, ['--input-type=module', '-e', `for (const name of ${JSON.stringify(entrances)}) console.log(name, Object.keys(await import(name)).length > 0);`]);
  expect(opened).toMatchObject({ code: 0, stderr: '', stdout: entrances.map((name) => `${name} true\n`).join('') });
  const inner = await run(process.execPath, ['--input-type=module', '-e', "await import('factline/dist/libs/outbox/src/relay.js')"]);
  expect(inner.code).toBe(1);
  expect(inner.stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
});

it('brings the type of `meta` along: types are generated from the app\'s own schema and contract alone', async () => {
  expect(await factline('contracts', 'gen')).toEqual({ code: 0, stdout: 'written    apps/shop/src/contracts.generated.ts\n', stderr: '' });
});

it('compiles with the app, its declarations included', async () => {
  // An app that states the shared type itself, as the apps here do, gets the same.
  await cp(resolve(ROOT, 'schemas/factline'), resolve(folder, 'schemas/factline'), { recursive: true });
  expect((await factline('contracts', 'gen')).code).toBe(0);
  expect((await factline('contracts', 'gen', '--check')).code).toBe(0);
  const { stdout } = await run(process.execPath, [resolve(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.', '--pretty', 'false']);
  // Nest's own declarations want @types/express, which is between Nest and the app.
  expect(stdout.split('\n').filter((line) => /^(apps|node_modules\/factline)\//.test(line))).toEqual([]);
});

it('starts, takes an order, and shows it in its read model; here the relay of the package\'s own command publishes', async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const shop = program(process.execPath, [main], { ...settings, PORT: String(port), SHOP_RELAY: 'off' });
  await until('the shop to be ready', async () => {
    if (!shop.running) throw new Error(shop.tail);
    return (await ask(`${url}/health/ready`).catch(() => ({ status: 0 }))).status === 200;
  });
  const placed = await ask(`${url}/orders/o-1`, 'POST', { totalCents: 1_250 });
  expect(placed.status).toBe(201);
  const token = { 'factline-token': placed.headers.get('factline-token')! };
  expect((await ask(`${url}/orders/o-1`, 'GET', undefined, { ...token, prefer: 'wait=0' })).status).toBe(503); // nobody publishes yet
  expect((await ask(`${url}/health`)).body['relay']).toMatchObject({ state: 'disabled' });

  const relay = program(resolve(folder, 'node_modules/.bin/factline'), ['relay', '--app', 'shop'], settings);
  const shown = await until('the order in the read model', async () => {
    const answer = await ask(`${url}/orders/o-1`, 'GET', undefined, { ...token, prefer: 'wait=5' });
    return answer.status === 200 ? answer : undefined;
  });
  expect(shown.body).toEqual({ order_id: 'o-1', total_cents: 1_250 });
  expect((await ask(`${url}/orders/o-2`, 'POST', { totalCents: 0 })).status).toBe(400);

  const replay = program(resolve(folder, 'node_modules/.bin/factline'), ['replay', 'run', 'orders', '--app', 'shop'], settings);
  expect(await replay.ended).toEqual({ code: 0, signal: null });
  expect(replay.stdout).toContain('equal to live at the same offsets');
  expect([await relay.stop(), await shop.stop()]).toEqual([
    { code: 0, signal: null },
    { code: 0, signal: null },
  ]);
});
