import { Injectable } from '@nestjs/common';
import type { Executor } from 'factline/store';
import type { Behaviour, JudgedOrder } from './rules.js';

/** An order as the read models know it. */
export interface SeenOrder extends JudgedOrder {
  orderId: string;
  customerId: string;
}

const REFUSED = `exists (select from refusals.refusals r where r.product_id in (select jsonb_array_elements_text(o.product_ids)) and r.order_ids ? o.order_id)`;

/** Asks the read models. The column that version 1 does not have is looked up by name, so the statements answer from either version's table. */
@Injectable()
export class BehaviourRepository {
  async order(db: Executor, orderId: string): Promise<SeenOrder | undefined> {
    const { rows } = await db.query<SeenOrder>(
      `select order_id as "orderId", customer_id as "customerId", total_cents::float8 as "totalCents", ${REFUSED} as refused from orders_seen.orders_seen o where order_id = $1`,
      [orderId],
    );
    return rows[0];
  }

  /** Of a customer without orders everything is 0. */
  async of(db: Executor, customerId: string): Promise<Behaviour> {
    const { rows } = await db.query<Behaviour>(
      `select count(*)::integer as orders, count(*) filter (where cancelled)::integer as cancelled, count(*) filter (where ${REFUSED})::integer as refused,
         count(distinct to_jsonb(o) ->> 'card_country')::integer as "cardCountries" from orders_seen.orders_seen o where customer_id = $1`,
      [customerId],
    );
    return rows[0]!;
  }
}
