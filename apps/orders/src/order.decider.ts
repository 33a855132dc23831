import type { Fact, FactType } from 'factline/contracts';
import { Refusal } from 'factline/kernel';
import { OrderCancelled, type OrderCancelledData, OrderPaid, OrderPlaced, type OrderPlacedData } from './contracts.generated.js';

/*
 * The rules of an order, and nothing else: no database, no clock, no ids of their own. `decide` says which facts a command makes true, `evolve` what is known after a fact, and
 * the state is always the fold of the facts (the decider pattern: Jérémie Chassaing, thinkbeforecoding.com/post/2021/12/17/functional-event-sourcing-decider).
 */

export interface Order {
  id: string;
  /** Facts so far; the sequence of the last one. */
  version: number;
  status: 'PLACED' | 'PAID' | 'CANCELLED';
  customerId: string;
  currency: string;
  lines: OrderPlacedData['lines'];
  totalCents: number;
  /** null: not paid. */
  paidAt: string | null;
  /** null: it stands. */
  cancellationReason: string | null;
}

export interface Place {
  readonly do: 'place';
  readonly customerId: string;
  readonly currency: string;
  readonly lines: OrderPlacedData['lines'];
}

export interface Pay {
  readonly do: 'pay';
  readonly amountCents: number;
  readonly cardCountry: string;
  /** Microseconds since 1970. */
  readonly at: number;
}

export interface Cancel {
  readonly do: 'cancel';
  readonly reason: Exclude<OrderCancelledData['reason'], undefined>;
}

export type OrderCommand = Place | Pay | Cancel;

/** What a command makes true of an order (undefined: nobody placed it), or why not. */
export function decide(id: string, order: Order | undefined, command: OrderCommand): Fact | Refusal {
  if (command.do === 'place') return order ? exists(id) : place(id, command);
  if (!order) return unknown(id);
  if (order.status === 'CANCELLED') return cancelled(id);
  return command.do === 'pay' ? pay(order, command) : OrderCancelled(id, { reason: command.reason });
}

function place(id: string, { customerId, currency, lines }: Place): Fact | Refusal {
  if (new Set(lines.map(({ productId }) => productId)).size < lines.length) return productTwice();
  const totalCents = lines.reduce((sum, { quantity, unitPriceCents }) => sum + quantity * unitPriceCents, 0);
  return OrderPlaced(id, { customerId, currency, lines, totalCents });
}

function pay({ id, status, customerId, currency, lines, totalCents }: Order, { amountCents, cardCountry, at }: Pay): Fact | Refusal {
  if (status === 'PAID') return paid(id);
  if (amountCents !== totalCents) return otherAmount(totalCents);
  return OrderPaid(id, { customerId, currency, lines, totalCents, cardCountry, paidAt: at });
}

/** The order after a fact. */
export function evolve(order: Order | undefined, fact: Fact): Order {
  if (is(fact, OrderPlaced)) {
    const { customerId, currency, lines, totalCents } = fact.data;
    return { id: fact.key, version: 1, status: 'PLACED', customerId, currency, lines, totalCents, paidAt: null, cancellationReason: null };
  }
  if (!order) throw new TypeError(`the first fact of order '${fact.key}' is ${fact.type.factName}`);
  const known = { ...order, version: order.version + 1 };
  if (is(fact, OrderPaid)) return { ...known, status: 'PAID', paidAt: new Date(fact.data.paidAt / 1_000).toISOString() };
  if (is(fact, OrderCancelled)) return { ...known, status: 'CANCELLED', cancellationReason: fact.data.reason ?? 'OTHER' };
  throw new TypeError(`${fact.type.factName} is no fact of an order`);
}

function is<Data extends object>(fact: Fact, type: Pick<FactType<Data>, 'factName'> & ((...args: never[]) => Fact<Data>)): fact is Fact<Data> {
  return fact.type.factName === type.factName;
}

const exists = (id: string) => new Refusal({ code: 'order.exists', kind: 'conflict', message: `There is an order '${id}' already.`, advice: 'Take another id, or none.' });
export const unknown = (id: string) => new Refusal({ code: 'order.unknown', kind: 'not-found', message: `There is no order '${id}'.`, advice: 'Check the id.' });
const cancelled = (id: string) => new Refusal({ code: 'order.cancelled', message: `The order '${id}' is cancelled.`, advice: 'Place a new one.' });
const productTwice = () => new Refusal({ code: 'order.product-twice', kind: 'invalid', message: 'A product is on two lines.', advice: 'Send one line for each product.' });
const paid = (id: string) => new Refusal({ code: 'order.paid', message: `The order '${id}' is paid already.`, advice: 'Do not take the money again.' });
const otherAmount = (cents: number) => new Refusal({ code: 'order.amount', message: `The order costs ${cents} cents.`, advice: 'Pay exactly that.' });
