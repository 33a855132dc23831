import { startService } from 'factline/nest';
import { readConfig } from './config.js';
import { TimesheetsModule } from './timesheets.module.js';

await startService(TimesheetsModule, readConfig);
