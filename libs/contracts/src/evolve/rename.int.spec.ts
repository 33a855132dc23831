import { refusal } from '../trees/repository.spec.support.js';
import { checkCompatibility } from '../compatibility/compatibility.js';
import type { Change } from './evolve.js';
import { CREATED, Hr, SUNSET, TODAY, deprecation } from './hr.spec.support.js';

let hr: Hr;
beforeEach(() => {
  hr = new Hr();
});
afterEach(() => hr.remove());

describe('rename', () => {
  const change: Change = { kind: 'rename', target: 'hr.EmployeeCreated.salaryCents', to: 'yearlySalaryCents', sunset: SUNSET };

  it('old and new software read each other, in Java and here', async () => {
    const was = (await hr.landscape()).schemas.facts.get('hr.EmployeeCreated')!.schema;
    await hr.evolve(change);
    const is = (await hr.landscape()).schemas.facts.get('hr.EmployeeCreated')!.schema;
    for (const [reader, writer] of [[was, is], [is, was], [is, is]] as const) {
      const { compatible, js } = checkCompatibility(reader, writer);
      expect({ compatible, js }).toEqual({ compatible: true, js: { readable: true, faults: [] } });
    }
  });

  it('names a type that the old field defines', async () => {
    await hr.evolve({ kind: 'rename', target: 'hr.EmployeeTerminated.reason', to: 'cause', sunset: SUNSET });
    const { fields } = JSON.parse(hr.read('schemas/hr/employee/EmployeeTerminated.avsc')) as { fields: { name: string; type: unknown; default: unknown }[] };
    expect(fields.at(-1)).toMatchObject({ name: 'cause', doc: 'Why it ended.', type: ['null', 'hr.TerminationReason'], default: null });
    expect(hr.read('apps/hr/src/contracts.generated.ts')).toContain("cause?: 'OTHER' | 'RESIGNED' | 'DISMISSED' | 'RETIRED' | 'CONTRACT_ENDED' | null;");
  });

  it.each([
    ['without a default it is an error', CREATED, 'error field-removed'],
    ['with one the level lets it through, and the app reads the default', 'schemas/hr/employee/EmployeeMoved.avsc', 'warning consumer-degraded'],
  ])('control: the rename by hand, with an alias: %s', async (_name, file, expected) => {
    const before = await hr.landscape();
    hr.write(file, hr.read(file).replace('"name": "salaryCents",', '"name": "pay", "aliases": ["salaryCents"],'));
    const found = (await hr.findings(before)).filter(({ field }) => field === 'salaryCents');
    expect(found.map(({ severity, rule }) => `${severity} ${rule}`)).toEqual([expected]);
  });

  it.each([
    ['jobTitle', /hr\.EmployeeCreated is FULL_TRANSITIVE: .*finds no value for jobTitle.*stops/],
    ['managerId', /reads the default of managerId .*without notice/],
    ['address.street', /hr\.EmployeeCreated is FULL_TRANSITIVE: .*address\.street/],
  ])('with an alias is refused under FULL_TRANSITIVE: %s', async (field, message) => {
    expect(await refusal(hr.plan({ kind: 'rename', target: `hr.EmployeeCreated.${field}`, to: 'other', alias: true }))).toMatchObject({ code: 'evolve.alias-refused', kind: 'refused', message: expect.stringMatching(message) as string });
  });

  it('with an alias goes under BACKWARD_TRANSITIVE when nobody selects it', async () => {
    hr.commit('schemas/contracts.config.yaml', 'compatibility: BACKWARD_TRANSITIVE\n');
    const { errors } = await hr.evolve({ kind: 'rename', target: 'hr.EmployeeCreated.jobTitle', to: 'title', alias: true });
    expect(errors).toEqual([]);
    expect(hr.counts()).toEqual({ [CREATED]: '5 2' });
    expect((await hr.landscape()).schemas.facts.get('hr.EmployeeCreated')!.schema.fields).toContainEqual(expect.objectContaining({ name: 'title', aliases: ['jobTitle'] }));
    expect((await hr.evolve({ kind: 'rename', target: 'hr.EmployeeCreated.title', to: 'role', alias: true })).errors).toEqual([]);
    expect((await hr.landscape()).schemas.facts.get('hr.EmployeeCreated')!.schema.fields).toContainEqual(expect.objectContaining({ name: 'role', aliases: ['jobTitle', 'title'] }));
    expect(await refusal(hr.plan({ kind: 'rename', target: 'hr.EmployeeCreated.salaryCents', to: 'pay', alias: true }))).toMatchObject({ code: 'evolve.alias-refused', message: expect.stringContaining(hr.place('apps/payroll/contracts.yaml', 'salaryCents')) as string });
  });

  it.each<[string, Change, string]>([
    ['a fact', { ...change, target: 'hr.EmployeeCreated' }, 'evolve.field-expected'],
    ['a name that is taken', { ...change, to: 'currency' }, 'evolve.name-refused'],
    ['a name that is none', { ...change, to: 'yearly-salary' }, 'evolve.name-refused'],
    ['a name that every object has', { ...change, to: 'toString' }, 'evolve.name-refused'],
    ['the key', { ...change, target: 'hr.EmployeeCreated.employeeId' }, 'evolve.not-evolvable'],
    ['a rename without its end', { kind: 'rename', target: change.target, to: 'pay' }, 'evolve.sunset'],
  ])('refuses %s', async (_name, refused, code) => {
    expect(await refusal(hr.plan(refused))).toMatchObject({ code });
  });
});

