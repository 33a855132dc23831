import { an, everyFixture, specFor } from 'factline/testing';
import { OrderCancelled, OrderPaid, StockChanged } from './contracts.generated.js';
import { sales, salesV2 } from './sales.projection.js';
import { stock } from './stock.projection.js';

const lines = [{ productId: 'p-1', quantity: 2, unitPriceCents: 150 }];
/** 2026-03-02 is day 20,514. */
const atNoon = Date.UTC(2026, 2, 2, 12) * 1_000;
const paid = an(OrderPaid, 'o-1', { orderId: 'o-1', lines, currency: 'EUR', paidAt: atNoon });
const cancelled = an(OrderCancelled, 'o-1', { orderId: 'o-1' });
const row = { order_id: 'o-1', day: 20_514, currency: 'EUR', lines };

it('knows what was sold on which day', () => {
  for (const each of [sales, salesV2]) specFor(each).given(paid).thenRows(row);
});

it.each([
  ['the last moment of a day', Date.UTC(2026, 2, 3) * 1_000 - 1, 20_514],
  ['the first of the next', Date.UTC(2026, 2, 3) * 1_000, 20_515],
  ['a day before 1970', -1, -1],
])('counts days in UTC: %s', (_what, paidAt, day) => {
  specFor(sales).given(an(OrderPaid, 'o-1', { orderId: 'o-1', lines, currency: 'EUR', paidAt })).thenRows({ ...row, day });
});

it('is gross in version 1, and net of cancellations in version 2', () => {
  specFor(sales).given(paid, cancelled).thenRows(row);
  specFor(salesV2).given(paid, cancelled).thenNoRows();
});

it('sells nothing that was cancelled before it was paid', () => {
  specFor(salesV2).given(cancelled).thenNoRows();
});

it('knows the newest stock alone', () => {
  specFor(stock).given(an(StockChanged, 'p-1', { productId: 'p-1', onHand: 7 }), an(StockChanged, 'p-1', { productId: 'p-1', onHand: 5 })).thenRows({ product_id: 'p-1', on_hand: 5 });
});

it('takes whatever orders and inventory may state', async () => {
  for (const each of [sales, salesV2]) specFor(each).over(await everyFixture(each.facts));
  specFor(stock).over(await everyFixture(stock.facts));
});

it('is another definition, which the fingerprint shows', () => {
  expect(salesV2.fingerprint).not.toBe(sales.fingerprint);
});
