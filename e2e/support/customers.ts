import type { Store } from 'factline/store';
import type { FactOwner } from 'factline/testing';

interface Purchase {
  totalCents: number;
  cardCountry?: string;
}

/** Customers of one spec, as the facts of orders and inventory tell of them. */
export class Customers {
  #orders = 0;

  constructor(
    private readonly owner: FactOwner,
    private readonly inventory: FactOwner,
    private readonly prefix: string,
  ) {}

  id(name: string): string {
    return `${this.prefix}-${name}`;
  }

  /** Places and pays an order. @returns its id */
  async buys(name: string, { totalCents, cardCountry = 'DE' }: Purchase): Promise<string> {
    const orderId = `${this.prefix}-o${++this.#orders}`;
    const products = ['tea', 'another-product', 'a-third-product'];
    const order = { customerId: this.id(name), currency: 'EUR', totalCents, lines: products.map((product) => ({ productId: this.id(product), quantity: 1, unitPriceCents: totalCents })) };
    await this.owner.stateAll([
      ['orders.OrderPlaced', orderId, order],
      ['orders.OrderPaid', orderId, { ...order, cardCountry, paidAt: Date.now() * 1_000 }],
    ]);
    return orderId;
  }

  async isRefused(orderId: string, product = 'tea'): Promise<void> {
    await this.inventory.state('inventory.DeductionRefused', this.id(product), { orderId, asked: 1, onHand: 0 });
  }

  /** Up to which number the reactions of risk have handled the facts of a key. */
  async handled(store: Store, key: string): Promise<number> {
    const { rows } = await store.query<{ sequence: number }>('select sequence::float8 as sequence from flagging.inbox where key = $1', [key]);
    return rows[0]?.sequence ?? 0;
  }
}