describe('new-major', () => {
  it('another topic, namespace and subject; the old fact says where to go, and its owner states both', async () => {
    const { evolution } = await hr.evolve({ kind: 'new-major', target: 'hr.EmployeeTerminated', sunset: SUNSET });
    const { facts, topics } = (await hr.landscape()).schemas;
    const [was, is] = [facts.get('hr.EmployeeTerminated')!, facts.get('hr.employee.v2.EmployeeTerminatedV2')!];
    expect(was.schema.deprecated).toEqual({ effective: TODAY, removal: SUNSET, alternative: 'hr.employee.v2.EmployeeTerminatedV2' });
    expect([...topics.keys()]).toEqual(['hr.employee', 'hr.employee.v2']);
    expect(is.topic).toEqual({ ...was.topic, name: 'hr.employee.v2' });
    expect(is.schema.fields!.map(({ name }) => name)).toEqual(was.schema.fields!.map(({ name }) => name));
    expect(JSON.stringify(is.schema)).toContain('"name":"TerminationReason","namespace":"hr.employee.v2"');
    expect(hr.read('apps/hr/contracts.yaml')).toContain('  - hr.EmployeeTerminated\n  - hr.employee.v2.EmployeeTerminatedV2\n');
    expect(hr.read('schemas/hr/employee/v2/topic.yaml')).toBe(hr.read('schemas/hr/employee/topic.yaml').replace('name: hr.employee', 'name: hr.employee.v2'));
    expect(hr.read('apps/hr/src/contracts.generated.ts')).toMatch(/export const EmployeeTerminated = [\s\S]*export const EmployeeTerminatedV2 = /);
    expect(evolution.next.join(' ')).toMatch(/EmployeeCreated, EmployeeMoved, EmployeePersonalDetailsChanged stay in hr\.employee.*contracts new-major hr\.employee/);
    expect(evolution.selectedBy.map(({ place }) => `${place.file}:${place.line}`)).toEqual([hr.place('apps/payroll/contracts.yaml', 'hr.EmployeeTerminated')]);
  });

  it('refers in full to shared types, which stay what they are', async () => {
    hr.write(CREATED, hr.read(CREATED).replace('"hr.Address"', '"Address"'));
    expect((await hr.evolve({ kind: 'new-major', target: 'hr.EmployeeCreated', sunset: SUNSET })).errors).toEqual([]);
    expect(hr.read('schemas/hr/employee/v2/EmployeeCreatedV2.avsc')).toContain('"hr.Address"');
  });

  it('goes on to the next, beside a topic that is there', async () => {
    await hr.evolve({ kind: 'new-major', target: 'hr.EmployeeCreated', sunset: SUNSET });
    expect((await hr.evolve({ kind: 'new-major', target: 'hr.EmployeeMoved', sunset: SUNSET })).errors).toEqual([]);
    expect((await hr.evolve({ kind: 'new-major', target: 'hr.employee.v2', sunset: SUNSET })).errors).toEqual([]);
    expect([...(await hr.landscape()).schemas.facts.keys()].filter((name) => name.includes('.v3.'))).toEqual(['hr.employee.v3.EmployeeCreatedV3', 'hr.employee.v3.EmployeeMovedV3']);
    expect(hr.git('status', '--porcelain', '--untracked-files=all', 'schemas/hr/employee/v3').split('\n').map((line) => line.split('/').at(-1))).toEqual(['EmployeeCreatedV3.avsc', 'EmployeeMovedV3.avsc', 'topic.yaml']);
    expect(await refusal(hr.plan({ kind: 'new-major', target: 'hr.EmployeeCreated', sunset: SUNSET }))).toMatchObject({ code: 'evolve.exists', kind: 'conflict' });
  });

  it('names what is deprecated in the old one', async () => {
    await hr.evolve(deprecation('hr.EmployeeCreated.email', 'phone'));
    const { evolution } = await hr.evolve({ kind: 'new-major', target: 'hr.EmployeeCreated', sunset: SUNSET });
    expect(evolution.next[1]).toMatch(/leave it out there: EmployeeCreated\.email\.$/);
  });
});
