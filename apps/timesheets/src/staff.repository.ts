import { Injectable } from '@nestjs/common';
import { Refusal } from 'factline/kernel';
import type { Executor } from 'factline/store';

/** Days since 1970-01-01. */
export const daysSince1970 = (day: string) => Date.parse(`${day}T00:00:00Z`) / 86_400_000;

/** Asks this app's own read model, never hr. Only its projection writes it. */
@Injectable()
export class StaffRepository {
  /** @throws Refusal `employee.unknown`, `employee.not-employed` */
  async mustBeEmployed(db: Executor, employeeId: string, day: string): Promise<void> {
    const { rows } = await db.query<{ first: number; last: number | null }>('select first_day as first, last_day as last from staff.staff where employee_id = $1', [employeeId]);
    const employee = rows[0];
    if (!employee) {
      throw new Refusal({ code: 'employee.unknown', message: `Nobody here is '${employeeId}' yet.`, advice: 'Check the id. If hr has just hired them, send the Factline-Token that it answered.' });
    }
    const days = daysSince1970(day);
    if (days >= employee.first && days <= (employee.last ?? Infinity)) return;
    throw new Refusal({ code: 'employee.not-employed', message: `'${employeeId}' is not employed on ${day}.`, advice: 'Correct the day.' });
  }
}
