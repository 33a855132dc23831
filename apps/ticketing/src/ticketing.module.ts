import { Module } from '@nestjs/common';
import { FactlineModule, SERVICE_CONFIG } from 'factline/nest';
import { JobsController } from 'factline/nest/commands';
import type { TicketingConfig } from './config.js';
import { LockSeat, ReleaseExpired, TicketLocked, TicketReleased, TicketSold } from './contracts.generated.js';
import { EventsController } from './events.controller.js';
import { EventsRepository } from './events.repository.js';
import { ExpiryController } from './expiry.controller.js';
import { SPIKE_REQUESTS } from './limits.js';
import { LocksController } from './locks.controller.js';
import { LocksService } from './locks.service.js';
import { SeatsRepository } from './seats.repository.js';
import { SeatsService } from './seats.service.js';
import { ticketingMigrations } from './ticketing.tables.js';
import { Turnstile } from './turnstile.js';
import { waitingForSeats } from './waiting.js';

/** Owner of seats: who holds which until when, and who has bought it. */
@Module({
  imports: [
    FactlineModule.forRootAsync({
      inject: [SERVICE_CONFIG],
      useFactory: ({ databaseUrl, brokers, registryUrl }: TicketingConfig) => ({
        app: 'ticketing',
        databaseUrl,
        kafka: { brokers },
        registryUrl,
        produces: [TicketLocked, TicketReleased, TicketSold, LockSeat, ReleaseExpired],
        migrations: ticketingMigrations,
        admission: { minConcurrency: SPIKE_REQUESTS },
      }),
    }),
  ],
  controllers: [EventsController, LocksController, ExpiryController, JobsController],
  providers: [EventsRepository, SeatsRepository, SeatsService, LocksService, Turnstile, waitingForSeats],
})
export class TicketingModule {}
