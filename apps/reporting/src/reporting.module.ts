import { Module } from '@nestjs/common';
import { FactlineModule, SERVICE_CONFIG, provideProjection } from 'factline/nest';
import type { ReportingConfig } from './config.js';
import { SalesController } from './sales.controller.js';
import { sales, salesV2 } from './sales.projection.js';
import { SalesRepository } from './sales.repository.js';
import { stock } from './stock.projection.js';

/** Sales by day and by product, from facts of two owners. It owns nothing: all it has can be made again from the log. */
@Module({
  imports: [
    FactlineModule.forRootAsync({
      inject: [SERVICE_CONFIG],
      useFactory: ({ databaseUrl, brokers, registryUrl }: ReportingConfig) => ({ app: 'reporting', databaseUrl, kafka: { brokers }, registryUrl }),
    }),
  ],
  controllers: [SalesController],
  providers: [
    provideProjection({ name: 'sales', inject: [SERVICE_CONFIG], useFactory: ({ salesVersion }: ReportingConfig) => (salesVersion === '2' ? salesV2 : sales) }),
    provideProjection(stock),
    SalesRepository,
  ],
})
export class ReportingModule {}
