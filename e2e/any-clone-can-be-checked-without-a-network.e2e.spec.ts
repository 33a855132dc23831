import { CLI } from './support/root.js';
import { Declarations, EMPLOYEE_CREATED } from './support/declarations.js';

let repository: Declarations;
afterEach(() => repository.remove());

/** A change that breaks payroll, on a branch; main has gone on meanwhile. */
function broken({ lock }: { lock: boolean }): Declarations {
  repository = new Declarations({ lock });
  repository.without('salaryCents');
  repository.commit('second');
  repository.git('switch', '--quiet', 'main');
  repository.commit('meanwhile');
  repository.git('switch', '--quiet', 'change');
  return repository;
}

const BREAKS = /field-removed {2}hr\.EmployeeCreated\.salaryCents[\s\S]*BREAKS +payroll/;

it('a full clone, on a branch and on a detached head', () => {
  const clone = broken({ lock: false }).clone('full');
  repository.gitIn(clone, 'switch', '--quiet', '--detach', 'origin/change');
  expect(repository.contractsIn(clone, 'check')).toMatchObject({ code: 100, stdout: expect.stringMatching(BREAKS) as string, stderr: '' });
});

it('a shallow clone compares with what was registered, says so, and says how to get more', () => {
  const clone = broken({ lock: true }).clone('shallow', '--depth=1', '--branch=change', '--no-single-branch');
  const { code, stdout, stderr } = repository.contractsIn(clone, 'check');
  expect({ code, stdout }).toMatchObject({ code: 100, stdout: expect.stringMatching(BREAKS) as string });
  expect(stdout).toContain('against lock alone');
  const [, command] = /(git fetch --deepen\S* \S+ \S+)/.exec(stderr) ?? [];
  repository.gitIn(clone, ...command!.split(' ').slice(1));
  const deepened = repository.contractsIn(clone, 'check');
  expect(deepened).toMatchObject({ code: 100, stderr: '' });
  expect(deepened.stdout).toMatch(/against git \w{7} \(merge base with origin\/main\) and lock:/);
});

it('without a lock a shallow clone is an error of the environment', () => {
  const clone = broken({ lock: false }).clone('shallow', '--depth=1', '--branch=change', '--no-single-branch');
  expect(repository.contractsIn(clone, 'check')).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining('git fetch --deepen') as string });
});

it('a base branch that is gone', () => {
  const clone = broken({ lock: true }).clone('orphan', '--branch=change', '--single-branch');
  const { code, stdout, stderr } = repository.contractsIn(clone, 'check', '--json');
  expect(code).toBe(100);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject({ reduced: { message: expect.stringContaining("'origin/main' names no commit") as string } });
});

it('a schema in another file and a contract in another order are the same declarations', () => {
  repository = new Declarations({ lock: true });
  repository.git('mv', EMPLOYEE_CREATED, 'schemas/hr/employee/Hired.avsc');
  repository.commit('renamed');
  const { code, stdout } = repository.contracts('check', '--against', 'git:main', '--against', 'lock', '--json');
  expect(JSON.parse(stdout)).toMatchObject({ facts: { added: 0, changed: 0, removed: 0 }, findings: [] });
  expect(code).toBe(0);
});

it('no network interface is needed', () => {
  const clone = broken({ lock: true }).clone('offline');
  repository.gitIn(clone, 'switch', '--quiet', 'change');
  const alone = (...args: string[]) => repository.run('unshare', ['--map-root-user', '--net', ...args], clone);
  if (alone('true').code !== 0) return console.warn('skipped: this machine gives no network namespace of its own');
  expect(alone(process.execPath, CLI, 'contracts', 'check')).toMatchObject({ code: 100, stdout: expect.stringMatching(BREAKS) as string });
  const control = alone(process.execPath, CLI, 'contracts', 'pull', '--registry', 'http://127.0.0.1:1');
  expect(control).toMatchObject({ code: 3 });
});
