import { Module } from '@nestjs/common';
import { FactlineModule, SERVICE_CONFIG, provideProjection } from 'factline/nest';
import type { TimesheetsConfig } from './config.js';
import { JobClosed, JobOpened, LocationClosed, LocationOpened, TimeRecorded } from './contracts.generated.js';
import { JobsService } from './jobs.service.js';
import { LocationsService } from './locations.service.js';
import { staff } from './staff.projection.js';
import { StaffRepository } from './staff.repository.js';
import { TimeEntriesService } from './time-entries.service.js';
import { JobsController, LocationsController, TimeEntriesController } from './timesheets.controller.js';
import { timesheetMigrations } from './timesheets.tables.js';

/** Owner of locations, jobs and recorded time; of hr's employees it keeps the minimum, so it records time while hr, Kafka or the registry is down. */
@Module({
  imports: [
    FactlineModule.forRootAsync({
      inject: [SERVICE_CONFIG],
      useFactory: ({ databaseUrl, brokers, registryUrl }: TimesheetsConfig) => ({
        app: 'timesheets',
        databaseUrl,
        kafka: { brokers },
        registryUrl,
        produces: [LocationOpened, LocationClosed, JobOpened, JobClosed, TimeRecorded],
        migrations: timesheetMigrations,
      }),
    }),
  ],
  controllers: [LocationsController, JobsController, TimeEntriesController],
  providers: [provideProjection(staff), StaffRepository, LocationsService, JobsService, TimeEntriesService],
})
export class TimesheetsModule {}
