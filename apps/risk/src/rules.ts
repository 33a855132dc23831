import type { OrderFlaggedData } from './contracts.generated.js';

/** What is known of a customer, this order included. */
export interface Behaviour {
  orders: number;
  cancelled: number;
  /** Orders that asked for more than there was. */
  refused: number;
  /** 0 where the read model does not know it. */
  cardCountries: number;
}

export interface JudgedOrder {
  totalCents: number;
  /** It asked for more than there was. */
  refused: boolean;
}

export type Reason = OrderFlaggedData['reasons'][number];

/** Pure: the same behaviour and order give the same reasons; none: nothing unusual. */
export interface Rule {
  readonly version: number;
  judge(behaviour: Behaviour, order: JudgedOrder): Reason[];
}

/** The rule that judges in this process. */
export const RULE = Symbol('risk rule');

const LARGE_FIRST_ORDER_CENTS = 100_000;
const CANCELLED_AT_LEAST = 3;
const CARD_COUNTRIES_AT_LEAST = 3;

export const rule1: Rule = {
  version: 1,
  judge: ({ orders, cancelled }, { totalCents, refused }) => [
    ...(orders === 1 && totalCents >= LARGE_FIRST_ORDER_CENTS ? (['LARGE_FIRST_ORDER'] as const) : []),
    ...(cancelled >= CANCELLED_AT_LEAST ? (['MANY_CANCELLATIONS'] as const) : []),
    ...(refused ? (['MORE_THAN_THERE_IS'] as const) : []),
  ],
};

/** Beside what rule 1 says: cards of many countries. */
export const rule2: Rule = {
  version: 2,
  judge: (behaviour, order) => [...rule1.judge(behaviour, order), ...(behaviour.cardCountries >= CARD_COUNTRIES_AT_LEAST ? (['CARDS_OF_MANY_COUNTRIES'] as const) : [])],
};
