import { Module } from '@nestjs/common';
import { FactlineModule, SERVICE_CONFIG } from 'factline/nest';
import type { InventoryConfig } from './config.js';
import { DeductionRefused, StockChanged } from './contracts.generated.js';
import { DeductionReactions } from './deduction.reactions.js';
import { ProductsController } from './products.controller.js';
import { ProductsService } from './products.service.js';
import { StockRepository, stockMigrations } from './stock.repository.js';

/** Owner of stock: how many there are of each product, what went out for which order. */
@Module({
  imports: [
    FactlineModule.forRootAsync({
      inject: [SERVICE_CONFIG],
      useFactory: ({ databaseUrl, brokers, registryUrl }: InventoryConfig) => ({
        app: 'inventory',
        databaseUrl,
        kafka: { brokers },
        registryUrl,
        produces: [StockChanged, DeductionRefused],
        migrations: stockMigrations,
      }),
    }),
  ],
  controllers: [ProductsController, DeductionReactions],
  providers: [ProductsService, StockRepository],
})
export class InventoryModule {}
