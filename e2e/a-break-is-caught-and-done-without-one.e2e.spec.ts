import { randomBytes } from 'node:crypto';
import { cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Declarations, PAYROLL } from './support/declarations.js';
import { type Meanings, asSaid, plainly, shownIn, wordsOf } from './support/shown.js';

const DETAILS = 'schemas/hr/employee/EmployeePersonalDetailsChanged.avsc';
const PAGE = 'docs/contracts/a-break-caught.md';
const DAY = 86_400_000;
const day = (distance: number) => new Date(Date.now() + distance * DAY).toISOString().slice(0, 10);
const url = process.env['FACTLINE_REGISTRY_URL'] ?? '';

let repository: Declarations;
/** Subjects of this spec alone: the registry is shared and never emptied. */
let namespace: string;

beforeEach(() => {
  if (url === '') throw new Error('FACTLINE_REGISTRY_URL is not set: start the stack and give the address of its registry.');
  namespace = `hr_${randomBytes(6).toString('hex')}`;
  repository = new Declarations({ environment: { FACTLINE_REGISTRY_URL: url } });
  repository.git('switch', '--quiet', 'main');
  for (const app of ['hr', 'payroll']) expect(repository.contracts('record-deployment', app, '--env', 'prod', '--commit', repository.git('rev-parse', 'HEAD')).code).toBe(0);
  merged('deployed');
});
afterEach(() => repository.remove());

/** As if a pull request had been merged. */
function merged(message: string): void {
  repository.commit(message);
  repository.git('update-ref', 'refs/remotes/origin/main', 'HEAD');
}

function edit(file: string, from: string, to: string): void {
  const text = repository.read(file);
  expect(text.split(from)).toHaveLength(2);
  repository.write(file, text.replace(from, to));
}

/** What a command answers here. What asks the registry is run on a copy in a namespace of its own; for the page that is `hr`. */
function answered(command: string, meanings: Meanings): { code: number; printed: string } {
  const words = wordsOf(command, meanings);
  if (!['plan', 'apply'].includes(words[0]!)) {
    const { code, stdout, stderr } = repository.contracts(...words);
    return { code, printed: stdout + stderr };
  }
  const copy = join(repository.folder, 'registered');
  rmSync(copy, { recursive: true, force: true });
  cpSync(repository.at('schemas'), join(copy, 'schemas'), { recursive: true });
  for (const file of readdirSync(copy, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.avsc'))) {
    writeFileSync(join(copy, file), readFileSync(join(copy, file), 'utf8').replaceAll(/"hr([".])/g, `"${namespace}$1`));
  }
  const { code, stdout, stderr } = repository.contractsIn(copy, ...words);
  return { code, printed: (stdout + stderr).replaceAll(namespace, 'hr').replaceAll(url, 'https://registry.example.org') };
}

interface Step {
  /** What happened since the command before. */
  readonly first?: () => void;
  readonly command: string;
  readonly code: number;
}

const STEPS: readonly Step[] = [
  { first: () => edit(DETAILS, '"name": "name"', '"name": "fullName"'), command: 'check', code: 100 },
  { command: 'check --format markdown', code: 100 },
  { command: 'diff', code: 0 },
  { command: 'can-deploy hr --env prod', code: 100 },
  { first: () => repository.git('checkout', '--quiet', '.'), command: 'rename hr.EmployeePersonalDetailsChanged.name fullName --sunset 2027-02-01', code: 0 },
  { command: 'check --fail-on error', code: 0 },
  { first: () => merged('both names'), command: 'plan', code: 0 },
  { command: 'apply', code: 0 },
  { command: 'can-deploy hr --env prod', code: 0 },
  { command: 'record-deployment hr --env prod --commit "$(git rev-parse HEAD)"', code: 0 },
  { first: () => edit(PAYROLL, 'select: [employeeId, name]', 'select: [employeeId, name, fullName]'), command: 'can-deploy payroll --env prod', code: 0 },
  { first: () => merged('payroll reads both'), command: 'record-deployment payroll --env prod --commit "$(git rev-parse HEAD)"', code: 0 },
  { first: () => edit(PAYROLL, 'select: [employeeId, name, fullName]', 'select: [employeeId, fullName]'), command: 'check', code: 0 },
  { command: 'why hr.EmployeePersonalDetailsChanged.name', code: 0 },
];

