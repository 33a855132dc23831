import { Module } from '@nestjs/common';
import { FactlineModule, SERVICE_CONFIG, provideProjection } from 'factline/nest';
import { BehaviourRepository } from './behaviour.repository.js';
import type { RiskConfig } from './config.js';
import { OrderFlagged } from './contracts.generated.js';
import { FlaggedOrdersRepository, flaggedOrderMigrations } from './flagged-orders.repository.js';
import { FlaggingReactions } from './flagging.reactions.js';
import { ordersSeen, ordersSeenV2 } from './orders-seen.projection.js';
import { refusals } from './refusals.projection.js';
import { CustomersController, FlaggedOrdersController } from './risk.controller.js';
import { RULE, rule1, rule2 } from './rules.js';

/** Judges orders by what their customers did before, as facts of two owners say, and states what is unusual. */
@Module({
  imports: [
    FactlineModule.forRootAsync({
      inject: [SERVICE_CONFIG],
      useFactory: ({ databaseUrl, brokers, registryUrl }: RiskConfig) => ({ app: 'risk', databaseUrl, kafka: { brokers }, registryUrl, produces: [OrderFlagged], migrations: flaggedOrderMigrations }),
    }),
  ],
  controllers: [FlaggingReactions, CustomersController, FlaggedOrdersController],
  providers: [
    // Rule and read model go together: a rule never judges by rows that lack what it asks for.
    provideProjection({ name: 'orders_seen', inject: [SERVICE_CONFIG], useFactory: ({ rule }: RiskConfig) => (rule === '2' ? ordersSeenV2 : ordersSeen) }),
    { provide: RULE, inject: [SERVICE_CONFIG], useFactory: ({ rule }: RiskConfig) => (rule === '2' ? rule2 : rule1) },
    provideProjection(refusals),
    BehaviourRepository,
    FlaggedOrdersRepository,
  ],
})
export class RiskModule {}
