import { commandQueue } from 'factline/commands';
import { SERVICE_CONFIG } from 'factline/nest';
import { provideCommands } from 'factline/nest/commands';
import type { TicketingConfig } from './config.js';
import { LockSeat, LockSeatSelected } from './contracts.generated.js';
import { HANDLERS } from './limits.js';
import { SeatsService } from './seats.service.js';

const queue = LockSeat.topic.name;

/** Who waits for a seat: let through at the rate of the turnstile, and no more of them than may wait. That the seat is taken by then is a result, no failure: nobody has to repair it. */
export const waitingForSeats = provideCommands({
  queue,
  inject: [SERVICE_CONFIG, SeatsService],
  useFactory: ({ locksPerSecond, mayWait }: TicketingConfig, seats: SeatsService) =>
    commandQueue({ queue, concurrency: HANDLERS, rate: { count: locksPerSecond, per: '1s' }, backlog: { limit: mayWait, past: 'shed' } }).on(LockSeatSelected, ({ data }, tx) =>
      seats.lockInTurn(tx, data),
    ),
});
