import { projection } from 'factline/projections';
import { StockChanged } from './contracts.generated.js';

/** How many there are of a product. Another topic, so another projection: it stands at a position of its own, and is joined when it is read. */
export const stock = projection({ name: 'stock', version: 1, key: 'product_id', columns: { product_id: 'text', on_hand: 'bigint' } }).on(StockChanged, (_before, { data }) => ({
  product_id: data.productId,
  on_hand: data.onHand,
}));
