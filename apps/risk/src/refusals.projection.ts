import { projection } from 'factline/projections';
import { DeductionRefused } from './contracts.generated.js';

/** Of each product, the newest orders that asked for more of it than there was. A hundred: a row must not grow for ever, and older ones say little about who orders now. */
export const refusals = projection({ name: 'refusals', version: 1, key: 'product_id', columns: { product_id: 'text', order_ids: 'jsonb' } }).on(DeductionRefused, (before, { data }) => ({
  product_id: data.productId,
  order_ids: [...((before?.order_ids ?? []) as string[]).filter((id) => id !== data.orderId), data.orderId].slice(-100),
}));
