import { refusal } from '../trees/repository.spec.support.js';
import { formatLock } from '../lock/lock.js';
import type { Change } from './evolve.js';
import { CREATED, Hr, SUNSET, TODAY, deprecation } from './hr.spec.support.js';

let hr: Hr;
beforeEach(() => {
  hr = new Hr();
});
afterEach(() => hr.remove());

describe('every change', () => {
  it.each<[string, Change]>([
    ['deprecate a field', deprecation('hr.EmployeeCreated.salaryCents', 'currency')],
    ['deprecate a field of a shared type', deprecation('hr.EmployeeCreated.address.street', 'address.city')],
    ['deprecate a fact', deprecation('hr.EmployeeMoved', 'hr.EmployeeCreated')],
    ['rename a required field', { kind: 'rename', target: 'hr.EmployeeCreated.salaryCents', to: 'yearlySalaryCents', sunset: SUNSET }],
    ['rename a nullable field', { kind: 'rename', target: 'hr.EmployeeMoved.jobTitle', to: 'title', sunset: SUNSET }],
    ['rename a field of a logical type', { kind: 'rename', target: 'hr.EmployeeCreated.birthDate', to: 'bornOn', sunset: SUNSET }],
    ['rename a field whose type is defined in it', { kind: 'rename', target: 'hr.EmployeeTerminated.reason', to: 'cause', sunset: SUNSET }],
    ['rename a field of a shared type', { kind: 'rename', target: 'hr.EmployeeCreated.address.street', to: 'line1', sunset: SUNSET }],
    ['a new major of a fact', { kind: 'new-major', target: 'hr.EmployeeTerminated', sunset: SUNSET }],
    ['a new major of a topic', { kind: 'new-major', target: 'hr.employee', sunset: SUNSET }],
  ])('%s: the check finds no error, types are generated, and its patch is what it writes', async (_name, change) => {
    const patch = (await hr.plan(change)).diff;
    expect(hr.git('status', '--porcelain')).toBe(''); // computed, not written
    hr.write('change.patch', patch);
    hr.git('apply', 'change.patch');
    hr.git('add', 'schemas', 'apps');
    const applied = hr.git('write-tree');
    hr.git('reset', '--quiet', '--hard');
    const { errors, evolution } = await hr.evolve(change);
    expect(errors).toEqual([]);
    hr.git('add', ...evolution.changes.map(({ file }) => file));
    expect(hr.git('write-tree')).toBe(applied);
    expect(evolution.next[0]).toContain('contracts gen');
  });

  it('finds the name of a topic however it is written', async () => {
    const topic = 'schemas/hr/employee/topic.yaml';
    hr.commit(topic, hr.read(topic).replace('name: hr.employee\n', '"name" :   "hr.employee" # the staff\n'));
    expect((await hr.evolve({ kind: 'new-major', target: 'hr.employee', sunset: SUNSET })).errors).toEqual([]);
    expect(hr.read('schemas/hr/employee/v2/topic.yaml')).toContain('"name" :   "hr.employee.v2" # the staff\n');
  });

  it('is refused when a file changed meanwhile, and then writes nothing', async () => {
    const evolution = await hr.plan({ kind: 'new-major', target: 'hr.employee', sunset: SUNSET });
    hr.write(CREATED, `${hr.read(CREATED)}\n`);
    const error = await refusal(evolution.write());
    expect(error).toMatchObject({ code: 'evolve.changed-meanwhile', kind: 'conflict', details: { files: [CREATED] } });
    expect(hr.counts()).toEqual({ [CREATED]: '1 0' });
    expect(hr.git('status', '--porcelain', '--untracked-files=all')).not.toContain('v2');
  });

  it('leaves alone how a file is written: tabs, CRLF, one field a line, no line end at the end', async () => {
    const fields = (JSON.parse(hr.read(CREATED)) as { fields: object[] }).fields.map((field) => `\t\t${JSON.stringify(field)}`).join(' ,\r\n');
    const odd = `{ "type":"record",\r\n\t"name":"EmployeeCreated" , "namespace":"hr",\r\n\t"fields":[\r\n${fields}\r\n\t]}`;
    hr.commit(CREATED, odd);
    const { errors, evolution } = await hr.evolve({ kind: 'rename', target: 'hr.EmployeeCreated.email', to: 'workEmail', sunset: SUNSET });
    expect(errors).toEqual([]);
    const written = hr.read(CREATED);
    hr.git('checkout', '--quiet', CREATED);
    hr.write('change.patch', evolution.diff);
    hr.git('apply', 'change.patch');
    expect(hr.read(CREATED)).toBe(written);
    const lines = written.split('\r\n');
    const added = lines.filter((line) => !odd.split('\r\n').includes(line));
    expect(added).toEqual([
      '\t\t{"name":"email","doc":"Address for mail at work.","type":"string","confluent:tags":["PII"], "deprecated":{"effective":"2026-11-21", "removal":"2027-02-01", "alternative":"workEmail"}},',
      '\t\t{"name":"workEmail", "doc":"Address for mail at work.", "type":["null", "string"], "default":null, "confluent:tags":["PII"]} ,',
    ]);
    expect(lines).toHaveLength(odd.split('\r\n').length + 1);
  });

  it('says of a new name what every version that is registered says', async () => {
    const schema = { type: 'record', name: 'EmployeeCreated', namespace: 'hr', fields: [{ name: 'employeeId', type: 'string' }, { name: 'grade', type: ['null', 'long'], default: null }] };
    hr.write('schemas/registry.lock.json', formatLock({ name: 'lock', subjects: new Map([['hr.EmployeeCreated', { versions: [{ version: 1, id: 1, schema }] }]]) }));
    const error = await refusal(hr.plan({ kind: 'rename', target: 'hr.EmployeeCreated.jobTitle', to: 'grade', sunset: SUNSET }));
    expect(error).toMatchObject({ code: 'evolve.would-break', kind: 'refused' });
    expect(error.message).toMatch(/hr\.EmployeeCreated\.grade/);
    await hr.plan({ kind: 'rename', target: 'hr.EmployeeCreated.jobTitle', to: 'title', sunset: SUNSET }); // control: another name
  });
});

