import { projection } from 'factline/projections';
import { EmployeeCreated, EmployeeTerminated } from './contracts.generated.js';

/**
 * The minimum of hr's employees: who may record time, and for which days. No name, no salary, no place: what is not kept cannot leak, and need not be kept right.
 * Days are numbers as in the facts, days since 1970-01-01. Who has left stays, for time up to the last day may be recorded late.
 */
export const staff = projection({
  name: 'staff',
  version: 1,
  key: 'employee_id',
  columns: { employee_id: 'text', first_day: 'integer', last_day: 'integer null' },
})
  .on(EmployeeCreated, (_none, { data }) => ({ employee_id: data.employeeId, first_day: data.startedOn, last_day: null }))
  .on(EmployeeTerminated, (employee, { data }) => employee && { ...employee, last_day: data.lastDay });
