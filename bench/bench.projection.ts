import { projection } from 'factline/projections';
import { EmployeeCreated, EmployeeMoved, EmployeePersonalDetailsChanged, EmployeeTerminated } from '../apps/payroll/src/contracts.generated.js';

/** The topic of this run is in the module's URL (`?topic=`), because rebuild threads import the module by its URL and nothing else. */
const topic = new URL(import.meta.url).searchParams.get('topic') ?? 'hr.employee';

/** Payroll's read model: creation, partial updates, deletes, and a secondary index. */
export const payees = projection({
  name: 'payees',
  version: 1,
  key: 'employee_id',
  columns: { employee_id: 'text', name: 'text', salary_cents: 'bigint', currency: 'text', location: 'text' },
  indexes: [['location']],
})
  .on({ ...EmployeeCreated, topic }, (_none, { data }) => ({
    employee_id: data.employeeId,
    name: data.name,
    salary_cents: data.salaryCents,
    currency: data.currency,
    location: data.location,
  }))
  .on({ ...EmployeePersonalDetailsChanged, topic }, (payee, { data }) => payee && { ...payee, name: data.name })
  .on(
    { ...EmployeeMoved, topic },
    (payee, { data }) =>
      payee && { ...payee, location: data.location, salary_cents: data.salaryCents ?? payee.salary_cents, currency: data.currency ?? payee.currency },
  )
  .on({ ...EmployeeTerminated, topic }, () => null);
