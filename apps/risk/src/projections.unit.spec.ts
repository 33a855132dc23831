import { an, everyFixture, specFor } from 'factline/testing';
import { DeductionRefused, OrderCancelled, OrderPaid, OrderPlaced } from './contracts.generated.js';
import { ordersSeen, ordersSeenV2 } from './orders-seen.projection.js';
import { refusals } from './refusals.projection.js';

const order = { orderId: 'o-1', customerId: 'c-1', lines: [{ productId: 'p-1' }, { productId: 'p-2' }], totalCents: 700 };
const placed = an(OrderPlaced, 'o-1', order);
const paid = an(OrderPaid, 'o-1', { ...order, cardCountry: 'DE' });
const cancelled = (reason: 'CHANGED_MIND' | 'OUT_OF_STOCK') => an(OrderCancelled, 'o-1', { orderId: 'o-1', reason });
const row = { order_id: 'o-1', customer_id: 'c-1', product_ids: ['p-1', 'p-2'], total_cents: 700, paid: false, cancelled: false };

it('knows who ordered what, for how much, and whether it was paid', () => {
  specFor(ordersSeen).given(placed).thenRows(row);
  specFor(ordersSeen).given(placed, paid).thenRows({ ...row, paid: true });
  specFor(ordersSeen).given(paid).thenRows({ ...row, paid: true });
});

it('counts as taken back what the customer took back, not what stock ran out of', () => {
  specFor(ordersSeen).given(placed, paid, cancelled('CHANGED_MIND')).thenRows({ ...row, paid: true, cancelled: true });
  specFor(ordersSeen).given(placed, paid, cancelled('OUT_OF_STOCK')).thenRows({ ...row, paid: true });
});

it('knows in version 2 where the card comes from', () => {
  specFor(ordersSeenV2).given(placed).thenRows({ ...row, card_country: null });
  specFor(ordersSeenV2).given(placed, paid, cancelled('CHANGED_MIND')).thenRows({ ...row, paid: true, cancelled: true, card_country: 'DE' });
});

it('knows the newest hundred orders that asked for too much of a product, each once', () => {
  const refused = (...ids: number[]) => ids.map((id) => an(DeductionRefused, 'p-1', { productId: 'p-1', orderId: `o-${id}` }));
  specFor(refusals).given(...refused(1, 2)).thenRows({ product_id: 'p-1', order_ids: ['o-1', 'o-2'] });
  const many = Array.from({ length: 102 }, (_, i) => i + 1);
  specFor(refusals).given(...refused(...many)).thenRows({ product_id: 'p-1', order_ids: many.slice(-100).map((id) => `o-${id}`) });
});

it('takes whatever orders and inventory may state', async () => {
  for (const each of [ordersSeen, ordersSeenV2]) specFor(each).over(await everyFixture(each.facts));
  specFor(refusals).over(await everyFixture(refusals.facts));
});
