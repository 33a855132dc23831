import type { Fact } from 'factline/contracts';
import { Refusal } from 'factline/kernel';
import { OrderCancelled, OrderPaid, OrderPlaced } from './contracts.generated.js';
import { type Order, type OrderCommand, decide, evolve } from './order.decider.js';

/** Given what happened, when somebody asks for something, then this is stated, or it is refused. */
const given = (...facts: readonly Fact[]) => {
  const order = facts.reduce<Order | undefined>(evolve, undefined);
  return {
    order,
    when: (command: OrderCommand) => ({
      states: (fact: Fact) => expect(decide('o-1', order, command)).toEqual(fact),
      refused: (code: string) => {
        const answer = decide('o-1', order, command);
        expect(answer).toBeInstanceOf(Refusal);
        expect(answer).toMatchObject({ code });
      },
    }),
  };
};

const line = { productId: 'mug', quantity: 2, unitPriceCents: 1_250 };
const ordered = { customerId: 'c-1', currency: 'EUR', lines: [line] };
const payment = { cardCountry: 'DE', paidAt: 1_700_000_000_000_000 };

const place = { do: 'place', ...ordered } as const;
const pay = { do: 'pay', amountCents: 2_500, cardCountry: 'DE', at: payment.paidAt } as const;
const cancel = { do: 'cancel', reason: 'CHANGED_MIND' } as const;

const placed = OrderPlaced('o-1', { ...ordered, totalCents: 2_500 });
const paid = OrderPaid('o-1', { ...ordered, totalCents: 2_500, ...payment });
const cancelled = OrderCancelled('o-1', { reason: 'CHANGED_MIND' });

it('an order is placed once, and its total is the sum of its lines', () => {
  given().when(place).states(placed);
  given().when({ ...place, lines: [line, { productId: 'pot', quantity: 3, unitPriceCents: 1 }] }).states(OrderPlaced('o-1', { ...ordered, lines: [line, { productId: 'pot', quantity: 3, unitPriceCents: 1 }], totalCents: 2_503 }));
  given(placed).when(place).refused('order.exists');
  given().when({ ...place, lines: [line, line] }).refused('order.product-twice');
});

it('a placed order is paid once, in full', () => {
  given(placed).when(pay).states(paid);
  given().when(pay).refused('order.unknown');
  given(placed).when({ ...pay, amountCents: 2_499 }).refused('order.amount');
  given(placed, paid).when(pay).refused('order.paid');
});

it('an order is cancelled once, paid or not, and nothing happens to it afterwards', () => {
  given(placed).when(cancel).states(cancelled);
  given(placed, paid).when(cancel).states(cancelled);
  given().when(cancel).refused('order.unknown');
  for (const command of [pay, cancel]) given(placed, cancelled).when(command).refused('order.cancelled');
  given(placed, cancelled).when(place).refused('order.exists');
});

it('an order is the fold of its facts, and its version counts them', () => {
  expect(given(placed, paid, cancelled).order).toEqual({ id: 'o-1', version: 3, status: 'CANCELLED', ...ordered, totalCents: 2_500, paidAt: '2023-11-14T22:13:20.000Z', cancellationReason: 'CHANGED_MIND' });
  expect(() => given(paid)).toThrow('the first fact');
  expect(() => given(placed, { ...paid, type: { ...paid.type, factName: 'orders.OrderLost' } })).toThrow('no fact of an order');
});
