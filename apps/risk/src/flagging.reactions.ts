import { Inject } from '@nestjs/common';
import type { ReceivedFact } from 'factline/contracts';
import { FactlineError } from 'factline/kernel';
import { InjectReadModel } from 'factline/nest';
import { OnFact, ReactionController } from 'factline/nest/reactions';
import { FactOutbox } from 'factline/outbox';
import type { ReadModel } from 'factline/projections';
import type { Tx } from 'factline/store';
import { BehaviourRepository } from './behaviour.repository.js';
import { DeductionRefused, type DeductionRefusedSelection, OrderFlagged, OrderPaid, type OrderPaidSelection } from './contracts.generated.js';
import { FlaggedOrdersRepository } from './flagged-orders.repository.js';
import { RULE, type Rule } from './rules.js';

/** A handler holds a connection while it waits, so it comes back later instead of waiting for long. */
const WAIT_FOR_READ_MODEL = 2_000;

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
    await this.#judge(key, tx);
  }

  @OnFact(DeductionRefused)
  async refused({ key, meta, data }: ReceivedFact<DeductionRefusedSelection>, tx: Tx): Promise<void> {
    await this.refusals.waitFor({ topic: DeductionRefused.topic, key, sequence: meta.sequence }, WAIT_FOR_READ_MODEL);
    await this.#judge(data.orderId, tx);
  }

  async #judge(orderId: string, tx: Tx): Promise<void> {
    const order = await this.behaviour.order(tx, orderId);
    if (!order) throw notSeen(orderId);
    const reasons = this.rule.judge(await this.behaviour.of(tx, order.customerId), order);
    if (reasons.length === 0) return;
    const flag = { customerId: order.customerId, reasons, ruleVersion: this.rule.version };
    if (await this.flagged.insert(tx, { orderId, ...flag })) await this.outbox.add(tx, OrderFlagged(orderId, flag));
  }
}

/** There is no order between topics: stock may speak of an order before the read model has it. It passes by itself. */
function notSeen(orderId: string): FactlineError {
  return new FactlineError({ code: 'risk.order-not-seen', kind: 'unavailable', message: `The order '${orderId}' is not in the read model yet.`, advice: 'Wait; it is tried again.' });
}
