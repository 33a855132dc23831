import { Module } from '@nestjs/common';
import { FactlineModule, SERVICE_CONFIG, provideProjection } from 'factline/nest';
import { JobsController } from 'factline/nest/commands';
import { Cards, cardMigrations } from './cards.js';
import type { GiftCardsConfig } from './config.js';
import { GiftCardIssued, IssueCards } from './contracts.generated.js';
import { diners } from './diners.projection.js';
import { IssuingController } from './issuing.controller.js';
import { WeeklyIssue } from './weekly-issue.js';
import { WeeksController } from './weeks.controller.js';

@Module({
  imports: [
    FactlineModule.forRootAsync({
      inject: [SERVICE_CONFIG],
      useFactory: ({ databaseUrl, brokers, registryUrl, relay }: GiftCardsConfig) => ({
        app: 'gift-cards',
        databaseUrl,
        kafka: { brokers },
        registryUrl,
        produces: [GiftCardIssued, IssueCards],
        migrations: cardMigrations,
        relay: { enabled: relay === 'on' },
      }),
    }),
  ],
  controllers: [WeeksController, IssuingController, JobsController],
  providers: [Cards, WeeklyIssue, provideProjection(diners)],
})
export class GiftCardsModule {}
