import { projection } from 'factline/projections';
import { OrderCancelled, OrderPaid } from './contracts.generated.js';

const MICROSECONDS_OF_A_DAY = 86_400_000_000;
/** In UTC, as days since 1970-01-01. */
const dayOf = (microseconds: number) => Math.floor(microseconds / MICROSECONDS_OF_A_DAY);

/**
 * What was sold, one row an order: a fold knows its key alone, and the sums by day and product are made when they are asked for (sales.repository.ts).
 * Version 1 means gross: what was paid, whatever became of it.
 */
export const sales = projection({
  name: 'sales',
  version: 1,
  key: 'order_id',
  columns: { order_id: 'text', day: 'integer', currency: 'text', lines: 'jsonb' },
  indexes: [['day']],
}).on(OrderPaid, (_none, { data }) => ({ order_id: data.orderId, day: dayOf(data.paidAt), currency: data.currency, lines: data.lines }));

/** Version 2 means net: an order that was cancelled was no sale, also not on the day on which it was paid. It is rebuilt from the same facts. */
export const salesV2 = projection({
  name: 'sales',
  version: 2,
  key: 'order_id',
  columns: { order_id: 'text', day: 'integer', currency: 'text', lines: 'jsonb' },
  indexes: [['day']],
})
  .on(OrderPaid, (_none, { data }) => ({ order_id: data.orderId, day: dayOf(data.paidAt), currency: data.currency, lines: data.lines }))
  .on(OrderCancelled, () => null);
