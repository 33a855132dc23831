import type { ReceivedCommand } from 'factline/commands';
import { CommandController, OnCommand } from 'factline/nest/commands';
import type { Tx } from 'factline/store';
import { ReleaseExpiredSelected, type ReleaseExpiredSelection } from './contracts.generated.js';
import { HANDLERS } from './limits.js';
import { type Outcome, SeatsService } from './seats.service.js';

/** Releases seats whose locks have ended. That a command is handed on says that its time has come; the id of the lock says whether there is something to do. */
@CommandController({ queue: 'ticketing.expiry', concurrency: HANDLERS })
export class ExpiryController {
  constructor(private readonly seats: SeatsService) {}

  @OnCommand(ReleaseExpiredSelected)
  release({ data }: ReceivedCommand<ReleaseExpiredSelection>, tx: Tx): Promise<Outcome> {
    return this.seats.release(tx, data);
  }
}
