import { startService } from 'factline/nest';
import { readConfig } from './config.js';
import { TicketingModule } from './ticketing.module.js';

await startService(TicketingModule, readConfig);
