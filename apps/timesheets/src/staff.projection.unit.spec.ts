import { an, everyFixture, specFor } from 'factline/testing';
import { EmployeeCreated, EmployeeTerminated } from './contracts.generated.js';
import { staff } from './staff.projection.js';

const hired = an(EmployeeCreated, 'e-1', { employeeId: 'e-1', startedOn: 20_000 });

it('knows from which day on somebody may record time, and nothing else of them', () => {
  specFor(staff).given(hired).thenRows({ employee_id: 'e-1', first_day: 20_000, last_day: null });
});

it('keeps who has left, with the last day', () => {
  specFor(staff)
    .given(hired, an(EmployeeTerminated, 'e-1', { employeeId: 'e-1', lastDay: 20_500 }))
    .thenRows({ employee_id: 'e-1', first_day: 20_000, last_day: 20_500 });
});

it('knows nobody who was never hired', () => {
  specFor(staff).given(an(EmployeeTerminated, 'e-1', { employeeId: 'e-1', lastDay: 20_500 })).thenNoRows();
});

it('takes whatever hr may state, as declared and as in each registered version', async () => {
  specFor(staff).over(await everyFixture(staff.facts));
});

it.each(await everyFixture(EmployeeCreated))('lets whoever was hired begin on the day that was stated: %s', (_title, { key, data }) => {
  specFor(staff).given(an(EmployeeCreated, key, data)).thenRows({ employee_id: key, first_day: data.startedOn, last_day: null });
});
