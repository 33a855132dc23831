import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { type Answered, type Estate, estate } from './support/estate.js';

interface Call {
  args: readonly string[];
  settings?: Readonly<Record<string, string>>;
  exit: number;
  code: string | RegExp;
  /** What failed, and which thing. */
  says: string | RegExp;
  /** What to do next. */
  next: string | RegExp;
}

/** Nothing listens on the lowest port of a sane machine. */
const NOBODY = '127.0.0.1:1';
/** Pairs of calls at a time: starting Node is most of a call, and more do not fit two cores. */
const PARALLEL = 2;

const ofPayroll = (verb: string, ...more: string[]) => ['replay', verb, 'payees', '--app', 'payroll', ...more];

let here: Estate;
let folder: string;

function payrollDatabase(change: (url: URL) => void): Readonly<Record<string, string>> {
  const url = new URL(here.databaseUrl('payroll'));
  change(url);
  return { PAYROLL_DATABASE_URL: url.href };
}

/** Each call is made twice, for people and with --json. */
const WRONG: Readonly<Record<string, () => Call>> = {
  // first, because it takes longest: the client gives up after 12 attempts
  'a broker that does not answer': () => ({ args: ofPayroll('stage'), settings: { FACTLINE_KAFKA: NOBODY }, exit: 3, code: 'log.unavailable', says: /Kafka|broker/i, next: /broker/i }),
  'an unknown app': () => ({ args: ['outbox', 'status', '--app', 'payrol'], exit: 2, code: 'cli.app-unknown', says: "no app 'payrol'", next: 'hr, payroll' }),
  'an unknown projection': () => ({ args: ['replay', 'status', 'payee', '--app', 'payroll'], exit: 2, code: 'projection.unknown', says: "no projection 'payee'", next: 'payees' }),
  'an app without projections': () => ({ args: ['replay', 'status', 'payees', '--app', 'hr'], exit: 2, code: 'projection.unknown', says: "'hr' has no projection 'payees'", next: 'apps.hr.projections' }),
  'a version that the code does not have': () => ({ args: ofPayroll('status', '--projection-version', '9'), exit: 2, code: 'projection.unknown', says: 'version 9', next: /\S/ }),
  'a version that is no number': () => ({ args: ofPayroll('status', '--projection-version', 'two'), exit: 2, code: /\S/, says: 'two', next: /\S/ }),
  'an app without facts to relay': () => ({ args: ['relay', '--app', 'payroll'], exit: 2, code: 'cli.no-facts', says: "'payroll' declares no facts", next: 'apps.payroll.facts' }),
  'a folder without configuration': () => ({ args: ofPayroll('status', '--root', folder), exit: 2, code: 'cli.configuration', says: `There is no factline.config.json in ${folder}`, next: '--root' }),
  'a configuration that is no JSON': () => ({ args: ofPayroll('status', '--root', `${folder}/broken`), exit: 2, code: 'cli.configuration', says: 'is not JSON', next: 'Correct it' }),
  'a configuration with a typing error': () => ({ args: ofPayroll('status', '--root', `${folder}/typing`), exit: 2, code: 'cli.configuration', says: /contracts is missing.*contract is not known/, next: 'databaseUrl' }),
  'an environment that is not set': () => ({
    args: ofPayroll('status'),
    settings: { PAYROLL_DATABASE_URL: '', FACTLINE_KAFKA: '', FACTLINE_REGISTRY_URL: '' },
    exit: 2,
    code: 'cli.configuration',
    says: 'Not set: PAYROLL_DATABASE_URL, FACTLINE_KAFKA, FACTLINE_REGISTRY_URL',
    next: 'npm run dev',
  }),
  'a database that does not answer': () => ({ args: ofPayroll('status'), settings: payrollDatabase((url) => (url.host = NOBODY)), exit: 3, code: 'store.unavailable', says: 'Postgres', next: /database/i }),
  'a database that does not exist': () => ({ args: ofPayroll('status'), settings: payrollDatabase((url) => (url.pathname = '/no_such_database')), exit: 2, code: 'store.database-unknown', says: 'no_such_database', next: /database/i }),
  'a wrong password': () => ({ args: ofPayroll('status'), settings: payrollDatabase((url) => (url.password = 'hunter2')), exit: 2, code: 'store.login', says: 'Postgres', next: /password/i }),
  'an outbox that was never made': () => ({ args: ['outbox', 'status', '--app', 'hr'], exit: 2, code: 'store.table-unknown', says: 'factline', next: 'factline migrate' }),
  'a read model in a database without our tables': () => ({ args: ofPayroll('status'), settings: { PAYROLL_DATABASE_URL: here.environment['HR_DATABASE_URL']! }, exit: 2, code: /\S/, says: 'factline', next: 'factline migrate' }),
  'a swap with nothing staged': () => ({ args: ofPayroll('swap'), exit: 1, code: 'rebuild.nothing-staged', says: "'payees'", next: 'factline replay stage payees' }),
  'a verification with nothing staged': () => ({ args: ofPayroll('verify'), exit: 1, code: 'rebuild.nothing-staged', says: "'payees'", next: 'factline replay stage payees' }),
  'a rollback without a swap before it': () => ({ args: ofPayroll('rollback'), exit: 1, code: 'rebuild.nothing-previous', says: "'payees'", next: 'swap' }),
};

