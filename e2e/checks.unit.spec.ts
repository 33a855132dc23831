import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** The checkers of `npm run check`, each on a small repository that keeps the laws and on one that breaks them: a checker that cannot fail proves nothing. */
const repository = process.cwd();
const settings = ['package.json', 'tsconfig.json', '.dependency-cruiser.cjs', '.oxlintrc.json', 'knip.json', 'docs/reference/dependencies.md'];

const lawful: Record<string, string> = {
  'libs/kernel/src/index.ts': "export { type Clock, systemClock } from './clock.js';\n",
  'libs/kernel/src/clock.ts': 'export interface Clock {\n  now(): number;\n}\nexport const systemClock: Clock = { now: () => Date.now() };\n',
  'libs/store/src/index.ts': "export { began } from './session.js';\n",
  'libs/store/src/session.ts':
    "import { systemClock } from 'factline/kernel';\nimport { LOCK_WAIT_MS } from './limits.js';\n\nexport const began = (): number => systemClock.now() - LOCK_WAIT_MS;\n",
  'libs/store/src/limits.ts': '/** A lock that nobody gives back within this time is a defect. */\nexport const LOCK_WAIT_MS = 5_000;\n',
  'apps/hr/src/main.ts': "import { began } from 'factline/store';\n\nexport const started = began();\n",
};

let folder: string;

function plant(files: Record<string, string>): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
}

/** What a checker of the real repository says of the planted one. */
function run(program: string, ...args: string[]): Promise<{ code: number; text: string }> {
  return new Promise((done) => {
    execFile(process.execPath, [resolve(repository, program), ...args], { cwd: folder }, (error, stdout, stderr) => {
      done({ code: error ? Number(error.code ?? 1) : 0, text: stdout + stderr });
    });
  });
}

const checkers = {
  imports: () => run('tools/imports.mjs'),
  tidy: () => run('tools/tidy.mjs'),
  lint: () => run('node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings', '-f', 'unix', 'libs', 'apps'),
  unused: () => run('node_modules/knip/bin/knip.js', '--no-progress', '--no-config-hints', '--include', 'files,exports'),
};

/** Every line of `expected` ("file:line rule") stands in the answer, and the checker fails. */
function expectFindings({ code, text }: { code: number; text: string }, expected: string[]): void {
  const missing = expected.filter((line) => {
    const [place, ...rest] = line.split(' ');
    return !text.split('\n').some((found) => found.includes(place as string) && found.includes(rest.join(' ')));
  });
  expect({ missing, answer: missing.length > 0 ? text : '' }).toEqual({ missing: [], answer: '' });
  expect(code).not.toBe(0);
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'factline-checks-'));
  for (const file of settings) cpSync(join(repository, file), join(folder, file));
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'), 'dir');
  plant(lawful);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a repository that keeps the laws', () => {
  it.each(Object.entries(checkers))('passes %s', async (_name, check) => {
    const { code, text } = await check();
    expect({ code, text: code === 0 ? '' : text }).toEqual({ code: 0, text: '' });
  });
});

describe('the law of imports', () => {
  it('refuses imports upwards (of types too), sideways, past a face, between apps, in a circle, and of a driver away from home', async () => {
    plant({
      'libs/kernel/src/upward.ts': "import type { began } from 'factline/store';\n\nexport type Began = typeof began;\n",
      'libs/log/src/index.ts': "import { began } from 'factline/store';\n\nexport { began };\n",
      'libs/outbox/src/index.ts': "import { LOCK_WAIT_MS } from '../../store/src/limits.js';\nimport { Pool } from 'pg';\n\nexport { LOCK_WAIT_MS, Pool };\n",
      'apps/payroll/src/main.ts': "import { started } from '../../hr/src/main.js';\nimport { Kafka } from 'kafkajs';\n\nexport { Kafka, started };\n",
      'libs/contracts/src/index.ts': "export { type Left } from './left.js';\nexport { gone } from './gone.js';\n",
      'libs/contracts/src/left.ts': "import type { Right } from './right.js';\n\nexport type Left = Right | 1;\n",
      'libs/contracts/src/right.ts': "import type { Left } from './left.js';\n\nexport type Right = Left[];\n",
      'libs/kernel/src/decorated.ts': "@sealed\nexport class Late {\n  load = async () => import('factline/outbox');\n}\ndeclare function sealed(target: unknown): void;\n",
    });
    expectFindings(await checkers.imports(), [
      'libs/kernel/src/upward.ts:1 floor-kernel',
      'libs/kernel/src/decorated.ts:3 floor-kernel',
      'libs/log/src/index.ts:1 floor-log',
      'libs/outbox/src/index.ts:1 face-between-libs',
      'libs/outbox/src/index.ts:1 by-package-name-between-libs',
      'libs/outbox/src/index.ts:2 driver-home-postgres',
      'apps/payroll/src/main.ts:1 apps-are-islands',
      'apps/payroll/src/main.ts:2 driver-home-kafka',
      'libs/contracts/src/left.ts:1 no-cycles',
      'libs/contracts/src/index.ts:2 resolvable',
    ]);
  });

  it('lets specs, and only them, reach for the stack and the testing lib', async () => {
    plant({
      'libs/stack/src/index.ts': "export { up } from './up.js';\n",
      'libs/stack/src/up.ts': 'export const up = true;\n',
      'libs/store/src/session.int.spec.ts': "import { up } from 'factline/stack';\nimport pg from 'pg';\n\nexport { pg, up };\n",
      'libs/log/src/index.ts': "import { up } from 'factline/stack';\n\nexport { up };\n",
      'apps/hr/src/early.ts': "import { up } from 'factline/stack';\n\nexport { up };\n",
    });
    const answer = await checkers.imports();
    expectFindings(answer, ['libs/log/src/index.ts:1 floor-log', 'apps/hr/src/early.ts:1 stack-for-specs']);
    expect(answer.text).not.toContain('session.int.spec.ts');
  });
});

