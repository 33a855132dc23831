import { Injectable } from '@nestjs/common';
import type { Fact } from 'factline/contracts';
import { Refusal, formatId, newId } from 'factline/kernel';
import { type Answer, Idempotency, type RequestContext, answer } from 'factline/nest';
import { FactOutbox } from 'factline/outbox';
import { EmployeeCreated, EmployeeMoved, EmployeePersonalDetailsChanged, EmployeeTerminated } from './contracts.generated.js';
import type { Move, NewEmployee, PersonalDetails, Termination } from './employees.dto.js';
import { type Employee, EmployeesRepository } from './employees.repository.js';

const daysSince1970 = (day: string) => Date.parse(`${day}T00:00:00Z`) / 86_400_000;

/** Each change is one transaction: the row, the fact, and the answer to a repeated request. */
@Injectable()
export class EmployeesService {
  constructor(
    private readonly employees: EmployeesRepository,
    private readonly outbox: FactOutbox,
    private readonly idempotency: Idempotency,
  ) {}

  create(body: NewEmployee, request: RequestContext): Promise<Answer<Employee>> {
    return this.idempotency.transaction(request, async (tx) => {
      const id = body.id ?? formatId(newId());
      const hired = { ...NOT_TOLD, ...told(body), id };
      const { name, email, phone, address, salaryCents, currency, location, jobTitle, managerId } = hired;
      const fact = EmployeeCreated(
        id,
        { name, email, phone, address, salaryCents, currency, location, jobTitle, managerId, birthDate: daysSince1970(body.birthDate), startedOn: daysSince1970(body.startedOn) },
        { correlationId: request.correlationId },
      );
      // Row and fact travel together: one round trip less in each transaction. A refusal undoes both.
      const [employee, { token }] = await Promise.all([this.employees.insert(tx, hired), this.outbox.add(tx, fact)]);
      if (!employee) throw new Refusal({ code: 'employee.exists', kind: 'conflict', message: `There is an employee '${id}' already.`, advice: 'Take another id, or none.' });
      return answer(employee, { status: 201, location: `/employees/${encodeURIComponent(id)}`, version: employee.version, token });
    });
  }

  changePersonalDetails(id: string, body: PersonalDetails, request: RequestContext): Promise<Answer<Employee>> {
    const changes = told(body);
    if (Object.keys(changes).length === 0) {
      throw new Refusal({ code: 'employee.no-change', kind: 'invalid', message: 'No detail is given.', advice: 'Send at least one of name, email, phone, address.' });
    }
    return this.#change(id, request, (before) => {
      const after = { ...before, ...changes };
      const { name, email, phone, address } = after;
      return { after, fact: EmployeePersonalDetailsChanged(id, { name, email, phone, address }, { correlationId: request.correlationId }) };
    });
  }

  move(id: string, body: Move, request: RequestContext): Promise<Answer<Employee>> {
    return this.#change(id, request, (before) => {
      assertEmployed(before);
      const { location, jobTitle = null, salaryCents = null, currency = null } = body;
      return { after: { ...before, ...told(body) }, fact: EmployeeMoved(id, { location, jobTitle, salaryCents, currency }, { correlationId: request.correlationId }) };
    });
  }

  terminate(id: string, { lastDay, reason = 'OTHER' }: Termination, request: RequestContext): Promise<Answer<Employee>> {
    return this.#change(id, request, (before) => {
      assertEmployed(before);
      if (lastDay < before.startedOn) {
        throw new Refusal({ code: 'employee.last-day', message: `The last day is before the first one, ${before.startedOn}.`, advice: 'Correct lastDay.' });
      }
      const fact = EmployeeTerminated(id, { lastDay: daysSince1970(lastDay), reason }, { correlationId: request.correlationId });
      return { after: { ...before, lastDay, terminationReason: reason }, fact };
    });
  }

  async get(id: string): Promise<Answer<Employee>> {
    const employee = await this.employees.find(id);
    if (!employee) throw unknown(id);
    return answer(employee, { version: employee.version });
  }

  list(after: string, rows: number): Promise<Employee[]> {
    return this.employees.list(after, rows);
  }

  /** What all changes share: the row is held, version and rules are checked, row and fact are written. */
  #change(id: string, request: RequestContext, decide: (before: Employee) => { after: Employee; fact: Fact }): Promise<Answer<Employee>> {
    return this.idempotency.transaction(request, async (tx) => {
      const before = await this.employees.lock(tx, id);
      if (!before) throw unknown(id);
      request.assertVersion(before.version);
      const { after, fact } = decide(before);
      const [employee, { token }] = await Promise.all([this.employees.update(tx, after), this.outbox.add(tx, fact)]);
      return answer(employee, { version: employee.version, token });
    });
  }
}

const NOT_TOLD = { version: 1, phone: null, address: null, managerId: null, lastDay: null, terminationReason: null };

/** Fields that the client sent; a class's declared fields exist as undefined. */
function told<Body extends object>(body: Body): { [Key in keyof Body]: Exclude<Body[Key], undefined> } {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined)) as { [Key in keyof Body]: Exclude<Body[Key], undefined> };
}

function unknown(id: string): Refusal {
  return new Refusal({ code: 'employee.unknown', kind: 'not-found', message: `There is no employee '${id}'.`, advice: 'Check the id.' });
}

function assertEmployed({ id, lastDay }: Employee): void {
  if (lastDay === null) return;
  throw new Refusal({ code: 'employee.terminated', message: `The employment of '${id}' has ended.`, advice: 'Only personal details can still be changed.' });
}
