import { mkdir, mkdtemp, readFile, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { type World, until, world } from 'factline/testing';
import { freePort } from './support/estate.js';
import { type Ended, ended, installInto, outsider, packInto } from './support/installed.js';
import type { Program } from './support/program.js';
import { ask } from './support/rest.js';
import { ROOT } from './support/root.js';

/** Packing, and an install of about 150 packages: 15 s from npm's cache, and a slow registry otherwise. */
const INSTALL_WITHIN = 240_000;
/** A compiler, a linter and a runner of specs, one after the other, on a machine that does other things as well. */
const TOOLS_WITHIN = 240_000;
/** What a repository has that uses the package. */
const BESIDE = ['@nestjs/common', '@nestjs/core', '@nestjs/microservices', '@nestjs/platform-express', '@nestjs/swagger', 'class-transformer', 'class-validator', 'helmet', 'reflect-metadata', 'rxjs', '@types/node', '@types/jest'];
const PERSON = { GIT_AUTHOR_NAME: 'spec', GIT_AUTHOR_EMAIL: 'spec@example.org', GIT_COMMITTER_NAME: 'spec', GIT_COMMITTER_EMAIL: 'spec@example.org' };

/** The strictest settings of the compiler that an app here is held to. */
const TSCONFIG = {
  compilerOptions: {
    target: 'es2023', lib: ['es2023'], module: 'nodenext', strict: true, noUncheckedIndexedAccess: true, noImplicitOverride: true, noUnusedLocals: true, isolatedModules: true, verbatimModuleSyntax: true,
    experimentalDecorators: true, emitDecoratorMetadata: true, esModuleInterop: true, skipLibCheck: true, rootDir: '.', outDir: 'dist', types: ['node', 'jest'],
  },
  include: ['apps'],
};

/** Step 9 of the recipe, which is the owner's own: the fact is stated in the transaction that makes it true. */
const PLACING = `import { Body, Controller, Param, Post } from '@nestjs/common';
import { type Answer, answer, field } from 'factline/nest';
import { FactOutbox } from 'factline/outbox';
import { Store } from 'factline/store';
import { OrderPlaced } from './contracts.generated.js';

class NewOrder {
  @field.whole({ min: 1, max: 1_000_000 }) totalCents!: number;
}

@Controller('orders')
export class PlacingController {
  constructor(
    private readonly store: Store,
    private readonly outbox: FactOutbox,
  ) {}

  @Post(':id')
  async place(@Param('id') id: string, @Body() { totalCents }: NewOrder): Promise<Answer> {
    const { token } = await this.store.transaction((tx) => this.outbox.add(tx, OrderPlaced(id, { totalCents, placedOn: 20_000 })));
    return answer({ id }, { status: 201, token });
  }
}
`;

let here: World;
let folder: string;
/** Also the context of its facts: nobody else on the stack has topics and subjects of that name. */
let app: string;
let settings: Readonly<Record<string, string>>;
const programs: Program[] = [];

function program(command: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): Program {
  const made = outsider(command, args, folder, environment);
  programs.push(made);
  return made;
}

const at = (file: string) => resolve(folder, file);
const source = (file: string) => at(`apps/${app}/src/${file}`);
const factline = (...args: string[]): Promise<Ended> => ended(program(at('node_modules/.bin/factline'), args));
const tool = (file: string, args: readonly string[], environment?: Readonly<Record<string, string>>): Promise<Ended> => ended(program(process.execPath, [resolve(ROOT, 'node_modules', file), ...args], environment));
const compile = () => tool('typescript/bin/tsc', ['-p', '.', '--pretty', 'false']);
const specs = (...filters: string[]) =>
  tool('jest/bin/jest.js', ['--config', 'jest.config.json', '--runInBand', ...filters], { NODE_OPTIONS: '--experimental-vm-modules', FACTLINE_KAFKA: here.kafka.join(','), FACTLINE_REGISTRY_URL: here.registryUrl, FACTLINE_POSTGRES_URL: here.postgresUrl });

/** Everything that a verb may have written. */
async function written(): Promise<Record<string, string>> {
  const files = (await readdir(folder, { recursive: true })).filter((file) => /^(apps|schemas)\/.*\.\w+$|^factline\.config\.json$/.test(file)).toSorted();
  return Object.fromEntries(await Promise.all(files.map(async (file) => [file, await readFile(at(file), 'utf8')] as const)));
}

/** Under the settings of this repository, with the app's own package. */
async function prepare(): Promise<void> {
  const { devDependencies } = JSON.parse(await readFile(resolve(ROOT, 'package.json'), 'utf8')) as { devDependencies: Record<string, string> };
  const { filename } = await packInto(folder);
  await writeFile(at('package.json'), JSON.stringify({ name: 'shop', private: true, type: 'module', dependencies: { factline: `file:${filename}`, ...Object.fromEntries(BESIDE.map((name) => [name, devDependencies[name]!])) } }));
  await writeFile(at('tsconfig.json'), JSON.stringify(TSCONFIG));
  await writeFile(at('.oxlintrc.json'), await readFile(resolve(ROOT, '.oxlintrc.json')));
  const swc = { jsc: { target: 'es2023', parser: { syntax: 'typescript', decorators: true }, transform: { legacyDecorator: true, decoratorMetadata: true } }, module: { type: 'es6' } };
  await writeFile(at('jest.config.json'), JSON.stringify({
    rootDir: folder, testEnvironment: 'node', testMatch: ['<rootDir>/apps/**/*.spec.ts'], extensionsToTreatAsEsm: ['.ts'], modulePathIgnorePatterns: ['<rootDir>/dist'],
    transform: { '^.+\\.ts$': [resolve(ROOT, 'node_modules/@swc/jest'), swc] }, moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' }, testTimeout: 60_000,
  }));
  await installInto(folder);
}

beforeAll(async () => {
  here = await world();
  app = here.name;
  here.topic('order'); // `${app}.order`: deleted with this world
  folder = await realpath(await mkdtemp(resolve(tmpdir(), 'factline-new-')));
  await prepare();
  settings = { [`${app.toUpperCase()}_DATABASE_URL`]: await here.database('app'), FACTLINE_KAFKA: here.kafka.join(','), FACTLINE_REGISTRY_URL: here.registryUrl };
}, INSTALL_WITHIN);

afterAll(async () => {
  await Promise.all(programs.map((each) => each.stop('SIGKILL')));
  if (folder) await rm(folder, { recursive: true, force: true });
  await here?.close();
});

const order = ['--key', 'orderId', '--field', 'totalCents:long:What it costs, in hundredths.', '--field', 'note:string?', '--field', 'placedOn:date'];
const orders = () => ['orders', '--app', app, '--of', `${app}.OrderPlaced,${app}.OrderMoved,${app}.OrderCancelled`, '--select', 'totalCents,note,placedOn,city', '--purpose', 'The list of orders.'];

it('writes nothing while anything is wrong, and says all of it', async () => {
  expect(await factline('new', 'app', 'My_Shop', '--owner', '', '--port', 'x')).toMatchObject({ code: 2, stderr: expect.stringMatching(/Nothing was written:\n.*'My_Shop' is no name of an app.*\n.*'x' is no port.*\n.*'' is no name of a team/) as string });
  expect(await factline('new', 'fact', `${app}.OrderPlaced`, '--key', 'order_id', '--field', 'a:b')).toMatchObject({ code: 2, stderr: expect.stringMatching(/'order_id' is no name of a field[^]*'b' is no type[^]*say --entity/) as string });
  expect(await factline('new', 'fact', `${app}.OrderPlaced`, ...order)).toMatchObject({ code: 2, stderr: expect.stringContaining(`factline new app ${app} --owner <team>`) as string });
  expect(await factline('new', 'projection', ...orders())).toMatchObject({ code: 2, stderr: expect.stringMatching(/there is no apps\/[^]*there is no fact/) as string });
  expect(await written()).toEqual({});
});

it('shows an app without writing it, and then writes what it showed', async () => {
  const shown = await factline('new', 'app', app, '--owner', 'sales', '--dry-run');
  expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining(`+++ b/apps/${app}/src/${app}.module.ts`) as string });
  expect(await written()).toEqual({});
  const made = await factline('new', 'app', app, '--owner', 'sales', '--json');
  const { files, next } = JSON.parse(made.stdout) as { files: { file: string; created: boolean }[]; next: string[] };
  const now = await written();
  expect(Object.keys(now)).toEqual(files.map(({ file }) => file));
  expect(files.every(({ created }) => created)).toBe(true);
  expect(next.length).toBeGreaterThan(0);
  for (const line of now[`apps/${app}/src/${app}.module.ts`]!.trimEnd().split('\n')) expect(shown.stdout).toContain(`+${line}\n`);
});

