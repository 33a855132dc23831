import { until } from 'factline/testing';
import type { Estate } from './estate.js';
import { type RestAnswer, ask } from './rest.js';

const PRICE_CENTS = 100;
/** More than all specs sell. */
const DELIVERED = 1_000_000;

interface PaidOrder {
  id: string;
  quantity: number;
}

/**
 * One product, delivered once, and customers who each order and pay for another number of it: so that one taken out of the stock twice never makes up for one that was forgotten.
 * What was paid is what orders' database says; what came of it is in inventory's tables.
 */
export class Shop {
  readonly product: string;
  #orders = 0;

  constructor(
    private readonly here: Estate,
    name: string,
  ) {
    this.product = `${here.prefix}${name}`;
  }

  async deliver(inventoryUrl: string, quantity = DELIVERED): Promise<void> {
    expect((await ask(`${inventoryUrl}/products/${this.product}/deliveries`, 'POST', { quantity })).status).toBe(201);
  }

  /** An order of so many, paid. @returns the answer to the payment. */
  async buy(ordersUrl: string, quantity: number, id = this.orderId()): Promise<RestAnswer> {
    const lines = [{ productId: this.product, quantity, unitPriceCents: PRICE_CENTS }];
    expect((await ask(`${ordersUrl}/orders`, 'POST', { id, customerId: 'c-1', currency: 'EUR', lines })).status).toBe(201);
    return ask(`${ordersUrl}/orders/${id}/payments`, 'POST', { amountCents: quantity * PRICE_CENTS, cardCountry: 'DE' });
  }

  /** So many orders, each of one more than the last. */
  async wave(ordersUrl: string, orders: number): Promise<void> {
    for (let done = 0; done < orders; done++) expect((await this.buy(ordersUrl, this.#orders + 1)).status).toBe(200);
  }

  /** Customers go on until nobody answers, or until they have gone on for too long. */
  async buyUntil(ended: () => boolean, ordersUrl: string, atMost: number): Promise<void> {
    for (let done = 0; done < atMost && !ended(); done++) await this.buy(ordersUrl, this.#orders + 1).catch(unlessGone(ended));
  }

  orderId(): string {
    return `${this.product}-${++this.#orders}`;
  }

  async paid(): Promise<PaidOrder[]> {
    const { rows } = await this.here.store('orders').query<PaidOrder>(
      `select id, (lines -> 0 ->> 'quantity')::integer as quantity from customer_order where status = 'PAID' and lines -> 0 ->> 'productId' = $1`,
      [this.product],
    );
    return rows;
  }

  /** What is wrong with the stock, given what was paid. */
  async faults(): Promise<{ lost: string[]; strange: string[]; doubled: number }> {
    const [paid, store] = [await this.paid(), this.here.store('inventory')];
    const { rows } = await store.query<PaidOrder>('select order_id as id, quantity::integer as quantity from deduction where product_id = $1', [this.product]);
    const onHand = (await store.query<{ onHand: number }>('select on_hand::integer as "onHand" from product where id = $1', [this.product])).rows[0]!.onHand;
    const [told, done] = [({ id, quantity }: PaidOrder) => `${quantity} for ${id}`, rows.reduce((sum, { quantity }) => sum + quantity, 0)];
    const [right, found] = [new Set(paid.map(told)), new Set(rows.map(told))];
    return { lost: [...right].filter((each) => !found.has(each)), strange: [...found].filter((each) => !right.has(each)), doubled: DELIVERED - onHand - done };
  }

  /** Everything that is in the topic of orders has been handled by inventory. */
  async handled(): Promise<void> {
    const log = this.here.world.log();
    const [topic] = await log.describe(['orders.order']);
    await until('inventory to have handled every order', async () => {
      const { rows } = await this.here.store('inventory').query<{ partition: number; next: number }>(
        `select partition, next_offset::double precision as next from deductions.checkpoint where topic = 'orders.order'`,
      );
      return topic!.partitions.every(({ end }, partition) => end === 0 || (rows.find((row) => row.partition === partition)?.next ?? 0) >= end);
    });
    await log.close();
  }
}

/** A request that a dying process did not answer says nothing. */
function unlessGone(ended: () => boolean): (error: unknown) => Promise<void> {
  return async (error) => {
    if (!String(error).includes('fetch failed')) throw error; // by its text: fetch and a spec have different TypeErrors
    await until('the process to be gone', ended);
  };
}