const answers = new Map<string, { call: Call; text: Answered; json: Answered }>();

beforeAll(async () => {
  here = await estate();
  folder = await mkdtemp(resolve(tmpdir(), 'factline-cli-'));
  for (const [name, text] of Object.entries({ broken: '{ apps: ', typing: JSON.stringify({ apps: { payroll: { contract: 'x', databaseUrl: 'Y' } } }) })) {
    await mkdir(resolve(folder, name));
    await writeFile(resolve(folder, name, 'factline.config.json'), text);
  }
  expect(await here.factline(['migrate', '--app', 'payroll'])).toMatchObject({ code: 0, stderr: '' });
  const waiting = Object.entries(WRONG);
  let turn: Promise<unknown> = Promise.resolve();
  const caller = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [what, make] = next;
      const call = make();
      const ask = async () => answers.set(what, { call, text: await here.factline(call.args, call.settings), json: await here.factline([...call.args, '--json'], call.settings) });
      // One rebuild at a time: these would otherwise meet each other, and rightly say so.
      await (call.args[0] === 'replay' ? (turn = turn.then(ask, ask)) : ask());
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, caller));
}, 180_000);

afterAll(async () => {
  await rm(folder, { recursive: true });
  await here?.close();
});

function expectText(text: string, expected: string | RegExp): void {
  if (typeof expected === 'string') expect(text).toContain(expected);
  else expect(text).toMatch(expected);
}

it.each(Object.keys(WRONG))('%s: two lines say what failed and what to do next', (what) => {
  const { call, text } = answers.get(what)!;
  expect(text.code).toBe(call.exit);
  const [error, next, ...rest] = text.stderr.split('\n');
  expect(error).toMatch(/^error {2}\S/);
  expect(error).toMatch(/ {2}\([a-z.-]+\)$/);
  expect(next).toMatch(/^next {3}\S/);
  expect(rest).toEqual(['']); // no stack trace, nothing else
  expectText(error!, call.code);
  expectText(error!, call.says);
  expectText(next!, call.next);
  expect(text.stdout + text.stderr).not.toContain('hunter2');
});

it.each(Object.keys(WRONG))('%s: --json says the same in one object', (what) => {
  const { call, json } = answers.get(what)!;
  expect(json.code).toBe(call.exit);
  const { error, kind, message, advice } = JSON.parse(json.stderr) as Record<'error' | 'kind' | 'message' | 'advice', string>;
  expectText(error, call.code);
  expectText(message, call.says);
  expectText(advice, call.next);
  expect(kind).toMatch(/^[a-z-]+$/);
  expect(json.stdout + json.stderr).not.toContain('hunter2');
});

it.each([
  ['an unknown command', ['replya', 'status'], "unknown command 'replya'"],
  ['an unknown option', [...ofPayroll('status'), '--fast'], "unknown option '--fast'"],
  ['a missing option', ['outbox', 'status'], "required option '--app <name>' not specified"],
  ['a missing argument', ['replay', 'status', '--app', 'payroll'], "missing required argument 'projection'"],
  ['one argument too many', ofPayroll('status', 'more'), 'too many arguments'],
])('%s: exit code 2, the word that is wrong, and where help is', async (_what, args, says) => {
  const { code, stdout, stderr } = await here.factline(args);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(says);
  expect(stderr).toContain('--help');
  expect(stderr).not.toMatch(/^ +at /m);
});

it('what is right answers 0 and says nothing on standard error', async () => {
  for (const args of [ofPayroll('status'), ofPayroll('status', '--json'), ['outbox', 'status', '--app', 'payroll'], ['--help'], ['--version']]) {
    expect(await here.factline(args)).toMatchObject({ code: 0, stderr: '' });
  }
});
