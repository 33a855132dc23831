import { projection } from 'factline/projections';
import { EmployeeCreated, EmployeeMoved, EmployeePersonalDetailsChanged, EmployeeTerminated } from './contracts.generated.js';

/**
 * For drills (PAYROLL_DRILL=forget-moves): makes version 1 lose every move. It is what a fold must never do, depend on something outside its arguments, and that
 * is why it is here: the fold's text and therefore its fingerprint stay the same, so nothing notices until `factline replay verify` compares the rows.
 */
export const faults = { forgetMoves: false };

const dayOf = (microseconds: number) => new Date(microseconds / 1_000).toISOString().slice(0, 10);

/** Whom to pay, how much, and by which location's rules. Who has left is forgotten: payroll keeps nothing about people it no longer pays. */
export const payees = projection({
  name: 'payees',
  version: 1,
  key: 'employee_id',
  columns: { employee_id: 'text', name: 'text', salary_cents: 'bigint', currency: 'text', location: 'text' },
  indexes: [['location', 'currency']],
})
  .on(EmployeeCreated, (_none, { data }) => ({
    employee_id: data.employeeId,
    name: data.name,
    salary_cents: data.salaryCents,
    currency: data.currency,
    location: data.location,
  }))
  .on(EmployeePersonalDetailsChanged, (payee, { data }) => payee && { ...payee, name: data.name })
  .on(EmployeeMoved, (payee, { data }) =>
    payee && !faults.forgetMoves
      ? { ...payee, location: data.location, salary_cents: data.salaryCents ?? payee.salary_cents, currency: data.currency ?? payee.currency }
      : payee,
  )
  .on(EmployeeTerminated, () => null);

/** Version 2 knows since when salary and location hold, which the pay slip has to say. It is rebuilt from the same facts; nobody has to state anything again. */
export const payeesV2 = projection({
  name: 'payees',
  version: 2,
  key: 'employee_id',
  columns: { employee_id: 'text', name: 'text', salary_cents: 'bigint', currency: 'text', location: 'text', terms_since: 'date' },
  indexes: [['location', 'currency']],
})
  .on(EmployeeCreated, (_none, { data, meta }) => ({
    employee_id: data.employeeId,
    name: data.name,
    salary_cents: data.salaryCents,
    currency: data.currency,
    location: data.location,
    terms_since: dayOf(meta.occurredAt),
  }))
  .on(EmployeePersonalDetailsChanged, (payee, { data }) => payee && { ...payee, name: data.name })
  .on(
    EmployeeMoved,
    (payee, { data, meta }) =>
      payee && {
        ...payee,
        location: data.location,
        salary_cents: data.salaryCents ?? payee.salary_cents,
        currency: data.currency ?? payee.currency,
        terms_since: dayOf(meta.occurredAt),
      },
  )
  .on(EmployeeTerminated, () => null);
