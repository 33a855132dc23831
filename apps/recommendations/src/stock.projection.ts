import { projection } from 'factline/projections';
import { StockChanged } from './contracts.generated.js';

/** Beyond it numbers are not exact; no product sells that often, but a fact may say so, and a fold must take whatever may be stated. */
const exact = (count: number) => Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, count));

/** What is in stock of each product, and how much of it was sold and not taken back. */
export const stock = projection({
  name: 'stock',
  version: 1,
  key: 'product_id',
  columns: { product_id: 'text', on_hand: 'bigint', sold: 'bigint' },
  indexes: [['sold', 'on_hand']],
}).on(StockChanged, (before, { data }) => ({
  product_id: data.productId,
  on_hand: data.onHand,
  sold: exact((before?.sold ?? 0) - (data.reason === 'SOLD' || data.reason === 'CANCELLED' ? data.change : 0)),
}));
