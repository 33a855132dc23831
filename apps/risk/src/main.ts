import { startService } from 'factline/nest';
import { readConfig } from './config.js';
import { RiskModule } from './risk.module.js';

await startService(RiskModule, readConfig);
