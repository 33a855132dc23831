import { Module } from '@nestjs/common';
import { FactlineModule, SERVICE_CONFIG, provideProjection } from 'factline/nest';
import type { RecommendationsConfig } from './config.js';
import { RecommendationsController } from './recommendations.controller.js';
import { productsCache, rankingCache } from './stock.caches.js';
import { stock } from './stock.projection.js';
import { StockRepository } from './stock.repository.js';

/** What to recommend, from its own minimum of inventory's facts; answered from caches that say when they do not know better any more. */
@Module({
  imports: [
    FactlineModule.forRootAsync({
      inject: [SERVICE_CONFIG],
      useFactory: ({ databaseUrl, brokers, registryUrl }: RecommendationsConfig) => ({ app: 'recommendations', databaseUrl, kafka: { brokers }, registryUrl }),
    }),
  ],
  controllers: [RecommendationsController],
  providers: [provideProjection(stock), StockRepository, productsCache, rankingCache],
})
export class RecommendationsModule {}
