import { Injectable } from '@nestjs/common';
import { type Executor, Store } from 'factline/store';

export interface Payee {
  employeeId: string;
  name: string;
  salaryCents: number;
  currency: string;
  location: string;
  /** null in version 1 of the read model, which does not know it. */
  termsSince: string | null;
}

// The new column is looked up by name, so the query answers from either version's table, also while the swap changes it.
const COLUMNS = `employee_id as "employeeId", name, salary_cents::float8 as "salaryCents", currency, location, to_jsonb(p) ->> 'terms_since' as "termsSince"`;

export interface Totals {
  location: string;
  currency: string;
  payees: number;
  amountCents: number;
}

/** The rows of the read model. Only its projection writes them. */
@Injectable()
export class PayeesRepository {
  constructor(private readonly store: Store) {}

  async find(id: string): Promise<Payee | undefined> {
    return (await this.store.query<Payee>(`select ${COLUMNS} from payees.payees p where employee_id = $1`, [id])).rows[0];
  }

  /** In id order, behind `after`. */
  async list(after: string, rows: number): Promise<Payee[]> {
    return (await this.store.query<Payee>(`select ${COLUMNS} from payees.payees p where employee_id > $1 order by employee_id limit $2`, [after, rows])).rows;
  }

  /** A twelfth of each yearly salary, rounded per payee. */
  async totals(db: Executor): Promise<Totals[]> {
    const { rows } = await db.query<Totals>(
      `select location, currency, count(*)::integer as payees, sum(round(salary_cents / 12.0))::float8 as "amountCents"
       from payees.payees group by location, currency order by location, currency`,
    );
    return rows;
  }
}