/** The page was written on a day that is over; its commands run with days as far away as they were then. */
it(`${PAGE} shows what is printed, from the break to the last consumer`, () => {
  expect(answered('apply', [])).toMatchObject({ code: 0 }); // as hr did before its first deployment
  const shown = shownIn(PAGE);
  expect(shown.map(({ command }) => command)).toEqual(STEPS.map(({ command }) => command));
  STEPS.forEach(({ first, command, code }, at) => {
    first?.();
    const meanings: Meanings = [['2026-11-21', day(0)], ['2027-02-01', day(72)], ['$(git rev-parse HEAD)', repository.git('rev-parse', 'HEAD')]];
    const answer = answered(command, meanings);
    expect({ command, code: answer.code, printed: plainly(asSaid(answer.printed, meanings.slice(0, 2))) }).toEqual({ command, code, printed: plainly(shown[at]!.output) });
  });
});

it('names the very line of payroll that selects what is gone', () => {
  const line = repository.read(PAYROLL).split('\n').indexOf('    select: [employeeId, name]') + 1;
  edit(DETAILS, '"name": "name"', '"name": "fullName"');
  for (const command of ['check', 'diff']) expect(repository.contracts(command).stdout).toMatch(new RegExp(`BREAKS +payroll {2}selects it at ${PAYROLL}:${line}$`, 'm'));
});

it('control: what is not announced is refused by the registry as well, and by the deployment', () => {
  expect(answered('apply', [])).toMatchObject({ code: 0 });
  edit(DETAILS, '"name": "name"', '"name": "fullName"');
  expect(answered('plan', [])).toMatchObject({ code: 100, printed: expect.stringMatching(/refused +name: [\s\S]*1 refused/) as string });
  expect(answered('apply', [])).toMatchObject({ code: 100, printed: expect.not.stringContaining('registered hr') as string });
  expect(repository.contracts('can-deploy', 'hr', '--env', 'prod').code).toBe(100);
});

describe('diff, for who has no time to read schemas', () => {
  it('tells people, reviewers and programs the same, and answers 0', () => {
    repository.without('salaryCents', 'phone');
    edit('schemas/hr/employee/topic.yaml', "retention.bytes: '-1'", "retention.bytes: '5'");
    edit(PAYROLL, 'select: [employeeId, name]', 'select: [employeeId, email]');
    const [text, markdown, json] = ['text', 'markdown', 'json'].map((format) => repository.contracts('diff', '--format', format));
    expect([text!.code, markdown!.code, json!.code]).toEqual([0, 0, 0]);
    expect(text!.stdout).toMatch(/removed +phone[\s\S]*removed +salaryCents[\s\S]*BREAKS payroll[\s\S]*topic hr\.employee\n +changed +settings\.retention\.bytes {2}was -1, is 5[\s\S]*app payroll\n +changed +hr\.EmployeePersonalDetailsChanged {2}selects email; no longer selects name/);
    expect(markdown!.stdout).toMatch(/^<!-- factline contracts diff -->\n### Declarations: breaks payroll; 1 forbidden by the level\n/);
    const { version, bases } = JSON.parse(json!.stdout) as { version: number; bases: { against: string; changes: { of: string; path: string }[] }[] };
    expect([version, bases[0]!.changes.map(({ of, path }) => `${of} ${path}`)]).toEqual([1, ['fact phone', 'fact salaryCents', 'topic settings.retention.bytes', 'app hr.EmployeePersonalDetailsChanged']]);
    expect(repository.contracts('diff', '--json').stdout).toBe(json!.stdout);
  });

  it('compares with what is named: a commit, what is deployed; and says what it cannot read', () => {
    repository.without('salaryCents');
    merged('hr drops it');
    expect(repository.contracts('diff')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^0 changes [^\n]*breaks nobody\n$/) as string });
    expect(repository.contracts('diff', '--against', 'git:HEAD~1', 'env:prod').stdout).toMatch(/against git [0-9a-f]{7} \(HEAD~1\); breaks payroll[\s\S]*deployed to prod [0-9a-f]{7}[\s\S]*against prod; breaks payroll/);
    expect(repository.contracts('diff', '--against', 'lock')).toMatchObject({ code: 2, stderr: expect.stringContaining('registry.lock.json') as string });
    expect(repository.contracts('diff', '--against', 'git:nowhere')).toMatchObject({ code: 3, stdout: '' });
  });
});
