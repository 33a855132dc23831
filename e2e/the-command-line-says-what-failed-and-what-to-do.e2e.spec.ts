import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { type Answered, type Estate, estate } from './support/estate.js';

/** Nothing listens on the ports below 10 of a sane machine. */
const NOBODY = '127.0.0.1:1';
const PARALLEL_CALLS = 3;

interface Wrong {
  what: string;
  args: readonly string[];
  settings?: Readonly<Record<string, string>>;
  exit: number;
  code: string;
  /** What failed, and which thing. */
  says: string | RegExp;
  /** What to do next. */
  next: string | RegExp;
}

const payees = (verb: string, ...more: string[]) => ['replay', verb, 'payees', '--app', 'payroll', ...more];
const unset = (...names: string[]) => Object.fromEntries(names.map((name) => [name, '']));

let here: Estate;
let folder: string;
let wrong: Wrong[];
const answers = new Map<string, { text: Answered; json: Answered }>();

function wrongCalls(): Wrong[] {
  const elsewhere = new URL(here.environment['PAYROLL_DATABASE_URL']!);
  elsewhere.host = NOBODY;
  const missing = new URL(here.environment['PAYROLL_DATABASE_URL']!);
  missing.pathname = '/no_such_database';
  const forbidden = new URL(here.environment['PAYROLL_DATABASE_URL']!);
  forbidden.password = 'hunter2';
  return [
    { what: 'an unknown app', args: ['outbox', 'status', '--app', 'payrol'], exit: 2, code: 'cli.app-unknown', says: "no app 'payrol'", next: 'hr, payroll' },
    { what: 'an unknown projection', args: ['replay', 'status', 'payee', '--app', 'payroll'], exit: 2, code: 'projection.unknown', says: "no projection 'payee'", next: 'payees' },
    { what: 'an app without projections', args: ['replay', 'status', 'payees', '--app', 'hr'], exit: 2, code: 'projection.unknown', says: "'hr' has no projection 'payees'", next: 'apps.hr.projections' },
    { what: 'a version that the code does not have', args: payees('status', '--projection-version', '9'), exit: 2, code: 'projection.unknown', says: 'version 9', next: /\S/ },
    { what: 'a folder without configuration', args: payees('status', '--root', folder), exit: 2, code: 'cli.configuration', says: `There is no factline.config.json in ${folder}`, next: '--root' },
    { what: 'a configuration that is no JSON', args: payees('status', '--root', `${folder}/broken`), exit: 2, code: 'cli.configuration', says: 'is not JSON', next: 'Correct it' },
    { what: 'a configuration with a typing error', args: payees('status', '--root', `${folder}/typing`), exit: 2, code: 'cli.configuration', says: /contracts is missing.*contract is not known/, next: 'databaseUrl' },
    { what: 'an environment that is not set', args: payees('status'), settings: unset('PAYROLL_DATABASE_URL', 'FACTLINE_KAFKA', 'FACTLINE_REGISTRY_URL'), exit: 2, code: 'cli.configuration', says: 'Not set: PAYROLL_DATABASE_URL, FACTLINE_KAFKA, FACTLINE_REGISTRY_URL', next: 'npm run dev' },
    { what: 'an app without facts to relay', args: ['relay', '--app', 'payroll'], exit: 2, code: 'cli.no-facts', says: "'payroll' declares no facts", next: 'apps.payroll.facts' },
    { what: 'a database that does not answer', args: payees('status'), settings: { PAYROLL_DATABASE_URL: elsewhere.href }, exit: 3, code: 'store.unavailable', says: /\S/, next: /database/i },
    { what: 'a database that does not exist', args: payees('status'), settings: { PAYROLL_DATABASE_URL: missing.href }, exit: 2, code: 'store.database-unknown', says: 'no_such_database', next: /database/i },
    { what: 'a password that is wrong', args: payees('status'), settings: { PAYROLL_DATABASE_URL: forbidden.href }, exit: 2, code: 'store.login', says: /\S/, next: /password/i },
    { what: 'a database that was never migrated', args: ['outbox', 'status', '--app', 'hr'], settings: { HR_DATABASE_URL: here.environment['PAYROLL_DATABASE_URL']!, ...unset() }, exit: 2, code: 'store.table-unknown', says: /\S/, next: 'factline migrate' },
    { what: 'a broker that does not answer', args: payees('stage'), settings: { FACTLINE_KAFKA: NOBODY }, exit: 3, code: 'log.unavailable', says: /\S/, next: /broker/i },
    { what: 'a swap with nothing staged', args: payees('swap'), exit: 1, code: 'rebuild.nothing-staged', says: "'payees'", next: 'factline replay stage payees' },
    { what: 'a verification with nothing staged', args: payees('verify'), exit: 1, code: 'rebuild.nothing-staged', says: "'payees'", next: 'factline replay stage payees' },
    { what: 'a rollback without a swap before', args: payees('rollback'), exit: 1, code: 'rebuild.nothing-previous', says: "'payees'", next: /\S/ },
  ];
}

beforeAll(async () => {
  here = await estate();
  folder = await mkdtemp(resolve(tmpdir(), 'factline-cli-'));
  const { mkdir } = await import('node:fs/promises');
  for (const [name, text] of Object.entries({ broken: '{ apps: ', typing: JSON.stringify({ apps: { payroll: { contract: 'x', databaseUrl: 'Y' } } }) })) {
    await mkdir(resolve(folder, name));
    await writeFile(resolve(folder, name, 'factline.config.json'), text);
  }
  expect((await here.factline(['migrate', '--app', 'payroll'])).code).toBe(0);
  wrong = wrongCalls();
  const waiting = [...wrong];
  const caller = async () => {
    for (let call = waiting.shift(); call; call = waiting.shift()) {
      const { what, args, settings } = call;
      answers.set(what, { text: await here.factline(args, settings), json: await here.factline([...args, '--json'], settings) });
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_CALLS }, caller));
}, 180_000);

afterAll(async () => {
  await rm(folder, { recursive: true });
  await here?.close();
});
