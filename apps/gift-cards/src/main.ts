import { startService } from 'factline/nest';
import { readConfig } from './config.js';
import { GiftCardsModule } from './gift-cards.module.js';

await startService(GiftCardsModule, readConfig);
