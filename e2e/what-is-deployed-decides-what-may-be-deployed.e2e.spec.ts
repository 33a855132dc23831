import { Declarations, PAYROLL } from './support/declarations.js';

let repository: Declarations;
let first: string;

beforeEach(() => {
  repository = new Declarations();
  first = repository.git('rev-parse', 'HEAD');
  for (const app of ['hr', 'payroll']) expect(repository.contracts('record-deployment', app, '--env', 'prod', '--commit', first).code).toBe(0);
  repository.commit('deployed');
});
afterEach(() => repository.remove());

/** Payroll stops selecting the salary of new employees: merged, not deployed. */
function payrollStops(): string {
  repository.write(PAYROLL, repository.read(PAYROLL).replace('name, salaryCents, currency, location', 'name, currency, location'));
  return repository.commit('payroll stops selecting');
}

it('a field that main does not select any more is still selected in production', () => {
  const stopped = payrollStops();
  repository.without('salaryCents');
  const ofMain = repository.contracts('check', '--against', `git:${stopped}`);
  expect(ofMain.stdout).toMatch(/field-removed[\s\S]*safe +payroll[\s\S]*No declared consumer is affected/);
  const ofProd = repository.contracts('check', '--against', `git:${stopped}`, '--against', 'env:prod');
  expect(ofProd.code).toBe(100);
  expect(ofProd.stdout).toMatch(new RegExp(`BREAKS +payroll {2}selects it at apps/payroll/contracts.yaml:6, as it was at prod ${first.slice(0, 7)}`));
});

it('can-deploy says no with the reason, and yes once the consumer is deployed', () => {
  const stopped = payrollStops();
  repository.without('salaryCents');
  repository.commit('hr drops it');
  const no = repository.contracts('can-deploy', 'hr', '--env', 'prod');
  expect(no.code).toBe(100);
  expect(no.stdout).toMatch(new RegExp(`BROKEN +payroll \\(prod ${first.slice(0, 7)}\\) reads hr.EmployeeCreated of hr, at apps/payroll/contracts.yaml:\\d+\n +salaryCents: .*\nno +hr of working tree cannot run in prod`));
  repository.contracts('record-deployment', 'payroll', '--env', 'prod', '--commit', stopped);
  expect(repository.contracts('can-deploy', 'hr', '--env', 'prod')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^yes +hr of working tree can run in prod/m) as string });
  expect(JSON.parse(repository.contracts('can-deploy', 'payroll', '--env', 'prod', '--commit', first, '--json').stdout)).toMatchObject({ app: 'payroll', deployable: true, obstacles: [] });
});

it('why names who uses a field, for what, and where', () => {
  payrollStops();
  const { code, stdout } = repository.contracts('why', 'payroll', 'hr.EmployeeCreated.salaryCents');
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`^payroll {2}\\(finance\\) {2}Whom to pay.*\n {2}selects salaryCents {2}apps/payroll/contracts.yaml:6 {2}prod ${first.slice(0, 7)}\n$`));
  expect(repository.contracts('why', 'hr.EmployeeCreated.name').stdout).toMatch(/working tree[\s\S]*prod/);
  expect(repository.contracts('why', 'hr.EmployeeCreated.jobTitle').stdout).toContain('Nobody selects');
});

it('says what is wrong with what it is asked', () => {
  expect(repository.contracts('can-deploy', 'hr', '--env', 'pord')).toMatchObject({ code: 2, stderr: expect.stringContaining("Did you mean 'prod'?") as string });
  expect(repository.contracts('can-deploy', 'mailer', '--env', 'prod')).toMatchObject({ code: 2, stderr: expect.stringContaining("no contract of 'mailer'") as string });
  expect(repository.contracts('record-deployment', 'hr', '--env', 'prod', '--commit', 'main')).toMatchObject({ code: 2, stderr: expect.stringContaining('full commit id') as string });
  expect(repository.contracts('why', 'hr.EmployeeFired')).toMatchObject({ code: 2, stderr: expect.stringContaining('names no fact') as string });
  repository.write('deployments/prod.json', '{"hr": "latest"}');
  expect(repository.contracts('check', '--against', 'env:prod')).toMatchObject({ code: 2, stderr: expect.stringContaining('deployments/prod.json at $.hr') as string });
  repository.write('deployments/prod.json', '{"hr": "0123456789abcdef0123456789abcdef01234567"}');
  expect(repository.contracts('check', '--against', 'env:prod')).toMatchObject({ code: 3, stderr: expect.stringContaining('names no commit') as string });
});