describe('tidy', () => {
  it('finds leftovers, sleeps, hidden tests, stray limits, barrels, empty names, machine paths and packages without a reason', async () => {
    plant({
      'libs/kernel/src/index.ts': "export * from './clock.js';\n",
      'libs/kernel/src/utils.ts': '// TODO: tidy up\nexport const FETCH_WAIT_MS = 5_000;\n',
      'libs/kernel/src/parts/index.ts': "export { systemClock } from '../clock.js';\n",
      'libs/kernel/src/limits.ts': 'export const PAGE_ROWS = 500;\n',
      'libs/store/src/session.unit.spec.ts':
        "it.only('a', () => {});\nit.skip('b', () => {});\n// skipped: needs two brokers\nit.skip('c', () => {});\nawait new Promise((done) => setTimeout(done, 100));\n",
      'libs/log/src/log.ts': "export const folder = '/home/me/log';\n",
      'package-lock.json': '{ "packages": { "node_modules/a": { "optionalDependencies": { "a-darwin-x64": "1.0.0" },\n"resolved": "https://registry.example/a.tgz" } } }\n',
      'notes.txt': 'left behind\n',
      'package.json': '{ "name": "factline", "dependencies": { "left-pad": "1.0.0" } }\n',
    });
    const answer = await checkers.tidy();
    expectFindings(answer, [
      'libs/kernel/src/index.ts:1 no-export-all',
      'libs/kernel/src/index.ts:1 one-face',
      'libs/kernel/src/utils.ts:1 telling-names',
      'libs/kernel/src/utils.ts:1 no-leftovers',
      'libs/kernel/src/utils.ts:2 limits-in-limits',
      'libs/kernel/src/parts/index.ts:1 one-face',
      'libs/kernel/src/limits.ts:1 limit-says-why',
      'libs/store/src/session.unit.spec.ts:1 no-only',
      'libs/store/src/session.unit.spec.ts:2 skip-says-why',
      'libs/store/src/session.unit.spec.ts:5 no-sleep',
      'libs/log/src/index.ts:1 one-face',
      'libs/log/src/log.ts:1 no-machine-path',
      'package-lock.json:1 lockfile-complete',
      'package-lock.json:2 lockfile-without-hosts',
      'notes.txt:1 root-entries',
      'package.json:1 left-pad',
      'docs/reference/dependencies.md kafkajs is not in package.json',
    ]);
    expect(answer.text).not.toContain('session.unit.spec.ts:4');
  });
});

describe('lint', () => {
  it('finds floating and misused promises, swallowed errors, the console and the environment in libs, and files too long', async () => {
    plant({
      'libs/kernel/src/wrong.ts': [
        'async function work(): Promise<void> {}',
        'export function start(): void { work(); }',
        'export function each(): void { [1].forEach(async () => { await work(); }); }',
        'export function quiet(): void { try { start(); } catch {} }',
        "export function speak(): void { console.log(process.env['HOME']); }",
        "export function other(clock: import('./clock.js').Clock): number { return clock.now(); }",
        ...Array.from({ length: 400 }, (_, line) => `export const line${line} = ${line};`),
      ].join('\n'),
      'libs/store/src/session.unit.spec.ts': "it.only('a', () => {});\n",
      'apps/hr/src/config.ts': "export const home = process.env['HOME'];\n",
    });
    const answer = await checkers.lint();
    expectFindings(answer, [
      'libs/kernel/src/wrong.ts:2 no-floating-promises',
      'libs/kernel/src/wrong.ts:3 no-misused-promises',
      'libs/kernel/src/wrong.ts:4 no-empty',
      'libs/kernel/src/wrong.ts:5 no-console',
      'libs/kernel/src/wrong.ts:5 no-process-env',
      'libs/kernel/src/wrong.ts:6 consistent-type-imports',
      'libs/kernel/src/wrong.ts max-lines',
      'libs/store/src/session.unit.spec.ts:1 no-focused-tests',
    ]);
    expect(answer.text).not.toContain('apps/hr/src/config.ts');
  });
});

describe('unused code', () => {
  it('is found: an export that nobody takes, a file that nobody imports', async () => {
    plant({
      'libs/store/src/session.ts': `${lawful['libs/store/src/session.ts']}export const ended = 1;\n`,
      'libs/store/src/orphan.ts': 'export const alone = true;\n',
    });
    expectFindings(await checkers.unused(), ['libs/store/src/session.ts:5 ended', 'libs/store/src/orphan.ts']);
  });
});
