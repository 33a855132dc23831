import { field } from 'factline/nest';
import type { Cancel } from './order.decider.js';

/** The largest order, 100 lines of 10,000 pieces for a million each, is 10^14 cents and still exact. */
const [LINES, PIECES, PRICE_CENTS] = [100, 10_000, 100_000_000];

export class LineBody {
  @field.id({ example: 'mug' }) productId!: string;
  @field.whole({ min: 1, max: PIECES, example: 2 }) quantity!: number;
  @field.whole({ min: 0, max: PRICE_CENTS, description: 'Price of one, in hundredths of the currency.', example: 1_250 }) unitPriceCents!: number;
}

export class NewOrder {
  @field.id({ optional: true, description: 'Left out: a new one is given.' }) id?: string;
  @field.id({ example: 'c-17' }) customerId!: string;
  @field.code({ pattern: /^[A-Z]{3}$/, expects: 'three capital letters (ISO 4217)', example: 'EUR' }) currency!: string;
  @field.list({ type: () => LineBody, min: 1, max: LINES, description: 'No product twice.' }) lines!: LineBody[];
}

/** What the payment service says of a payment that it took. */
export class Payment {
  @field.whole({ min: 0, max: LINES * PIECES * PRICE_CENTS, description: 'The total of the order.', example: 2_500 }) amountCents!: number;
  @field.code({ pattern: /^[A-Z]{2}$/, expects: 'two capital letters (ISO 3166-1)', description: 'Country that issued the card.', example: 'DE' }) cardCountry!: string;
}

const reasons = ['OTHER', 'CHANGED_MIND', 'OUT_OF_STOCK', 'PAYMENT_FAILED', 'FRAUD_SUSPECTED'] as const satisfies readonly Cancel['reason'][];

export class Cancellation {
  @field.oneOf({ values: reasons, optional: true }) reason?: (typeof reasons)[number];
}
