import { an, everyFixture, specFor } from 'factline/testing';
import { StockChanged } from './contracts.generated.js';
import { stock } from './stock.projection.js';

const changed = (onHand: number, change: number, reason: 'DELIVERED' | 'SOLD' | 'CANCELLED' | 'OTHER') => an(StockChanged, 'mug', { productId: 'mug', onHand, change, reason });

it('knows how many there are, and how many were sold', () => {
  specFor(stock)
    .given(changed(10, 10, 'DELIVERED'), changed(7, -3, 'SOLD'), changed(5, -2, 'SOLD'))
    .thenRows({ product_id: 'mug', on_hand: 5, sold: 5 });
});

it('does not count what was taken back, nor what went out for another reason', () => {
  specFor(stock)
    .given(changed(10, 10, 'DELIVERED'), changed(7, -3, 'SOLD'), changed(9, 2, 'CANCELLED'), changed(4, -5, 'OTHER'))
    .thenRows({ product_id: 'mug', on_hand: 4, sold: 1 });
});

it('takes whatever inventory may state, as declared and as in each registered version', async () => {
  specFor(stock).over(await everyFixture(stock.facts));
});
