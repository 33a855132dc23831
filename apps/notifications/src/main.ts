import { startService } from 'factline/nest';
import { readConfig } from './config.js';
import { NotificationsModule } from './notifications.module.js';

await startService(NotificationsModule, readConfig);
