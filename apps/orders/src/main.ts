import { startService } from 'factline/nest';
import { readConfig } from './config.js';
import { OrdersModule } from './orders.module.js';

await startService(OrdersModule, readConfig);
