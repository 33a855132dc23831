import { an, everyFixture, specFor } from 'factline/testing';
import { EmployeeCreated, EmployeeTerminated } from './contracts.generated.js';
import { diners } from './diners.projection.js';

const hired = an(EmployeeCreated, 'e-1', { employeeId: 'e-1' });

it('knows everybody who is employed, by id alone', () => {
  specFor(diners).given(hired).thenRows({ employee_id: 'e-1' });
});

it('forgets who has left', () => {
  specFor(diners).given(hired, an(EmployeeTerminated, 'e-1', { employeeId: 'e-1' })).thenNoRows();
});

it('takes whatever hr may state, as declared and as in each registered version', async () => {
  specFor(diners).over(await everyFixture(diners.facts));
});
