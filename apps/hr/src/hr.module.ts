import { Module } from '@nestjs/common';
import { FactlineModule, SERVICE_CONFIG } from 'factline/nest';
import type { HrConfig } from './config.js';
import { EmployeeCreated, EmployeeMoved, EmployeePersonalDetailsChanged, EmployeeTerminated } from './contracts.generated.js';
import { EmployeesController } from './employees.controller.js';
import { EmployeesRepository, employeeMigrations } from './employees.repository.js';
import { EmployeesService } from './employees.service.js';

/** Owner of employees: who is employed, where, and for how much. */
@Module({
  imports: [
    FactlineModule.forRootAsync({
      inject: [SERVICE_CONFIG],
      useFactory: ({ databaseUrl, brokers, registryUrl, relay, changesPerMinute }: HrConfig) => ({
        app: 'hr',
        databaseUrl,
        kafka: { brokers },
        registryUrl,
        produces: [EmployeeCreated, EmployeePersonalDetailsChanged, EmployeeMoved, EmployeeTerminated],
        relay: { enabled: relay === 'on' },
        migrations: employeeMigrations,
        admission: { rate: { count: changesPerMinute, per: '1m' } },
      }),
    }),
  ],
  controllers: [EmployeesController],
  providers: [EmployeesService, EmployeesRepository],
})
export class HrModule {}