it('writes over no file: said with every file that is there', async () => {
  const before = await written();
  const again = await factline('new', 'app', app, '--owner', 'sales');
  expect(again).toMatchObject({ code: 2, stderr: expect.stringMatching(/has an app[^]*contracts\.yaml is there already[^]*main\.ts is there already/) as string });
  expect(await written()).toEqual(before);
});

it('adds facts and a projection of them, and refuses what the contract check would refuse', async () => {
  for (const [name, ...more] of [['OrderPlaced', ...order], ['OrderMoved', '--key', 'orderId', '--field', 'city:string', '--field', 'totalCents:long?'], ['OrderCancelled', '--key', 'orderId']]) {
    expect(await factline('new', 'fact', `${app}.${name}`, ...more)).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining(`created  schemas/${app}/order/${name}.avsc`) as string });
  }
  const before = await written();
  expect(await factline('new', 'fact', `${app}.OrderShip`, '--key', 'orderId', '--field', 'price:double')).toMatchObject({ code: 2, stderr: expect.stringMatching(/fact-name-past-tense[^]*money-as-float/) as string });
  expect(await factline('new', 'fact', `${app}.OrderPaid`, '--key', 'paymentId', '--entity', 'order')).toMatchObject({ code: 2, stderr: expect.stringContaining('is orderId, not paymentId') as string });
  expect(await factline('new', 'projection', ...orders().map((each) => (each.startsWith('totalCents') ? 'total,note' : each)))).toMatchObject({ code: 2, stderr: expect.stringContaining('--select total: no field of') as string });
  expect(await written()).toEqual(before);
  expect(await factline('new', 'projection', ...orders())).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('orders.projection.unit.spec.ts') as string });
});

