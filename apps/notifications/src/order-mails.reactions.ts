import type { ReceivedFact } from 'factline/contracts';
import { OnFact, ReactionController } from 'factline/nest/reactions';
import type { Tx } from 'factline/store';
import { OrderPaid, type OrderPaidSelection } from './contracts.generated.js';
import { CONCURRENCY, MAIL_WORTH_MS } from './limits.js';
import { NotificationsService } from './notifications.service.js';
import { amountOf } from './templates.js';

/** Whose order is paid gets a mail. From now on: a mail for each order ever paid could not be taken back. */
@ReactionController({ name: 'order_mails', from: 'now', concurrency: CONCURRENCY })
export class OrderMailsReactions {
  constructor(private readonly notifications: NotificationsService) {}

  @OnFact(OrderPaid)
  async paid({ meta, data: { orderId, customerId, totalCents, currency } }: ReceivedFact<OrderPaidSelection>, tx: Tx): Promise<void> {
    const values = { orderId, total: amountOf(totalCents, currency) };
    await this.notifications.ask(tx, meta.id, { channel: 'EMAIL', customerId, template: 'ORDER_PAID', values, notAfter: meta.occurredAt + MAIL_WORTH_MS * 1_000 });
  }
}
