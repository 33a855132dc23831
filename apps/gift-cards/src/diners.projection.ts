import { projection } from 'factline/projections';
import { EmployeeCreated, EmployeeTerminated } from './contracts.generated.js';

/** Who gets a card: everybody who is employed. An id is all that is kept of them, and nothing of who has left. */
export const diners = projection({ name: 'diners', version: 1, key: 'employee_id', columns: { employee_id: 'text' } })
  .on(EmployeeCreated, (_none, { data }) => ({ employee_id: data.employeeId }))
  .on(EmployeeTerminated, () => null);
