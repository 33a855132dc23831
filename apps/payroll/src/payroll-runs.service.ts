import { Injectable } from '@nestjs/common';
import { Refusal, formatId, newId } from 'factline/kernel';
import { type Answer, Idempotency, InjectReadModel, type RequestContext, answer } from 'factline/nest';
import type { ReadModel } from 'factline/projections';
import { type Migration, Store } from 'factline/store';
import { PayeesRepository, type Totals } from './payees.repository.js';

export const payrollMigrations: readonly Migration[] = [
  {
    name: 'payroll runs',
    sql: `
create table payroll_run (id text primary key, month text not null, as_of timestamptz, made_at timestamptz not null default clock_timestamp());
create table payroll_line (
  run_id text not null references payroll_run,
  location text not null,
  currency text not null,
  payees integer not null,
  amount_cents bigint not null,
  primary key (run_id, location, currency)
);`,
  },
];

export interface PayrollRun {
  id: string;
  month: string;
  /** The run contains everything that hr committed up to then; null: not known. */
  asOf: string | null;
  lines: Totals[];
}

@Injectable()
export class PayrollRunsService {
  constructor(
    private readonly store: Store,
    private readonly payees: PayeesRepository,
    private readonly idempotency: Idempotency,
    @InjectReadModel('payees') private readonly model: ReadModel,
  ) {}

  /** One snapshot of the read model, so that nobody is counted twice or not at all while facts are applied. */
  async create(month: string, request: RequestContext): Promise<Answer<PayrollRun>> {
    const asOf = (await this.model.asOf())?.toISOString() ?? null;
    return this.idempotency.transaction(
      request,
      async (tx) => {
        const id = formatId(newId());
        const lines = await this.payees.totals(tx);
        await tx.query('insert into payroll_run (id, month, as_of) values ($1, $2, $3)', [id, month, asOf]);
        await tx.query('insert into payroll_line select $1, * from unnest($2::text[], $3::text[], $4::integer[], $5::bigint[])', [
          id,
          ...(['location', 'currency', 'payees', 'amountCents'] as const).map((column) => lines.map((line) => line[column])),
        ]);
        return answer({ id, month, asOf, lines }, { status: 201, location: `/payroll-runs/${id}` });
      },
      { isolation: 'repeatable read' },
    );
  }

  async get(id: string): Promise<PayrollRun> {
    const { rows } = await this.store.query<{ id: string; month: string; asOf: Date | null }>('select id, month, as_of as "asOf" from payroll_run where id = $1', [id]);
    const run = rows[0];
    if (!run) throw new Refusal({ code: 'payroll-run.unknown', kind: 'not-found', message: `There is no payroll run '${id}'.`, advice: 'Check the id.' });
    const { rows: lines } = await this.store.query<Totals>(
      'select location, currency, payees, amount_cents::float8 as "amountCents" from payroll_line where run_id = $1 order by location, currency',
      [id],
    );
    return { ...run, asOf: run.asOf?.toISOString() ?? null, lines };
  }
}
