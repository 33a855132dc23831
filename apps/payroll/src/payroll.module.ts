import { Module } from '@nestjs/common';
import { FactlineModule, SERVICE_CONFIG, provideProjection } from 'factline/nest';
import type { PayrollConfig } from './config.js';
import { payees, payeesV2 } from './payees.projection.js';
import { PayeesRepository } from './payees.repository.js';
import { PayeesController, PayrollRunsController } from './payroll.controller.js';
import { PayrollRunsService, payrollMigrations } from './payroll-runs.service.js';

/** Pays people from its own minimum of hr's facts; it keeps answering while hr, Kafka or the registry is down. */
@Module({
  imports: [
    FactlineModule.forRootAsync({
      inject: [SERVICE_CONFIG],
      useFactory: ({ databaseUrl, brokers, registryUrl }: PayrollConfig) => ({
        app: 'payroll',
        databaseUrl,
        kafka: { brokers },
        registryUrl,
        migrations: payrollMigrations,
      }),
    }),
  ],
  controllers: [PayeesController, PayrollRunsController],
  providers: [
    provideProjection({
      name: 'payees',
      inject: [SERVICE_CONFIG],
      useFactory: ({ payeesVersion }: PayrollConfig) => (payeesVersion === '2' ? payeesV2 : payees),
    }),
    PayeesRepository,
    PayrollRunsService,
  ],
})
export class PayrollModule {}
