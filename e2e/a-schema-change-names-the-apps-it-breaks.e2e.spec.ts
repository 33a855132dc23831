import { rmSync } from 'node:fs';
import { Declarations } from './support/declarations.js';

let repository: Declarations;
beforeEach(() => {
  repository = new Declarations();
});
afterEach(() => repository.remove());

const check = (...args: string[]) => repository.contracts(...args);

const AGAINST = ['--against', 'git:merge-base(main)'];

it('says nothing of what breaks nobody', () => {
  expect(check('check', ...AGAINST)).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing breaks') as string });
  repository.fields((fields) => [...fields, { name: 'team', doc: 'Where they work.', type: ['null', 'string'], default: null }]);
  expect(check('check', ...AGAINST)).toMatchObject({ code: 0, stdout: expect.stringContaining('1 changed') as string });
});

it('D11: names the app, its selection and the way that works, for people and for machines', () => {
  repository.without('salaryCents', 'jobTitle');
  repository.commit('second'); // a change that is committed counts as well
  const text = check('check', ...AGAINST);
  expect(text.code).toBe(100);
  expect(text.stdout).toMatch(/EmployeeCreated\.avsc:\d+:\d+ {2}error {2}field-removed {2}hr\.EmployeeCreated\.salaryCents/);
  expect(text.stdout).toMatch(/BREAKS +payroll {2}selects it at apps\/payroll\/contracts\.yaml:6/);
  expect(text.stdout).toMatch(/jobTitle[\s\S]*safe +payroll[\s\S]*No declared consumer is affected/);
  const { code, stdout } = check('check', ...AGAINST, '--json');
  expect(code).toBe(100);
  const { findings } = JSON.parse(stdout) as { findings: { rule: string; field: string; consumers: { app: string; verdict: string }[] }[] };
  expect(findings.map(({ rule, field, consumers }) => [rule, field, consumers[0]?.verdict])).toEqual(
    expect.arrayContaining([['field-removed', 'salaryCents', 'BROKEN'], ['field-removed', 'jobTitle', 'SAFE']]),
  );
});

it('speaks to pull requests and to annotations', () => {
  repository.without('salaryCents');
  const github = check('check', ...AGAINST, '--format', 'github');
  expect(github.code).toBe(100);
  expect(github.stdout).toMatch(/^::error file=schemas\/hr\/employee\/EmployeeCreated\.avsc,line=\d+,col=\d+,title=field-removed::hr\.EmployeeCreated\.salaryCents: .*%0Apayroll BROKEN%0A/m);
  const markdown = check('check', ...AGAINST, '--format', 'markdown');
  expect(markdown.stdout).toMatch(/^### Contracts: 1 errors, 0 warnings$/m);
  expect(markdown.stdout).toMatch(/^\| error \| `field-removed` \| `hr\.EmployeeCreated\.salaryCents` \|.*\*\*payroll\*\* BROKEN \(apps\/payroll\/contracts\.yaml:6\)/m);
  expect(check('check', ...AGAINST, '--format', 'yaml')).toMatchObject({ code: 2, stderr: expect.stringContaining('github') as string });
});

it('needs a base, and says what it found instead', () => {
  expect(check('check')).toMatchObject({ code: 3, stderr: expect.stringMatching(/origin\/main[\s\S]*There are: .*main/) as string });
  expect(check('check', ...AGAINST, '--schemas', 'contracts')).toMatchObject({ code: 2, stderr: expect.stringContaining('nothing in contracts/') as string });
  expect(check('check', '--against', 'main')).toMatchObject({ code: 2, stderr: expect.stringContaining('git:<revision>') as string });
  rmSync(repository.at('.git'), { recursive: true });
  expect(check('check', ...AGAINST)).toMatchObject({ code: 3, stderr: expect.stringContaining('git') as string });
});

it('explains its rules', () => {
  expect(check('explain', 'field-removed')).toMatchObject({ code: 0, stdout: expect.stringContaining('instead') as string });
  expect(check('explain', 'field-removd')).toMatchObject({ code: 2, stderr: expect.stringContaining("no rule 'field-removd'") as string });
});
