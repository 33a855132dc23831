import type { Fact, ReceivedFact } from 'factline/contracts';
import { OnFact, ReactionController } from 'factline/nest/reactions';
import { FactOutbox } from 'factline/outbox';
import type { Tx } from 'factline/store';
import { DeductionRefused, OrderCancelled, type OrderCancelledSelection, OrderPaid, type OrderPaidSelection, StockChanged } from './contracts.generated.js';
import { type Change, StockRepository } from './stock.repository.js';

/**
 * Stock follows what happens to orders, once for each fact and in the order of each order: a paid one takes its products out, all lines or none, and a cancelled one puts back
 * what it took. What could not be done is stated as well; whoever has to act on it (give the money back, say) reads it.
 */
@ReactionController({ name: 'deductions', from: 'beginning' })
export class DeductionReactions {
  constructor(
    private readonly stock: StockRepository,
    private readonly outbox: FactOutbox,
  ) {}

  @OnFact(OrderPaid)
  async deduct({ data: { orderId, lines } }: ReceivedFact<OrderPaidSelection>, tx: Tx): Promise<void> {
    const held = await this.stock.lock(tx, lines.map(({ productId }) => productId));
    if (held.size === 0) return; // none of its products was ever delivered here: another warehouse's order
    const onHand = (productId: string) => held.get(productId)?.onHand ?? 0;
    const short = lines.filter(({ productId, quantity }) => onHand(productId) < quantity);
    if (short.length === 0) return this.#state(tx, (await this.stock.deduct(tx, orderId, lines)).map(changed('SOLD', orderId)));
    await this.#state(tx, short.map(({ productId, quantity }) => DeductionRefused(productId, { orderId, asked: quantity, onHand: onHand(productId) })));
  }

  @OnFact(OrderCancelled)
  async putBack({ data: { orderId } }: ReceivedFact<OrderCancelledSelection>, tx: Tx): Promise<void> {
    await this.#state(tx, (await this.stock.putBack(tx, orderId)).map(changed('CANCELLED', orderId)));
  }

  /** In the order of the products, as their rows are locked: the outbox holds each key until the commit, too. */
  async #state(tx: Tx, facts: readonly Fact[]): Promise<void> {
    if (facts.length > 0) await this.outbox.addMany(tx, facts.toSorted((one, other) => (one.key < other.key ? -1 : 1)));
  }
}

const changed = (reason: 'SOLD' | 'CANCELLED', orderId: string) => ({ id, onHand, change }: Change) => StockChanged(id, { onHand, change, reason, orderId });
