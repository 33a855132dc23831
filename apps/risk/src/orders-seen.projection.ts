import { projection } from 'factline/projections';
import { OrderCancelled, OrderPaid, OrderPlaced } from './contracts.generated.js';

const columns = { order_id: 'text', customer_id: 'text', product_ids: 'jsonb', total_cents: 'bigint', paid: 'boolean', cancelled: 'boolean' } as const;

/** One row an order; a customer's behaviour is asked over their orders (behaviour.repository.ts). Version 1 has what rule 1 asks for. */
export const ordersSeen = projection({ name: 'orders_seen', version: 1, key: 'order_id', columns, indexes: [['customer_id']] })
  .on(OrderPlaced, (_none, { data }) => ({
    order_id: data.orderId,
    customer_id: data.customerId,
    product_ids: data.lines.map(({ productId }) => productId),
    total_cents: data.totalCents,
    paid: false,
    cancelled: false,
  }))
  .on(OrderPaid, (order, { data }) => ({
    order_id: data.orderId,
    customer_id: data.customerId,
    product_ids: data.lines.map(({ productId }) => productId),
    total_cents: data.totalCents,
    paid: true,
    cancelled: order?.cancelled ?? false,
  }))
  // What stock ran out of is not the customer's doing.
  .on(OrderCancelled, (order, { data }) => order && { ...order, cancelled: data.reason !== 'OUT_OF_STOCK' });

/** Rule 2 also asks where cards come from. That was stated all the time and never kept: the rebuild finds it in the log. */
export const ordersSeenV2 = projection({ name: 'orders_seen', version: 2, key: 'order_id', columns: { ...columns, card_country: 'text null' }, indexes: [['customer_id']] })
  .on(OrderPlaced, (_none, { data }) => ({
    order_id: data.orderId,
    customer_id: data.customerId,
    product_ids: data.lines.map(({ productId }) => productId),
    total_cents: data.totalCents,
    paid: false,
    cancelled: false,
    card_country: null,
  }))
  .on(OrderPaid, (order, { data }) => ({
    order_id: data.orderId,
    customer_id: data.customerId,
    product_ids: data.lines.map(({ productId }) => productId),
    total_cents: data.totalCents,
    paid: true,
    cancelled: order?.cancelled ?? false,
    card_country: data.cardCountry,
  }))
  .on(OrderCancelled, (order, { data }) => order && { ...order, cancelled: data.reason !== 'OUT_OF_STOCK' });
