import { Injectable } from '@nestjs/common';
import { type Migration, Store, type Tx } from 'factline/store';
import type { Reason } from './rules.js';

export const flaggedOrderMigrations: readonly Migration[] = [
  {
    name: 'flagged orders',
    sql: `
create table flagged_order (
  order_id text primary key,
  customer_id text not null,
  reasons text[] not null,
  rule_version integer not null,
  flagged_at timestamptz not null default clock_timestamp()
);
create index on flagged_order (customer_id);`,
  },
];

export interface FlaggedOrder {
  orderId: string;
  customerId: string;
  reasons: Reason[];
  ruleVersion: number;
  flaggedAt: string;
}

const COLUMNS = `order_id as "orderId", customer_id as "customerId", reasons, rule_version as "ruleVersion", flagged_at as "flaggedAt"`;

/** What was stated. It is this app's own memory and no read model: no rebuild makes or forgets it. */
@Injectable()
export class FlaggedOrdersRepository {
  constructor(private readonly store: Store) {}

  /** @returns false when the order was flagged before, whatever the reasons were then */
  async insert(tx: Tx, { orderId, customerId, reasons, ruleVersion }: Omit<FlaggedOrder, 'flaggedAt'>): Promise<boolean> {
    const { rowCount } = await tx.query('insert into flagged_order (order_id, customer_id, reasons, rule_version) values ($1, $2, $3, $4) on conflict do nothing', [orderId, customerId, reasons, ruleVersion]);
    return rowCount === 1;
  }

  /** In id order, behind `after`. */
  async list(after: string, rows: number): Promise<FlaggedOrder[]> {
    return (await this.store.query<FlaggedOrder>(`select ${COLUMNS} from flagged_order where order_id > $1 order by order_id limit $2`, [after, rows])).rows;
  }

  async ofCustomer(customerId: string): Promise<FlaggedOrder[]> {
    return (await this.store.query<FlaggedOrder>(`select ${COLUMNS} from flagged_order where customer_id = $1 order by order_id`, [customerId])).rows;
  }
}
