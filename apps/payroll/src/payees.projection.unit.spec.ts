import { an, everyFixture, specFor } from 'factline/testing';
import { EmployeeCreated, EmployeeMoved, EmployeePersonalDetailsChanged, EmployeeTerminated } from './contracts.generated.js';
import { faults, payees, payeesV2 } from './payees.projection.js';

const ada = { employeeId: 'e-1', name: 'Ada', salaryCents: 600, currency: 'EUR', location: 'BER' };
const row = { employee_id: 'e-1', name: 'Ada', salary_cents: 600, currency: 'EUR', location: 'BER' };
const hired = an(EmployeeCreated, 'e-1', ada);
const move = (data: object) => an(EmployeeMoved, 'e-1', { employeeId: 'e-1', salaryCents: null, currency: null, ...data });

afterEach(() => {
  faults.forgetMoves = false;
});

it('pays who was hired', () => {
  specFor(payees).given(hired).thenRows(row);
});

it('pays by the newest terms and to the newest name; what is null stays', () => {
  specFor(payees)
    .given(hired, move({ location: 'PAR' }), move({ location: 'NYC', salaryCents: 700, currency: 'USD' }), an(EmployeePersonalDetailsChanged, 'e-1', { employeeId: 'e-1', name: 'Ada L.' }))
    .thenRows({ ...row, name: 'Ada L.', location: 'NYC', salary_cents: 700, currency: 'USD' });
});

it('forgets who has left, whatever comes after', () => {
  specFor(payees)
    .given(hired, an(EmployeeTerminated, 'e-1', { employeeId: 'e-1' }), an(EmployeePersonalDetailsChanged, 'e-1', { employeeId: 'e-1', name: 'Ada L.' }))
    .thenNoRows();
});

it('knows in version 2 since when the terms hold', () => {
  specFor(payeesV2).given(hired, move({ location: 'PAR' })).thenRows({ ...row, location: 'PAR', terms_since: '1970-01-01' });
});

it('takes whatever hr may state, as declared and as in each registered version', async () => {
  specFor(payees).over(await everyFixture(payees.facts));
});

it('takes it in version 2 as well', async () => {
  specFor(payeesV2).over(await everyFixture(payeesV2.facts));
});

it.each(await everyFixture(EmployeeCreated))('pays whoever was hired what was stated: %s', (_title, { key, data }) => {
  specFor(payees).given(an(EmployeeCreated, key, data)).thenRows({ employee_id: key, name: data.name, salary_cents: data.salaryCents, currency: data.currency, location: data.location });
});

it('is tried with facts that were stated before the schemas of today', async () => {
  const titles = (await everyFixture(payees.facts)).map(([title]) => title);
  expect(titles).toEqual(expect.arrayContaining(['hr.EmployeeMoved v1 salaryCents: null', 'hr.EmployeeMoved v2 salaryCents: null', 'hr.EmployeeTerminated v1 usual', 'hr.EmployeePersonalDetailsChanged v1 most']));
});

it('loses moves in a drill, without a change of its fingerprint', () => {
  const fingerprint = payees.fingerprint;
  faults.forgetMoves = true;
  specFor(payees).given(hired, move({ location: 'PAR' })).thenRows(row);
  expect(payees.fingerprint).toBe(fingerprint);
  expect(payeesV2.fingerprint).not.toBe(fingerprint);
});
