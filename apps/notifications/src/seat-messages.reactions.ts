import type { ReceivedFact } from 'factline/contracts';
import { OnFact, ReactionController } from 'factline/nest/reactions';
import type { Tx } from 'factline/store';
import { TicketLocked, type TicketLockedSelection } from './contracts.generated.js';
import { CONCURRENCY } from './limits.js';
import { NotificationsService } from './notifications.service.js';
import { minuteOf } from './templates.js';

/** Who holds a seat gets a text message, while it is held. A subscription of its own, so that orders' facts do not wait for ticketing. */
@ReactionController({ name: 'seat_messages', from: 'now', concurrency: CONCURRENCY })
export class SeatMessagesReactions {
  constructor(private readonly notifications: NotificationsService) {}

  @OnFact(TicketLocked)
  async locked({ meta, data: { seatId, customerId, lockedUntil } }: ReceivedFact<TicketLockedSelection>, tx: Tx): Promise<void> {
    const values = { seatId, until: minuteOf(lockedUntil) };
    await this.notifications.ask(tx, meta.id, { channel: 'SMS', customerId, template: 'SEAT_HELD', values, notAfter: lockedUntil });
  }
}
