import { Module } from '@nestjs/common';
import { FactlineModule, SERVICE_CONFIG } from 'factline/nest';
import type { OrdersConfig } from './config.js';
import { OrderCancelled, OrderPaid, OrderPlaced } from './contracts.generated.js';
import { OrdersController } from './orders.controller.js';
import { OrdersRepository, orderMigrations } from './orders.repository.js';
import { OrdersService } from './orders.service.js';

/** Owner of orders: what was ordered, whether it is paid, whether it still stands. */
@Module({
  imports: [
    FactlineModule.forRootAsync({
      inject: [SERVICE_CONFIG],
      useFactory: ({ databaseUrl, brokers, registryUrl, relay }: OrdersConfig) => ({
        app: 'orders',
        databaseUrl,
        kafka: { brokers },
        registryUrl,
        produces: [OrderPlaced, OrderPaid, OrderCancelled],
        relay: { enabled: relay === 'on' },
        migrations: orderMigrations,
      }),
    }),
  ],
  controllers: [OrdersController],
  providers: [OrdersService, OrdersRepository],
})
export class OrdersModule {}
