import { startService } from 'factline/nest';
import { readConfig } from './config.js';
import { InventoryModule } from './inventory.module.js';

await startService(InventoryModule, readConfig);