it('made declarations that hold, with types that are up to date', async () => {
  await ended(outsider('sh', ['-c', "git init --quiet && git add apps schemas && git commit --quiet --message 'As generated'"], folder, PERSON));
  expect(await factline('contracts', 'check', '--against', 'git:HEAD')).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing breaks') as string });
  expect(await factline('contracts', 'gen', '--check')).toMatchObject({ code: 0 });
});

it('made code that the compiler and the linter of this repository take', async () => {
  expect(await compile()).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(await tool('oxlint/bin/oxlint', ['--type-aware', '--deny-warnings', 'apps'], { OXLINT_TSGOLINT_PATH: resolve(ROOT, 'node_modules/.bin/tsgolint') })).toMatchObject({ code: 0, stdout: expect.stringContaining('Found 0 warnings and 0 errors.') as string });
  const strange = source('strange.ts');
  await writeFile(strange, "import { loadConfig } from 'factline/nest';\n\nexport const one: number = 'one';\nPromise.resolve(1);\n");
  expect((await compile()).stdout).toMatch(/strange\.ts.*TS2322/); // controls
  expect((await tool('oxlint/bin/oxlint', ['--type-aware', '--deny-warnings', 'apps'], { OXLINT_TSGOLINT_PATH: resolve(ROOT, 'node_modules/.bin/tsgolint') })).stdout).toContain('no-floating-promises');
  await rm(strange);
}, TOOLS_WITHIN);

it('made specs that pass on the stack, and fail with a fold that is wrong', async () => {
  const all = await specs();
  expect(`${all.code} ${all.stderr}`).toMatch(/^0 [^]*Tests: +6 passed, 6 total/);
  const file = source('orders.projection.ts');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('total_cents: data.totalCents,', 'total_cents: 0,'));
  const broken = await specs('unit');
  await writeFile(file, text);
  expect(broken.stderr).toMatch(/Tests: +1 failed, 3 passed, 4 total/);
}, TOOLS_WITHIN);

it('made an app that starts, states the fact and shows it in its read model', async () => {
  await writeFile(source('placing.controller.ts'), PLACING);
  const module = await readFile(source(`${app}.module.ts`), 'utf8');
  await writeFile(source(`${app}.module.ts`), module.replace('controllers: [', 'controllers: [PlacingController, ').replace("import type", "import { PlacingController } from './placing.controller.js';\nimport type"));
  await mkdir(at('dist'), { recursive: true });
  expect(await compile()).toEqual({ code: 0, stdout: '', stderr: '' });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const { apps } = JSON.parse(await readFile(at('factline.config.json'), 'utf8')) as { apps: Record<string, { main: string }> };
  const service = program(process.execPath, [at(apps[app]!.main)], { ...settings, PORT: String(port) });
  await until('the app to be ready', async () => {
    if (!service.running) throw new Error(service.tail);
    return (await ask(`${url}/health/ready`).catch(() => ({ status: 0 }))).status === 200;
  });
  const placed = await ask(`${url}/orders/o-1`, 'POST', { totalCents: 1_250 });
  expect(placed.status).toBe(201);
  const token = placed.headers.get('factline-token')!;
  const shown = await until('the order in the read model', async () => {
    const answer = await ask(`${url}/orders/o-1`, 'GET', undefined, { 'factline-token': token, prefer: 'wait=5' });
    return answer.status === 200 ? answer : undefined;
  });
  expect(shown.body).toEqual({ orderId: 'o-1', totalCents: 1_250, note: null, placedOn: '2024-10-04', city: null });
  expect((await ask(`${url}/orders/o-2`)).body).toMatchObject({ code: 'orders.unknown' }); // control
  const replay = program(at('node_modules/.bin/factline'), ['replay', 'run', 'orders', '--app', app], settings);
  expect(await replay.ended).toEqual({ code: 0, signal: null });
  expect(replay.stdout).toContain('equal to live at the same offsets');
  expect(await service.stop()).toEqual({ code: 0, signal: null });
}, TOOLS_WITHIN);