describe('deprecate', () => {
  it('adds the annotation and nothing else, and names who selects it', async () => {
    const { evolution } = await hr.evolve({ kind: 'deprecate', target: 'hr.EmployeeCreated.salaryCents', sunset: SUNSET, use: 'currency', documentation: 'https://example.org/pay' });
    expect(hr.counts()).toEqual({ [CREATED]: '7 1' });
    const { fields } = JSON.parse(hr.read(CREATED)) as { fields: { name: string; deprecated?: object }[] };
    expect(fields.filter(({ deprecated }) => deprecated)).toEqual([expect.objectContaining({ name: 'salaryCents', deprecated: { effective: TODAY, removal: SUNSET, alternative: 'currency', documentation: 'https://example.org/pay' } })]);
    expect(evolution.selectedBy.map(({ severity, place, message }) => [severity, `${place.file}:${place.line}`, message])).toEqual([['warning', hr.place('apps/payroll/contracts.yaml', 'salaryCents'), expect.stringMatching(/^payroll selects salaryCents, .*use currency instead/)]]);
    expect(evolution.next.at(-1)).toMatch(/no default, so FULL_TRANSITIVE never lets it leave.*new-major hr\.EmployeeCreated/);
  });

  it('a field with a default may go after the date', async () => {
    const { evolution } = await hr.evolve(deprecation('hr.EmployeeCreated.phone', 'email'));
    expect(evolution.selectedBy).toEqual([]);
    expect(evolution.next.at(-1)).toBe('From 2027-02-01 on, when nobody selects it, remove phone from the schema.');
  });

  it.each<[string, Change, string, RegExp]>([
    ['an unknown field', deprecation('hr.EmployeeCreated.salaryCent'), 'evolve.unknown-field', /Did you mean 'salaryCents'/],
    ['an unknown field below', deprecation('hr.EmployeeCreated.address.strete'), 'evolve.unknown-field', /Did you mean 'street'/],
    ['something below what is no record', deprecation('hr.EmployeeCreated.name.first'), 'evolve.unknown-field', /not a record/],
    ['an unknown fact', deprecation('hr.EmployeeCreatd'), 'evolve.unknown-fact', /Did you mean 'hr.EmployeeCreated'/],
    ['the key', deprecation('hr.EmployeeCreated.employeeId'), 'evolve.not-evolvable', /another fact/],
    ['the metadata', deprecation('hr.EmployeeCreated.meta.actor'), 'evolve.not-evolvable', /another fact/],
    ['an alternative that is not there', deprecation('hr.EmployeeCreated.email', 'mail'), 'evolve.unknown-field', /Did you mean 'email'/],
    ['itself', deprecation('hr.EmployeeCreated.email', 'email'), 'evolve.no-alternative', /can read from today/],
    ['a part of itself', deprecation('hr.EmployeeCreated.address', 'address.city'), 'evolve.no-alternative', /can read from today/],
    ['a fact for itself', deprecation('hr.EmployeeMoved', 'hr.EmployeeMoved'), 'evolve.no-alternative', /can read from today/],
    ['an alternative that another fact with the type lacks', deprecation('hr.EmployeeCreated.address.street', 'jobTitle'), 'evolve.would-break', /contracts deprecate/],
    ['today', { ...deprecation('hr.EmployeeCreated.email'), sunset: TODAY } as Change, 'evolve.sunset', /a day to come/],
    ['no day', { ...deprecation('hr.EmployeeCreated.email'), sunset: '2027-02-30' } as Change, 'evolve.sunset', /a day to come/],
  ])('refuses %s', async (_name, change, code, advice) => {
    expect(await refusal(hr.plan(change))).toMatchObject({ code, advice: expect.stringMatching(advice) as string });
    expect(hr.git('status', '--porcelain')).toBe('');
  });

  it('refuses what is deprecated already, also as an alternative', async () => {
    await hr.evolve(deprecation('hr.EmployeeCreated.email', 'phone'));
    expect(await refusal(hr.plan(deprecation('hr.EmployeeCreated.email', 'name')))).toMatchObject({ code: 'evolve.already-deprecated', message: 'hr.EmployeeCreated.email is deprecated already, until 2027-02-01.' });
    expect(await refusal(hr.plan(deprecation('hr.EmployeeCreated.phone', 'email')))).toMatchObject({ code: 'evolve.no-alternative' });
  });
});
