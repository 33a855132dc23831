import { startService } from 'factline/nest';
import { readConfig } from './config.js';
import { ReportingModule } from './reporting.module.js';

await startService(ReportingModule, readConfig);
