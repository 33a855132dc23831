import { startService } from 'factline/nest';
import { readConfig } from './config.js';
import { HrModule } from './hr.module.js';

await startService(HrModule, readConfig);
