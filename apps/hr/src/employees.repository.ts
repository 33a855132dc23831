import { Injectable } from '@nestjs/common';
import { type Executor, type Migration, Store, type Tx } from 'factline/store';
import type { AddressBody } from './employees.dto.js';

export const employeeMigrations: readonly Migration[] = [
  {
    name: 'employees',
    sql: `
create table employee (
  id text primary key,
  version integer not null default 1,
  name text not null,
  email text not null,
  phone text,
  address jsonb,
  birth_date date not null,
  salary_cents bigint not null,
  currency text not null,
  location text not null,
  job_title text not null,
  started_on date not null,
  manager_id text,
  last_day date,
  termination_reason text,
  changed_at timestamptz not null default clock_timestamp()
);`,
  },
];

export interface Employee {
  id: string;
  version: number;
  name: string;
  email: string;
  phone: string | null;
  address: AddressBody | null;
  birthDate: string;
  salaryCents: number;
  currency: string;
  location: string;
  jobTitle: string;
  startedOn: string;
  managerId: string | null;
  /** null: employed. */
  lastDay: string | null;
  terminationReason: string | null;
}

const COLUMNS = `id, version, name, email, phone, address, birth_date::text as "birthDate", salary_cents::float8 as "salaryCents", currency, location,
  job_title as "jobTitle", started_on::text as "startedOn", manager_id as "managerId", last_day::text as "lastDay", termination_reason as "terminationReason"`;

@Injectable()
export class EmployeesRepository {
  constructor(private readonly store: Store) {}

  /** undefined when the id is taken. */
  async insert(tx: Tx, employee: Employee): Promise<Employee | undefined> {
    const { id, name, email, phone, address, birthDate, salaryCents, currency, location, jobTitle, startedOn, managerId } = employee;
    const { rows } = await tx.query<Employee>(
      `insert into employee (id, name, email, phone, address, birth_date, salary_cents, currency, location, job_title, started_on, manager_id)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict (id) do nothing returning ${COLUMNS}`,
      [id, name, email, phone, address, birthDate, salaryCents, currency, location, jobTitle, startedOn, managerId],
      'hr.employee_insert',
    );
    return rows[0];
  }

  /** Holds the row until the transaction ends, so that what was checked stays true. */
  async lock(tx: Tx, id: string): Promise<Employee | undefined> {
    return one(tx, `select ${COLUMNS} from employee where id = $1 for update`, id);
  }

  async update(tx: Tx, { id, name, email, phone, address, salaryCents, currency, location, jobTitle, lastDay, terminationReason }: Employee): Promise<Employee> {
    const { rows } = await tx.query<Employee>(
      `update employee set version = version + 1, changed_at = clock_timestamp(), name = $2, email = $3, phone = $4, address = $5, salary_cents = $6, currency = $7,
         location = $8, job_title = $9, last_day = $10, termination_reason = $11 where id = $1 returning ${COLUMNS}`,
      [id, name, email, phone, address, salaryCents, currency, location, jobTitle, lastDay, terminationReason],
      'hr.employee_update',
    );
    return rows[0]!;
  }

  find(id: string): Promise<Employee | undefined> {
    return one(this.store, `select ${COLUMNS} from employee where id = $1`, id);
  }

  /** In id order, behind `after`. */
  async list(after: string, rows: number): Promise<Employee[]> {
    return (await this.store.query<Employee>(`select ${COLUMNS} from employee where id > $1 order by id limit $2`, [after, rows])).rows;
  }
}

async function one(db: Executor, sql: string, id: string): Promise<Employee | undefined> {
  return (await db.query<Employee>(sql, [id])).rows[0];
}
