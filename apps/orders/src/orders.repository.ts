import { Injectable } from '@nestjs/common';
import { type Executor, type Migration, Store, type Tx } from 'factline/store';
import type { Order } from './order.decider.js';

export const orderMigrations: readonly Migration[] = [
  {
    name: 'orders',
    sql: `
create table customer_order (
  id text primary key,
  version integer not null,
  status text not null,
  customer_id text not null,
  currency text not null,
  lines jsonb not null,
  total_cents bigint not null,
  paid_at timestamptz,
  cancellation_reason text
);`,
  },
];

type Row = Omit<Order, 'paidAt'> & { paidAt: Date | null };

const COLUMNS = `id, version, status, customer_id as "customerId", currency, lines, total_cents::float8 as "totalCents", paid_at as "paidAt", cancellation_reason as "cancellationReason"`;

/** Orders as they are now: the fold of their facts, written in the transactions that state them. */
@Injectable()
export class OrdersRepository {
  constructor(private readonly store: Store) {}

  async find(id: string, db: Executor = this.store): Promise<Order | undefined> {
    return (await db.query<Row>(`select ${COLUMNS} from customer_order where id = $1`, [id], 'orders.order_find')).rows.map(order)[0];
  }

  /** Writes the next version. false: somebody else wrote it first. */
  async save(tx: Tx, { id, version, status, customerId, currency, lines, totalCents, paidAt, cancellationReason }: Order): Promise<boolean> {
    const { rowCount } = await tx.query(
      `insert into customer_order as o (id, version, status, customer_id, currency, lines, total_cents, paid_at, cancellation_reason) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       on conflict (id) do update set version = excluded.version, status = excluded.status, paid_at = excluded.paid_at, cancellation_reason = excluded.cancellation_reason
         where o.version = excluded.version - 1`,
      [id, version, status, customerId, currency, JSON.stringify(lines), totalCents, paidAt, cancellationReason],
      'orders.order_save',
    );
    return rowCount === 1;
  }

  /** In id order, behind `after`. */
  async list(after: string, rows: number): Promise<Order[]> {
    return (await this.store.query<Row>(`select ${COLUMNS} from customer_order where id > $1 order by id limit $2`, [after, rows])).rows.map(order);
  }
}

function order(row: Row): Order {
  return { ...row, paidAt: row.paidAt?.toISOString() ?? null };
}
