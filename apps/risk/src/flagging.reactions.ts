import { Inject } from '@nestjs/common';
import type { ReceivedFact } from 'factline/contracts';
import { FactlineError } from 'factline/kernel';
import { InjectReadModel } from 'factline/nest';
import { OnFact, ReactionController } from 'factline/nest/reactions';
import { FactOutbox } from 'factline/outbox';
import type { ReadModel } from 'factline/projections';
import type { Tx } from 'factline/store';
import { BehaviourRepository, type SeenOrder } from './behaviour.repository.js';
import { DeductionRefused, type DeductionRefusedSelection, OrderFlagged, OrderPaid, type OrderPaidSelection } from './contracts.generated.js';
import { FlaggedOrdersRepository } from './flagged-orders.repository.js';
import { RULE, type Rule } from './rules.js';

/** A handler holds a connection while it waits, so it comes back later instead of waiting for long. */
const WAIT_FOR_READ_MODEL = 2_000;
/** What the clocks of two owners may differ by, at most. */
const CLOCKS_DIFFER_BY = 5_000;

/**
 * Judges an order when it is paid, and again when stock says that it asked for too much; what is unusual is stated, once for each order.
 * A subscription has a position of its own and may be ahead of the read models, so it waits until they contain the fact that it is about.
 */
@ReactionController({ name: 'flagging', from: 'beginning' })
export class FlaggingReactions {
  constructor(
    private readonly behaviour: BehaviourRepository,
    private readonly flagged: FlaggedOrdersRepository,
    @Inject(FactOutbox) private readonly outbox: FactOutbox,
    @InjectReadModel('orders_seen') private readonly ordersSeen: ReadModel,
    @InjectReadModel('refusals') private readonly refusals: ReadModel,
    @Inject(RULE) private readonly rule: Rule,
  ) {}

  @OnFact(OrderPaid)
  async paid({ key, meta }: ReceivedFact<OrderPaidSelection>, tx: Tx): Promise<void> {
    await this.ordersSeen.waitFor({ topic: OrderPaid.topic, key, sequence: meta.sequence }, WAIT_FOR_READ_MODEL);
    await this.#judge((await this.behaviour.order(tx, key))!, tx);
  }

  @OnFact(DeductionRefused)
  async refused({ key, meta, data }: ReceivedFact<DeductionRefusedSelection>, tx: Tx): Promise<void> {
    await this.refusals.waitFor({ topic: DeductionRefused.topic, key, sequence: meta.sequence }, WAIT_FOR_READ_MODEL);
    const complete = await this.#contains(meta.occurredAt / 1_000); // asked before the rows are: they may be newer than it says, never older
    const order = await this.behaviour.order(tx, data.orderId);
    if (order) return this.#judge(order, tx);
    if (!complete) throw notSeen(data.orderId);
  }

  /** There is no order between topics, so stock may speak of an order that the read model does not have yet; its as-of time says whether it ever will. */
  async #contains(atMs: number): Promise<boolean> {
    const asOf = await this.ordersSeen.asOf();
    return asOf !== null && asOf.getTime() > atMs + CLOCKS_DIFFER_BY;
  }

  async #judge(order: SeenOrder, tx: Tx): Promise<void> {
    const { orderId, customerId } = order;
    const reasons = this.rule.judge(await this.behaviour.of(tx, customerId), order);
    if (reasons.length === 0) return;
    const flag = { customerId, reasons, ruleVersion: this.rule.version };
    if (await this.flagged.insert(tx, { orderId, ...flag })) await this.outbox.add(tx, OrderFlagged(orderId, flag));
  }
}

/** It passes by itself, so it is tried again and never a dead letter. */
function notSeen(orderId: string): FactlineError {
  return new FactlineError({ code: 'risk.order-not-seen', kind: 'unavailable', message: `The order '${orderId}' is not in the read model yet.`, advice: 'Wait; it is tried again.' });
}
