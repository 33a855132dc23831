import { type Estate, estate } from './support/estate.js';

let here: Estate;

beforeAll(async () => {
  here = await estate();
});

afterAll(() => here?.close());

async function failedStart(app: string, settings: Readonly<Record<string, string>>) {
  const program = here.launch(app, settings);
  const ending = await program.ended;
  return { ending, errors: program.lines.filter(({ level }) => level === 'error'), output: program.stdout + program.stderr, stderr: program.stderr, lines: program.lines };
}

const WRONG = {
  HR_DATABASE_URL: 'mysql://admin:hunter2-secret@db.example/hr',
  FACTLINE_KAFKA: 'broker-without-port',
  FACTLINE_REGISTRY_URL: '',
  PORT: '99999',
  LOG_LEVEL: 'shouting',
  SHUTDOWN_DEADLINE: 'whenever',
};

it('ends with exit code 2 and one line that names every wrong setting and what is expected, and repeats no value', async () => {
  const { ending, lines, errors, output, stderr } = await failedStart('hr', WRONG);
  expect(ending).toEqual({ code: 2, signal: null });
  expect([lines.length, errors.length, stderr]).toEqual([1, 1, '']);
  const { error, code, advice, stack } = errors[0]!;
  expect([code, typeof advice, stack]).toEqual(['config.invalid', 'string', undefined]);
  for (const name of Object.keys(WRONG)) expect(error).toContain(name);
  expect(error).toContain('HR_DATABASE_URL must be an address beginning with postgres:// or postgresql://');
  expect(error).toContain('FACTLINE_REGISTRY_URL is missing: ');
  expect(error).toContain('FACTLINE_KAFKA must be host:port');
  expect(error).toContain('PORT must be a whole number from 0 to 65535');
  for (const value of Object.values(WRONG).filter(Boolean)) expect(output).not.toContain(value);
  expect(output).not.toContain('hunter2');
});

it('names what is missing when nothing is set, for each app its own', async () => {
  const nothing = Object.fromEntries(Object.keys(here.environment).map((name) => [name, '']));
  const { ending, errors } = await failedStart('payroll', nothing);
  expect([ending.code, errors.length]).toEqual([2, 1]);
  for (const name of ['PAYROLL_DATABASE_URL', 'FACTLINE_KAFKA', 'FACTLINE_REGISTRY_URL']) expect(errors[0]!['error']).toContain(`${name} is missing: `);
  expect(errors[0]!['error']).not.toContain('HR_DATABASE_URL');
});

it.each([
  ['a password that is not the right one', 'store.login', (url: URL) => (url.password = 'hunter2-wrong')],
  ['a database that does not exist', 'store.database-unknown', (url: URL) => (url.pathname = '/no_such_database')],
])('ends with exit code 2 for %s, at once, and tells no password', async (_what, code, spoil) => {
  const url = new URL(here.environment['HR_DATABASE_URL']!);
  const password = url.password;
  spoil(url);
  const { ending, errors, output } = await failedStart('hr', { HR_DATABASE_URL: url.href });
  expect(ending).toEqual({ code: 2, signal: null });
  expect(errors.find((error) => error['code'] === code)).toMatchObject({ advice: expect.stringMatching(/database/i) as string });
  expect(output).not.toContain('hunter2');
  expect(output).not.toContain(password);
});

it('starts with the same settings put right: the failures above were about them', async () => {
  const hr = await here.start('hr', { LOG_LEVEL: 'warn', SHUTDOWN_DEADLINE: '5s' });
  expect(await hr.program.stop()).toEqual({ code: 0, signal: null });
});
